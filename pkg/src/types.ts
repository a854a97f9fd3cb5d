/** The row of a track that the model does not know. */
export const UNKNOWN_ROW = 0xffff_ffff;

/** Tracks: your own ids, or rows of the model in use. Never some of each. */
export type TrackList = readonly string[] | readonly number[] | Uint32Array;

/** The kinds of events, by the number that each crosses as. */
export const KINDS = ["play", "skip", "like", "dislike", "replay", "save", "search", "impression", "click"] as const;

/** What a listener did with a track. */
export type Kind = (typeof KINDS)[number];

/** One event. It may carry further fields, such as those of the event log; they are not read. */
export interface ListenerEvent {
  /** Your own id of the event, at best one that no other has: what comes again with an id of the last 4,096 is not taken in again. */
  id?: string | undefined;
  kind: Kind;
  /** Your own id of the track, or its row in the model in use. */
  track: string | number;
  /** Milliseconds heard, 0 or more. */
  played_ms?: number | undefined;
  /** Length of the track in milliseconds; where it is left out, the model's own is used. */
  duration_ms?: number | undefined;
  /**
   * When it began, in milliseconds since the Unix epoch. More than half an hour after the end of what
   * came before it, a new sitting starts, as after `leave()`; else the session does not depend on it.
   */
  at?: number | undefined;
}

/** When and where somebody listens, as in `context` of the event log. Whatever is left out is not known. */
export interface Moment {
  /** Milliseconds since the Unix epoch; with `tz_offset_min` it tells the hour and the day of the week. */
  at?: number | undefined;
  /** Minutes to add to UTC for the listener's own clock, from −1440 to 1440: `-new Date().getTimezoneOffset()`. */
  tz_offset_min?: number | undefined;
  /** ISO 3166-1 alpha-2, upper case. */
  region?: string | undefined;
  /** Your own name of what they listen with, as in your log. */
  device?: string | undefined;
  /** The list that tracks come from; what stands after the first colon does not count. */
  source?: string | undefined;
  /** The mood that they named. */
  mood?: string | undefined;
}

/** Where the WebAssembly module comes from: the first call that loads it decides. */
export type WasmSource = string | URL | Response | BufferSource | WebAssembly.Module;

export interface ModelOptions {
  /** The module; without it, the file that lies in this package. */
  wasm?: WasmSource | undefined;
}

/** What a device keeps of a registry. */
export interface Kept {
  /** What it believes: without that memory it could be shown something older. */
  readonly trust: string;
  /** What it calls itself. */
  readonly device: string;
  /** What was counted of its models; numbers as the module has them. */
  readonly tallies?: readonly number[] | undefined;
  /** What its model is made of; left out where there is none. */
  readonly model?: KeptModel | undefined;
}

/** A model that is kept. */
export interface KeptModel {
  /** What its release said of it. */
  readonly manifest: unknown;
  /** Its sections. */
  readonly here: readonly KeptSection[];
  /** The deltas that led to it, for another tab that is where this one was. */
  readonly via: readonly KeptSection[];
}

/** A part of a model that is kept: the blob of its hash. */
export interface KeptSection {
  readonly kind: string;
  readonly shard: number;
  /** SHA-256 in lower-case hexadecimal. */
  readonly hash: string;
  readonly bytes: number;
}

