import { Engine } from "../wasm/segue_wasm.js";
import * as check from "./check.js";
import { SegueError, attempt } from "./error.js";
import { load } from "./module.js";
import { placesOf, reals } from "./numbers.js";
import { explain, explainChoices } from "./reasons.js";
import type { Section } from "./manifest.js";
import { Registry } from "./registry.js";
import { collect, type Source } from "./source.js";
import type { Held } from "./sync/device.js";
import { Tracks, isEstimate, isTrack } from "./tracks.js";
import {
  KINDS,
  UNKNOWN_ROW,
  type AlsoFinished,
  type Choices,
  type Cluster,
  type Description,
  type Evidence,
  type LimitOptions,
  type ListenerEvent,
  type Moment,
  type ModelOptions,
  type NearArtist,
  type OpenOptions,
  type RankedTrack,
  type Ranking,
  type RankOptions,
  type Reason,
  type Share,
  type SyncStatus,
  type TopOptions,
  type TrackList,
  type Worse,
} from "./types.js";
import { Updates } from "./updates.js";

/** Events on tracks that the model does not know, which are kept for a model that does. */
const MOST_PENDING = 1000;

/** Ids of events that are told from those before. */
const MOST_IDS = 4096;

/** What the listener did with some track. */
interface Deed {
  readonly kind: number;
  readonly played: number | undefined;
  readonly duration: number | undefined;
  /** Whether the listener has left since. */
  past: boolean;
}

interface Pending extends Deed {
  readonly track: string;
}

/** Whether an event of a kind is that something was heard (0) or refused (1). */
const DEEDS: readonly (0 | 1 | undefined)[] = KINDS.map((kind) => {
  if (kind === "play" || kind === "replay") return 0;
  return kind === "skip" || kind === "dislike" ? 1 : undefined;
});

/** What `rank` takes beside candidates. */
const RANK_OPTIONS: readonly (keyof RankOptions)[] = [
  "limit",
  "explain",
  "diversity",
  "artistGap",
  "albumGap",
  "fatigue",
  "explore",
  "seed",
];

/** Shards that are fetched without being asked for. */
const NEAR = 4;

/** Shards of any catalogue. */
const MOST_SHARDS = 254;

/** What `on` tells of. */
interface Events {
  /** The new version, after an update. */
  update: number;
  /** How many tracks are here, after more of them came. */
  arrival: number;
  /** How far an update is, at every step of it. */
  sync: SyncStatus;
  /** That the model in use is worse for this listener than the one before. */
  worse: Worse;
}

const EVENTS: readonly (keyof Events)[] = ["update", "arrival", "sync", "worse"];

/**
 * A model and one listener, on this device.
 *
 * All methods but `open`, `fromModel`, `update` and `gather` are synchronous. What is wrong is thrown as a
 * `SegueError`, and leaves everything as it was.
 */
export class Segue {
  #engine: Engine | undefined;
  #source: Source | undefined;
  readonly #tracks: Tracks;
  readonly #listeners = new Set<readonly [keyof Events, (value: never) => void]>();
  readonly #near: number;
  #pending: Pending[] = [];
  readonly #ids = new Set<string>();
  readonly #updates: Updates | undefined;
  #updating: Promise<boolean> | undefined;
  /** Whether nobody asked for that. */
  #background = false;
  #gathering: Promise<void> | undefined;

  private constructor({ engine, source }: { engine: Engine; source?: Source }, near = 0, updates?: Updates) {
    this.#engine = engine;
    this.#source = source;
    this.#near = near;
    this.#updates = updates;
    this.#tracks = new Tracks(engine);
    this.#follow();
  }

