import { Engine, Parts, check_kind, kinds } from "../wasm/segue_wasm.js";
import * as check from "./check.js";
import { SegueError, attempt } from "./error.js";
import { load } from "./module.js";
import { explain } from "./reasons.js";
import { Registry, type Manifest } from "./registry.js";
import { Tracks } from "./tracks.js";
import {
  UNKNOWN_ROW,
  type Cluster,
  type Description,
  type Evidence,
  type Kind,
  type ListenerEvent,
  type ModelOptions,
  type OpenOptions,
  type RankedTrack,
  type Ranking,
  type RankOptions,
  type TopOptions,
  type TrackList,
} from "./types.js";

/** Events on tracks that the model does not know, which are kept for a model that does. */
const MOST_PENDING = 1000;

interface Pending {
  readonly kind: Kind;
  readonly track: string;
  readonly played: number | undefined;
  readonly duration: number | undefined;
}

/** Where the model came from, and what of it is in use. */
interface Source {
  readonly registry: Registry;
  readonly manifest: Manifest;
}

/**
 * A model and one listener, on this device.
 *
 * All methods but `open`, `fromModel` and `update` are synchronous. What is wrong is thrown as a
 * `SegueError`, and leaves everything as it was.
 */
export class Segue {
  #engine: Engine | undefined;
  #source: Source | undefined;
  readonly #tracks: Tracks;
  readonly #listeners = new Set<(version: number) => void>();
  #pending: Pending[] = [];
  #updating: Promise<boolean> | undefined;

  private constructor(engine: Engine, source: Source | undefined) {
    this.#engine = engine;
    this.#source = source;
    this.#tracks = new Tracks(engine);
  }

  /**
   * Fetches the model in force from a registry and checks every byte of it. Rejects with code
   * `unreachable`, `manifest`, `hash`, `model`, `platform` or `argument`; nothing stays allocated.
   */
  static async open(options: OpenOptions): Promise<Segue> {
    check.record("options", options);
    const registry = new Registry(options.registry, options.fetch);
    await load(options.wasm);
    const manifest = await registry.manifest();
    const sections = await registry.sections(manifest.sections);
    const parts = collect((parts) =>
      manifest.sections.forEach(({ kind }, index) => parts.add(kind, sections[index]!)),
    );
    return new Segue(engineOf(parts), { registry, manifest });
  }

  /** Reads a model file, as `segue train` writes it. Rejects as `open` does. */
  static async fromModel(
    bytes: ArrayBuffer | ArrayBufferView,
    options: ModelOptions = {},
  ): Promise<Segue> {
    check.record("options", options);
    const file = check.bytes("model", bytes);
    await load(options.wasm);
    return new Segue(engineOf(collect((parts) => parts.add_file(file))), undefined);
  }

  /** The version of the model in use; 0 where it did not come from a registry. */
  get version(): number {
    return this.#source?.manifest.version ?? 0;
  }

  /** Number of tracks that the model knows. */
  get tracks(): number {
    return this.#alive().tracks;
  }

  /** The taste clusters; none where the model has none. */
  get clusters(): readonly Cluster[] {
    const engine = this.#alive();
    const describe = (_: unknown, cluster: number) => ({
      cluster,
      name: engine.cluster_name(cluster),
    });
    return Array.from({ length: engine.clusters }, describe);
  }