/** Where a device keeps what it has. Whatever is read is checked, so that it may be damaged but not make any harm. */
export interface Store {
  /** What `write` wrote last; nothing before. */
  read(): Promise<Kept | undefined>;
  /** A blob by its hash. */
  blob(hash: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /**
   * Replaces what is kept, adds `blobs` by hash and drops those that `kept.model` does not name: all of it, or
   * nothing where it fails.
   */
  write(kept: Kept, blobs: ReadonlyMap<string, Uint8Array>): Promise<void>;
}

/**
 * What is being done about updates: `looking` for a release, `verifying` who signed it, `fetching`, `applying` what came,
 * `current` when nothing is left to do, `waiting` because it is more than may come unasked over a connection that is paid
 * for by the byte, `failed` with what is in use still in use, `unkept` where the device cannot keep what it has.
 */
export type SyncState = "looking" | "verifying" | "fetching" | "applying" | "current" | "waiting" | "failed" | "unkept";

/** How far an update is. */
export interface SyncStatus {
  readonly state: SyncState;
  /** Bytes that came, of those that are fetched; while `fetching`. */
  readonly received?: number | undefined;
  /** Bytes to fetch, before any content coding; while `fetching` or `waiting`. */
  readonly total?: number | undefined;
  /** What went wrong, where it `failed` or is `unkept`. */
  readonly error?: Error | undefined;
}

/** What was counted under a model on this device, with its listener. */
export interface Tally {
  readonly version: number;
  /** Plays and replays. */
  readonly heard: number;
  /** Skips and dislikes. */
  readonly refused: number;
  /** Rankings that failed. */
  readonly failed: number;
}

/** That a listener refuses more under the model in use than under the one before, or that it fails where that did not. */
export interface Worse {
  readonly before: Tally;
  readonly now: Tally;
}

export interface OpenOptions extends ModelOptions {
  /** The folder that holds `manifest` and `blob/`; relative to the page where there is one. */
  registry: string | URL;
  /** Used in place of the global `fetch`, for the registry. */
  fetch?: typeof fetch | undefined;
  /**
   * Of a catalogue that is split into shards: how many of those nearest to the listener are fetched
   * by and by, without being asked for. 4 without it; with 0 none are, until `gather()` is called.
   */
  near?: number | undefined;
  /**
   * The public key that the registry's first root must be signed by, 64 hexadecimal digits, as `segue keys list` prints
   * it. With it nothing is used that the registry's keys did not sign; without it whatever lies there is.
   */
  publicKey?: string | undefined;
  /**
   * Where the model and what was seen of the registry are kept, so that the next visit starts from there, also offline.
   * With a `publicKey` it is IndexedDB where you do not say and the platform has it; `false` keeps nothing.
   */
  store?: Store | false | undefined;
  /**
   * What tells this device from others where a new model goes to some of them first: any text that stays the same. It
   * leaves the device nowhere. Without it, one is drawn and kept in the store.
   */
  device?: string | undefined;
  /**
   * Whether later versions are taken up by themselves: as soon as the registry's server-sent events tell of one, and
   * every quarter of an hour where it sends none. Without it, they are where there is a `publicKey` and a browser.
   */
  follow?: boolean | undefined;
  /** The part of the module that keeps the model current; without it, the file that lies in this package. */
  syncWasm?: WasmSource | undefined;
}

/**
 * How places are chosen with an eye on those before them, beside their scores. Without any the order is that of the
 * scores. Choosing takes time that grows as `limit` times the number of candidates: give a `limit` with it.
 */
export interface Choices {
  /**
   * How much less alike the tracks of the queue are to be, at the cost of score: 0 not at all, 1 whatever the score
   * (maximal marginal relevance).
   */
  diversity?: number | undefined;
  /**
   * At least so many places lie between two tracks of one artist, while there is another track to choose; from 0 to
   * 255, 2 where it is left out. Of the first 256 places. The last tracks played in this sitting, up to 16, stand before the queue. Needs a model that names artists.
   */
  artistGap?: number | undefined;
  /** The same of an album, where the model knows albums. */
  albumGap?: number | undefined;
  /**
   * How far tracks of the artist just heard, and that track twice as far, fall behind: in standard deviations of the
   * candidates' scores, from 0 to 1000; half of it for what was heard before, and so on through the sitting.
   */
  fatigue?: number | undefined;
  /**
   * How far the taste that the queue is chosen by is drawn from what is known of the listener (Thompson sampling), from
   * 0 to 1000: at 1 by as much as it is uncertain, if one play errs by one.
   */
  explore?: number | undefined;
  /**
   * What is drawn depends on it alone: a whole number below 2³². Without it, on how many events were observed: another
   * draw after each, and the same for the same events.
   */
  seed?: number | undefined;
}

export interface RankOptions extends Choices {
  /** How many places of the queue are wanted; all without it. */
  limit?: number | undefined;
  /** Whether to give reasons for each of them. */
  explain?: boolean | undefined;
}

export interface TopOptions {
  /** How many tracks are wanted. */
  limit: number;
  /** Tracks to leave out, as ids or rows. */
  exclude?: TrackList | undefined;
  /** Whether to give reasons for each of them. */
  explain?: boolean | undefined;
}

/** One place of a queue. */
export interface RankedTrack {
  /** Your id; `undefined` where rows were given and no catalogue holds the row. */
  readonly track: string | undefined;
  /** Its index among the candidates; in `top()`, in the catalogue, or −1 where there is none. */
  readonly index: number;
  /** Its row in the model; `UNKNOWN_ROW` where the model does not know it. */
  readonly row: number;
  /**
   * What the order goes by: where the model has learned what foretells a yes, the log-odds of one; elsewhere it is the response expected of the listener, 1 for yes and 0 for no. `null` where unknown.
   */
  readonly score: number | null;
  /**
   * The probability that the listener says no rather than yes if they hear it now; `null` where the model has not
   * learned to foretell that.
   */
  readonly skip: number | null;
  /**
   * By how many places `Choices` moved it up from where its score alone would have put it; negative is down. 0 in
   * `top()`.
   */
  readonly moved: number;
  /** Whether the model knows the track. Those that it does not know come last. */
  readonly known: boolean;
  /**
   * Whether the track stands where tracks of its taste cluster and popularity stand on average,
   * because its shard of the catalogue is not here.
   */
  readonly estimated: boolean;
  /** Strongest first, those of `Choices` after all others; only where they were asked for. */
  readonly reasons?: readonly Reason[];
}

/** A queue, best first. */
export interface Ranking extends ReadonlyArray<RankedTrack> {
  /** How many of all candidates the model does not know. */
  readonly unknown: number;
  /** How many of all candidates are placed by the average of their cluster and popularity. */
  readonly estimated: number;
}

/** What reasons rest on, by the number that each crosses as. */
export const GROUNDS = ["popular", "finished", "liked", "skipped", "played", "chosen", "disliked", "saved", "replayed", "followed", "moment"] as const;

/** Why a track stands where it stands. */
export interface Reason {
  /** What it rests on: evidence, the `Moment`, or one of `Choices`. */
  readonly ground: (typeof GROUNDS)[number] | "diversity" | "spacing" | "fatigue" | "exploration";
  /** In English. */
  readonly text: string;
  /**
   * How much it moves the score beside those it was ranked with; negative moves it down. Of `Choices`, how many places
   * further down the track would stand without that one.
   */
  readonly effect: number;
  /** Rows of the tracks that it rests on, strongest first. */
  readonly tracks: Uint32Array;
}

/** What the model knows of a track. */
export interface Description {
  readonly row: number;
  /** Empty where unknown. */
  readonly title: string;
  /** Empty where unknown. */
  readonly artist: string;
  /** 0 where unknown. */
  readonly durationMs: number;
  /** `undefined` where the model has no clusters. */
  readonly cluster: number | undefined;
  /** `undefined` where the cluster has no name. */
  readonly clusterName: string | undefined;
}

/** A group of tracks that the same listeners like. */
export interface Cluster {
  readonly cluster: number;
  readonly name: string | undefined;
}

/** How much of a taste lies in a cluster. */
export interface Share extends Cluster {
  /** From 0 to 1; those of all clusters are 1 together. */
  readonly share: number;
}

/** How many answers are wanted. */
export interface LimitOptions {
  readonly limit: number;
}

/** A track that people with the listener's taste finish. */
export interface AlsoFinished extends Cluster {
  /** Your id; `undefined` where no catalogue holds the row. */
  readonly track: string | undefined;
  readonly row: number;
  /** How much the people of the listener's clusters make of it; higher is more. */
  readonly score: number;
}

/** An artist near another one. */
export interface NearArtist {
  readonly artist: string;
  /** A track of theirs. */
  readonly row: number;
  /** The cosine of the two, at most 1. */
  readonly score: number;
}

/** What the session knows of one track. */
export interface Evidence {
  /** Your id; `undefined` where the track was only ever given as a row. */
  readonly track: string | undefined;
  readonly row: number;
  /** How much of each kind was seen: a play heard to its half counts 0.5. */
  readonly amounts: Readonly<Partial<Record<Kind, number>>>;
}