  /**
   * Fetches the model in force from a registry and checks every byte of it. Rejects with code
   * `unreachable`, `manifest`, `hash`, `model`, `platform` or `argument`; nothing stays allocated.
   */
  static async open(options: OpenOptions): Promise<Segue> {
    check.options(options, ["registry", "publicKey", "store", "follow", "device", "near", "fetch", "wasm", "syncWasm"]);
    const near = check.limit(options.near ?? NEAR, MOST_SHARDS, "near");
    check.hex("publicKey", options.publicKey);
    check.methods("store", options.store, ["read", "blob", "write"]);
    check.typed("device", options.device, "string");
    check.typed("follow", options.follow, "boolean");
    const registry = new Registry(options.registry, options.fetch);
    const updates = new Updates(registry, options);
    const segue = new Segue(await updates.start(), near, updates);
    updates.report = (status) => segue.#emit("sync", status);
    updates.worse = (worse) => segue.#emit("worse", worse);
    void updates.follow((told) => segue.#look(told));
    return segue;
  }

  /** Reads a model file, as `segue train` writes it. Rejects as `open` does. */
  static async fromModel(
    bytes: ArrayBuffer | ArrayBufferView,
    options: ModelOptions = {},
  ): Promise<Segue> {
    check.options(options, ["wasm"]);
    const file = check.bytes("model", bytes);
    await load(options.wasm);
    const parts = collect((parts) => parts.add_file(file));
    return new Segue({ engine: attempt("model", () => new Engine(parts)) });
  }

  /** The version of the model in use; 0 where it did not come from a registry. */
  get version(): number {
    return this.#source?.manifest.version ?? 0;
  }

  /** Number of tracks that the model knows. */
  get tracks(): number {
    return this.#alive().tracks;
  }

  /** How many of them are here, to be found by `top()`: fewer where not every shard is. */
  get here(): number {
    return this.#alive().here;
  }

  /** The taste clusters; none where the model has none. */
  get clusters(): readonly Cluster[] {
    return Array.from({ length: this.#alive().clusters }, (_, cluster) => this.#cluster(cluster));
  }

  /**
   * How the listener's taste lies among the clusters, the largest share first; none where the model has no
   * clusters. It follows each event: O(d³), about 50 µs, once after one.
   */
  taste(): Share[] {
    return this.#shares(UNKNOWN_ROW);
  }

  /** The same of a track, by id or by row; none where the model does not know it. */
  tasteOf(track: string | number): Share[] {
    const row = this.#row(track);
    return row === UNKNOWN_ROW ? [] : this.#shares(row);
  }

  /**
   * What people with the listener's taste finish more than others do, best first, of what the listener does
   * not know and the catalogue has; `cluster` says whose people make most of it. None where the model does
   * not say.
   */
  alsoFinished(options: LimitOptions): AlsoFinished[] {
    const engine = this.#alive();
    const found = engine.also_finished(limitOf(options));
    return placesOf(found, 3, (row, score, cluster) => {
      return { track: this.#tracks.id(row), row, score, ...this.#cluster(cluster) };
    });
  }

  /**
   * The artists nearest to one, the nearest first, of those with tracks here from the start; none where the model
   * does not name the artist. O(n·d).
   */
  artistsNear(artist: string, options: LimitOptions): NearArtist[] {
    const engine = this.#alive();
    const found = engine.artists_near(check.text("artist", artist), limitOf(options));
    return placesOf(found, 2, (row, score) => ({ artist: engine.artist(row), row, score }));
  }

  /**
   * Takes in what the listener did, once where it has an id. Returns whether it counts already: where the track is
   * not here or the model does not know it, the event waits for the shard or the version that has it. O(d²), about
   * 5 µs.
   */
  observe(event: ListenerEvent): boolean {
    const engine = this.#alive();
    check.record("event", event);
    const { id, track } = event;
    const kind = check.kind(event.kind);
    const played = check.milliseconds("played_ms", event.played_ms);
    const duration = check.milliseconds("duration_ms", event.duration_ms);
    const at = check.time("at", event.at);
    const row = this.#row(track);
    if (id !== undefined && this.#again(check.eventId(id))) return isTrack(row);
    if (at !== undefined && engine.was_away(at, played ?? 0)) this.leave();
    const here = this.#take(track, row, { kind, played, duration, past: false });
    const deed = DEEDS[kind];
    if (deed !== undefined) this.#updates?.count(deed);
    this.#follow();
    return here;
  }

  /**
   * The listener has left: what they play from now on starts a new sitting, and does not follow what
   * they played before. What is known of their taste stays. Call it when the player is closed while the
   * page stays, and when all events of an earlier visit were observed. An event whose `at` is more than
   * half an hour after the end of the one before does it by itself.
   */
  leave(): void {
    this.#alive().leave();
    for (const deed of this.#pending) deed.past = true;
  }

  /**
   * When and where they listen from now on: what listeners say to tracks at such an hour, on such a device, in such a
   * mood then counts, as far as the model has learned it. Lasts until the next call, and across updates; without any,
   * nothing is known. O(1), and some µs at the next ranking.
   */
  moment(moment: Moment): void {
    const engine = this.#alive();
    check.options(moment, ["at", "tz_offset_min", "region", "device", "source", "mood"], "moment");
    const { region, device, source, mood } = moment;
    const texts = Object.entries({ region, device, source, mood });
    const text = texts.map(([what, value]) => check.line(what, value ?? "")).join("\n");
    engine.moment(check.time("at", moment.at) ?? NaN, check.offset(moment.tz_offset_min) ?? NaN, text);
  }

  /**
   * Orders `candidates` for the listener, best first, as far as no `Choices` say otherwise. Ids that the model does
   * not know come last, in the order given. The first call after an event solves for the taste, O(d³/6).
   */
  rank(candidates: TrackList, options: RankOptions = {}): Ranking {
    const engine = this.#alive();
    check.idsOrRows("candidates", candidates);
    check.options(options, RANK_OPTIONS);
    const limit = check.limit(options.limit, candidates.length);
    const rows = this.#tracks.rows(candidates);
    const choose = (given: Choices) => engine.rank(rows, limit, ...check.choices(given));
    const order = this.#ranked(() => choose(options));

    const ids = check.areIds(candidates) ? candidates : undefined;
    const places = placesOf(order, 4, (index, score, _, p, moved): RankedTrack => {
      const row = rows[index]!;
      const known = row !== UNKNOWN_ROW;
      const track = ids ? ids[index] : this.#tracks.id(row);
      const estimated = isEstimate(row);
      const skip = Number.isNaN(p) ? null : p;
      return { track, index, row, score: known ? score : null, skip, moved, known, estimated };
    });
    if (!options.explain) return ranking(places, rows);
    const indices = (numbers: Uint32Array) => placesOf(numbers, 4, (index) => index);
    const choices = explainChoices(indices(order), options, (off) => indices(choose({ ...options, ...off })));
    return ranking(explained(engine, places, rows, choices), rows);
  }

  /**
   * The best tracks for the listener out of the whole catalogue, as far as it is here: the one given
   * to `catalogue()`, or without it all tracks of the model. Exact where taste orders
   * them; where the model has learned what foretells a skip, that orders the eight times as many that taste finds. O(n·d).
   */
  top(options: TopOptions): Ranking {
    const engine = this.#alive();
    check.options(options, ["limit", "exclude", "explain"]);
    const limit = check.limit(options.limit, engine.here);
    const exclude = this.#tracks.rows(check.idsOrRows("exclude", options.exclude ?? []));
    const order = this.#ranked(() => engine.top(limit, exclude));
    const places = placesOf(order, 4, (row, score, _, p, moved): RankedTrack => {
      const index = this.#tracks.place(row);
      const track = this.#tracks.id(row);
      const skip = Number.isNaN(p) ? null : p;
      return { track, index, row, score, skip, moved, known: true, estimated: false };
    });
    const reasoned = options.explain ? explained(engine, places, EVERY_ROW) : places;
    return ranking(reasoned, EVERY_ROW);
  }

  /**
   * Names the ids that you can play. A model holds only fingerprints of ids, so this is what lets
   * `top()` answer with ids; it answers with no others from then on. An empty list ends that.
   * Returns how many of them the model knows. Lasts across updates.
   */
  catalogue(tracks: readonly string[]): number {
    this.#alive();
    check.ids("tracks", tracks);
    return this.#list(tracks.slice());
  }

  /**
   * The rows of ids, `UNKNOWN_ROW` for those that the model does not know: to rank one long list
   * often. They hold until the next update; `rank` refuses them after it. Rows that were taken
   * before a shard arrived place its tracks by estimate still.
   */
  rows(tracks: readonly string[]): Uint32Array {
    this.#alive();
    return this.#tracks.issue(check.ids("tracks", tracks));
  }

  /** What the model knows of a track, by id or by row; `undefined` where it knows nothing. */
  describe(track: string | number): Description | undefined {
    const engine = this.#alive();
    const row = this.#row(track);
    if (row === UNKNOWN_ROW) return undefined;
    const cluster = engine.cluster_of(row);
    return {
      row,
      title: engine.title(row),
      artist: engine.artist(row),
      durationMs: engine.duration_ms(row),
      cluster,
      clusterName: cluster === undefined ? undefined : engine.cluster_name(cluster),
    };
  }

  /** The taste cluster of a track, by id or by row, where it has one. */
  clusterOf(track: string | number): number | undefined {
    const engine = this.#alive();
    const row = this.#row(track);
    return row === UNKNOWN_ROW ? undefined : engine.cluster_of(row);
  }

  /** What the session knows, in the order in which tracks were first met. */
  evidence(): Evidence[] {
    const numbers = this.#alive().evidence();
    const amounts = reals(numbers);
    const evidence: Evidence[] = [];
    for (let at = 0; at < numbers.length; at += KINDS.length + 1) {
      const row = numbers[at]!;
      const seen = KINDS.map((kind, k) => [kind, amounts[at + 1 + k]!] as const);
      const some = Object.fromEntries(seen.filter(([, amount]) => amount > 0));
      evidence.push({ track: this.#tracks.id(row), row, amounts: some });
    }
    return evidence;
  }

  /** Forgets the listener. The catalogue stays. */
  reset(): void {
    this.#alive().reset();
    this.#tracks.forgetSeen();
    this.#pending = [];
    this.#ids.clear();
  }

  /**
   * Looks whether the registry has another model for this device. If so it fetches the fewest bytes
   * that lead to it, puts the new model in the place of the old one at once, carries the session
   * over, and resolves to true once it is kept. Where anything fails it rejects, and the model in
   * use stays in use.
   */
  async update(): Promise<boolean> {
    this.#alive();
    // What is done in the background may leave undone what was asked for here.
    while (this.#background) await this.#updating?.catch(() => {});
    this.#alive();
    this.#updating ??= this.#update(false).finally(() => (this.#updating = undefined));
    return this.#updating;
  }

  /**
   * Of a catalogue that is split into shards, fetches those of the `limit` nearest to the listener
   * that are not here, and those of tracks whose events wait. Ranking goes on meanwhile. Rejects
   * where something cannot be fetched or is not what it should be; what was here stays in use.
   */
  async gather(limit: number = NEAR): Promise<void> {
    this.#alive();
    const near = check.limit(limit, MOST_SHARDS);
    while (this.#gathering) await this.#gathering.catch(() => {});
    this.#gathering = this.#gather(near).finally(() => (this.#gathering = undefined));
    return this.#gathering;
  }

  /**
   * Calls `listener` with the new version after each `"update"`, with the number of tracks that are here after each
   * `"arrival"` of more of them, with a `SyncStatus` at each step of an update (`"sync"`), or with what was counted where the model in use is
   * worse for this listener than the one before (`"worse"`): it is told to you and to nobody else. Returns what ends that.
   */
  on<E extends keyof Events>(event: E, listener: (value: Events[E]) => void): () => void {
    this.#alive();
    if (!EVENTS.includes(event) || typeof listener !== "function") {
      const message = `on() takes ${EVENTS.map((name) => `"${name}"`).join(", ")} and a function, not "${event}"`;
      throw new SegueError("argument", message);
    }
    // A pair of its own for each call, so that each ends only itself.
    const own = [event, listener] as const;
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Gives the memory back. Every other method throws from then on. */
  free(): void {
    this.#updates?.free();
    this.#engine?.free();
    this.#engine = undefined;
    this.#listeners.clear();
    this.#pending = [];
  }

  /** Takes up another release in the background; rejects where one that was `told` of is not there yet. */
  async #look(told: number): Promise<void> {
    while (this.#updating) await this.#updating.catch(() => {});
    if (this.#engine === undefined) return;
    this.#background = true;
    this.#updating = this.#update(true).finally(() => {
      this.#updating = undefined;
      this.#background = false;
    });
    await this.#updating;
    if (this.#updates!.seen < told) throw new Error(`release ${told} is not there yet`);
  }

  async #update(background: boolean): Promise<boolean> {
    const updates = this.#updates;
    if (updates === undefined) {
      throw new SegueError("argument", "this model is from a file: open a registry for updates");
    }
    try {
      const device = await updates.device({ engine: this.#alive(), source: this.#source! });
      return await device.alone(async () => {
        this.#alive();
        const found = await device.next(background);
        if (!found) return false;
        try {
          await this.#carry(found);
          this.#alive();
        } catch (cause) {
          found.engine.free();
          throw cause;
        }
        this.#swap(found);
        await device.applied({ engine: this.#alive(), source: found.source });
        return true;
      });
    } catch (cause) {
      // Whatever it was, if there is nothing left that it could matter to.
      this.#alive();
      throw cause;
    }
  }

  /** Of a split catalogue, brings where the listener's tracks are, so that what is known of them is carried over. */
  async #carry({ engine, source }: Held): Promise<void> {
    if (!source.split || this.#tracks.seen().length === 0) return;
    const held = { engine: this.#alive(), source: this.#source! };
    const bring = async (sections: Section[]): Promise<void> => {
      const parts = await source.fetch(sections, { held });
      attempt("model", () => engine.add(parts));
      source.arrived(sections);
    };
    await bring(source.lacking([]));
    const rows = this.#tracks.seen().map((track) => engine.row_of(track));
    await bring(source.lacking(rows.filter(isEstimate).map((row) => engine.shard_of(row))));
  }

  #swap({ engine, source }: Held): void {
    this.#alive().replace(engine);
    this.#source = source;
    this.#tracks.outdate();
    this.#renew();
    this.#emit("update", source.manifest.version);
    this.#follow();
  }

  async #gather(near: number): Promise<void> {
    for (;;) {
      const source = this.#source;
      const engine = this.#engine;
      if (!source?.split || engine === undefined) return;
      const waiting = this.#pending.map(({ track }) => this.#tracks.row(track)).filter(isEstimate);
      const shards = [...waiting.map((row) => engine.shard_of(row)), ...engine.nearest(near)];
      // The head whole, then the shards one after another, the nearest first.
      const head = source.lacking([]);
      const sections = head.length > 0 ? head : source.lacking(shards.slice(0, 1));
      if (sections.length === 0) return;
      const parts = await source.fetch(sections);
      if (this.#engine === undefined || this.#source !== source) {
        parts.free();
        continue;
      }
      attempt("model", () => engine.add(parts));
      source.arrived(sections);
      this.#renew();
      this.#emit("arrival", engine.here);
      this.#updates?.keep().catch(() => {});
    }
  }

  /** What a ranking gives; a module that fails is counted against its model. */
  #ranked(action: () => Uint32Array): Uint32Array {
    try {
      return action();
    } catch (cause) {
      if (cause instanceof WebAssembly.RuntimeError) this.#updates?.count(2);
      return attempt("argument", () => {
        throw cause;
      });
    }
  }

  /** Fetches what is near by and by. What cannot be had now is tried again at the next event. */
  #follow(): void {
    if (this.#near > 0 && this.#source?.split && this.#gathering === undefined) {
      this.gather(this.#near).catch(() => {});
    }
  }

  /** Brings what hangs on the model's rows to those of the model in use now. */
  #renew(): void {
    this.#tracks.renew();
    this.#list(this.#tracks.catalogue);
    const pending = this.#pending;
    this.#pending = [];
    for (const { track, ...deed } of pending) this.#take(track, this.#row(track), deed);
  }

  /** Takes a deed in, or keeps it until its track is here. Returns whether it is. */
  #take(track: string | number, row: number, deed: Deed): boolean {
    const here = isTrack(row);
    if (here) {
      this.#alive().observe(deed.kind, row, deed.played, deed.duration, deed.past);
      if (typeof track === "string") this.#tracks.see(row, track);
    } else if (typeof track === "string") {
      this.#pending.push({ track, ...deed });
      if (this.#pending.length > MOST_PENDING) this.#pending.shift();
    }
    return here;
  }

  /** Whether an event of this id was taken in; from now on it was. */
  #again(id: string): boolean {
    const again = this.#ids.has(id);
    this.#ids.add(id);
    const [oldest] = this.#ids;
    if (this.#ids.size > MOST_IDS) this.#ids.delete(oldest!);
    return again;
  }

  #list(catalogue: readonly string[]): number {
    const engine = this.#alive();
    const rows = this.#tracks.list(catalogue);
    if (catalogue.length > 0) engine.list(rows);
    else engine.list_all();
    return rows.length - tally(rows).unknown;
  }

  #cluster(cluster: number): Cluster {
    return { cluster, name: this.#alive().cluster_name(cluster) };
  }

  #shares(row: number): Share[] {
    const shares = Array.from(reals(this.#alive().membership(row)), (share, cluster) => {
      return { ...this.#cluster(cluster), share };
    });
    return shares.sort((a, b) => b.share - a.share);
  }

  #emit<E extends keyof Events>(event: E, value: Events[E]): void {
    for (const [own, listener] of [...this.#listeners]) {
      try {
        if (own === event) listener(value as never);
      } catch (error) {
        // As with an event of the DOM: it is reported, and does not reach who caused the event.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  #row(track: string | number): number {
    const engine = this.#alive();
    if (typeof track === "number") return check.row(track, (row) => engine.has(row), UNKNOWN_ROW);
    return this.#tracks.row(check.text("track", track));
  }

  #alive(): Engine {
    if (this.#engine === undefined) {
      throw new SegueError("freed", "this Segue was freed: open another one");
    }
    return this.#engine;
  }
}

/** How many of `rows` no track of the model has, and how many are placed by estimate. */
function tally(rows: Uint32Array): { unknown: number; estimated: number } {
  let unknown = 0;
  let estimated = 0;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]!;
    if (row === UNKNOWN_ROW) unknown++;
    else if (isEstimate(row)) estimated++;
  }
  return { unknown, estimated };
}

function limitOf(options: LimitOptions): number {
  check.options(options, ["limit"]);
  return check.limit(options.limit, UNKNOWN_ROW);
}

/** No rows stand for all of them where the module explains places. */
const EVERY_ROW = new Uint32Array();

/** `places` with their reasons, beside the rows that they were ranked `among`, and those of `choices`. */
function explained(
  engine: Engine,
  places: readonly RankedTrack[],
  among: Uint32Array,
  choices: readonly Reason[][] = [],
): RankedTrack[] {
  const reasons = explain(engine, Uint32Array.from(places, ({ row }) => row), among);
  return places.map((place, at) => ({ ...place, reasons: reasons[at]!.concat(choices[at] ?? []) }));
}

/** `places` out of all `rows` that were ranked. */
function ranking(places: RankedTrack[], rows: Uint32Array): Ranking {
  return Object.assign(places, tally(rows));
}