  /**
   * Takes in what the listener did. Returns whether the model knows the track: where it does not,
   * the event waits for a version that does, and counts then. O(d²), about 5 µs.
   */
  observe(event: ListenerEvent): boolean {
    const engine = this.#alive();
    check.record("event", event);
    const { track } = event;
    const kind = check.text("kind", event.kind) as Kind;
    const played = check.milliseconds("played_ms", event.played_ms);
    const duration = check.milliseconds("duration_ms", event.duration_ms);
    check.milliseconds("at", event.at);
    attempt("argument", () => check_kind(kind));

    const row = this.#row(track);
    const known = row !== UNKNOWN_ROW;
    if (known) {
      engine.observe(kind, row, played, duration);
      if (typeof track === "string") this.#tracks.see(row, track);
    } else if (typeof track === "string") {
      this.#pending.push({ kind, track, played, duration });
      if (this.#pending.length > MOST_PENDING) this.#pending.shift();
    }
    return known;
  }

  /**
   * Orders `candidates` for the listener, best first. Ids that the model does not know come last,
   * in the order given. The first call after an event solves for the taste, O(d³/6).
   */
  rank(candidates: TrackList, options: RankOptions = {}): Ranking {
    const engine = this.#alive();
    check.idsOrRows("candidates", candidates);
    check.record("options", options);
    const limit = check.limit(options.limit, candidates.length);
    const rows = this.#tracks.rows(candidates);
    const order = attempt("argument", () => engine.rank(rows, limit));

    const ids = check.areIds(candidates) ? candidates : undefined;
    const places = placesOf(order, (index, score): RankedTrack => {
      const row = rows[index]!;
      const known = row !== UNKNOWN_ROW;
      const track = ids ? ids[index] : this.#tracks.id(row);
      return { track, index, row, score: known ? score : null, known };
    });
    return ranking(options.explain ? explained(engine, places, rows) : places, unknownIn(rows));
  }

  /**
   * The best tracks for the listener out of the whole catalogue: the one given to `catalogue()`,
   * or without it all tracks of the model. Exact. O(n·d).
   */
  top(options: TopOptions): Ranking {
    const engine = this.#alive();
    check.record("options", options);
    const limit = check.limit(options.limit, engine.tracks);
    const exclude = this.#tracks.rows(check.idsOrRows("exclude", options.exclude ?? []));
    const order = attempt("argument", () => engine.top(limit, exclude));
    const places = placesOf(order, (row, score): RankedTrack => {
      const index = this.#tracks.place(row);
      return { track: this.#tracks.id(row), index, row, score, known: true };
    });
    return ranking(options.explain ? explained(engine, places, EVERY_ROW) : places, 0);
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
   * often. They hold until the next update; `rank` refuses them after it.
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
    const engine = this.#alive();
    const names = kinds().split(" ") as Kind[];
    const amounts = engine.evidence_amounts();
    return Array.from(engine.evidence_rows(), (row, at) => {
      const seen = names.map((kind, k) => [kind, amounts[at * names.length + k]!] as const);
      const some = Object.fromEntries(seen.filter(([, amount]) => amount > 0));
      return { track: this.#tracks.id(row), row, amounts: some };
    });
  }

  /** Forgets the listener. The catalogue stays. */
  reset(): void {
    this.#alive().reset();
    this.#tracks.forgetSeen();
    this.#pending = [];
  }

  /**
   * Looks whether the registry has a later version. If so it fetches what has changed, puts the
   * new model in the place of the old one at once, carries the session over, and resolves to
   * true. Where anything fails it rejects, and the model in use stays in use.
   */
  async update(): Promise<boolean> {
    this.#alive();
    this.#updating ??= this.#update().finally(() => (this.#updating = undefined));
    return this.#updating;
  }

  /** Calls `listener` with the new version after each update. Returns what ends that. */
  on(event: "update", listener: (version: number) => void): () => void {
    this.#alive();
    if (event !== "update" || typeof listener !== "function") {
      throw new SegueError("argument", `on() takes "update" and a function, not "${event}"`);
    }
    // A function of its own for each call, so that each ends only itself.
    const own = (version: number) => listener(version);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Gives the memory back. Every other method throws from then on. */
  free(): void {
    this.#engine?.free();
    this.#engine = undefined;
    this.#listeners.clear();
    this.#pending = [];
  }

  async #update(): Promise<boolean> {
    if (this.#source === undefined) {
      throw new SegueError("argument", "this model is from a file: open a registry for updates");
    }
    const { registry, manifest: old } = this.#source;
    const manifest = await registry.manifest();
    this.#alive();
    if (manifest.version <= old.version) return false;

    const held = new Map(old.sections.map(({ kind, hash }) => [kind, hash]));
    const changed = manifest.sections.filter(({ kind, hash }) => held.get(kind) !== hash);
    const fetched = await registry.sections(changed);
    const engine = this.#alive();
    const parts = collect((parts) => {
      changed.forEach(({ kind }, index) => parts.add(kind, fetched[index]!));
      const kept = manifest.sections.filter((section) => !changed.includes(section));
      for (const { kind } of kept) parts.keep(kind, engine);
    });
    attempt("model", () => engine.replace(parts));
    this.#source = { registry, manifest };
    this.#renew();
    this.#emit(manifest.version);
    return true;
  }

  /** Brings what hangs on the model's rows to those of the model in use now. */
  #renew(): void {
    this.#tracks.renew();
    this.#list(this.#tracks.catalogue);
    const pending = this.#pending;
    this.#pending = [];
    for (const { kind, track, played, duration } of pending) {
      this.observe({ kind, track, played_ms: played, duration_ms: duration });
    }
  }

  #list(catalogue: readonly string[]): number {
    const engine = this.#alive();
    const rows = this.#tracks.list(catalogue);
    if (catalogue.length > 0) engine.list(rows);
    else engine.list_all();
    return rows.length - unknownIn(rows);
  }

  #emit(version: number): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(version);
      } catch (error) {
        // As with an event of the DOM: it is reported, and does not reach who caused the event.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  #row(track: string | number): number {
    if (typeof track === "number") return check.row(track, this.tracks, UNKNOWN_ROW);
    return this.#tracks.row(check.text("track", track));
  }

  #alive(): Engine {
    if (this.#engine === undefined) {
      throw new SegueError("freed", "this Segue was freed: open another one");
    }
    return this.#engine;
  }
}

function engineOf(parts: Parts): Engine {
  return attempt("model", () => new Engine(parts));
}

/** Fills new parts; where that fails, nothing of them stays allocated. */
function collect(fill: (parts: Parts) => void): Parts {
  const parts = new Parts();
  try {
    attempt("model", () => fill(parts));
    return parts;
  } catch (error) {
    parts.free();
    throw error;
  }
}

function unknownIn(rows: Uint32Array): number {
  let unknown = 0;
  for (const row of rows) if (row === UNKNOWN_ROW) unknown++;
  return unknown;
}

/** Calls `place` with each pair of a number and the score whose bits follow it. */
function placesOf<T>(pairs: Uint32Array, place: (number: number, score: number) => T): T[] {
  const scores = new Float32Array(pairs.buffer, pairs.byteOffset, pairs.length);
  const places: T[] = [];
  for (let at = 0; at < pairs.length; at += 2) places.push(place(pairs[at]!, scores[at + 1]!));
  return places;
}

/** No rows stand for all of them where the module explains places. */
const EVERY_ROW = new Uint32Array();

/** `places` with their reasons, beside the rows that they were ranked `among`. */
function explained(
  engine: Engine,
  places: readonly RankedTrack[],
  among: Uint32Array,
): RankedTrack[] {
  const reasons = explain(engine, Uint32Array.from(places, ({ row }) => row), among);
  return places.map((place, index) => ({ ...place, reasons: reasons[index]! }));
}

function ranking(places: RankedTrack[], unknown: number): Ranking {
  return Object.assign(places, { unknown });
}
