// Your ids to the model's rows, and back.

import type { Engine } from "../wasm/segue_wasm.js";
import * as check from "./check.js";
import { SegueError } from "./error.js";
import { UNKNOWN_ROW, type TrackList } from "./types.js";

/** The number of the shard in which a row stands for all absent tracks of its cell. */
const ABSENT = 0xff;

/** Whether a row stands for tracks that are not here. */
export function isEstimate(row: number): boolean {
  return row >>> 24 === ABSENT && row !== UNKNOWN_ROW;
}

/** Whether a row is one of a track that is here. */
export function isTrack(row: number): boolean {
  return row >>> 24 !== ABSENT;
}

/** Ids whose rows are remembered; a lookup in the map is ten times faster than one in the model. */
const MOST_REMEMBERED = 1 << 16;

/** Ids that go to the module at once. */
const BATCH = 4096;

/** No model holds an id of more bytes (`MAX_ID_BYTES` of the core), let alone of more characters. */
const LONGEST = 512;

/** A list of ids, and their rows. */
interface List {
  readonly tracks: readonly string[];
  readonly rows: Uint32Array;
}

/** Whether two lists hold the same ids, most likely the very same strings. */
function same(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

export class Tracks {
  readonly #engine: Engine;
  readonly #rows = new Map<string, number>();
  /** What was found for lists as they were then: a player ranks the same queue again and again. */
  #lists = new WeakMap<readonly string[], List>();
  #catalogue: readonly string[] = [];
  /** Row → index in the catalogue. */
  readonly #places = new Map<number, number>();
  /** Row → id, of the tracks that events named. */
  readonly #seen = new Map<number, string>();
  /** The arrays of rows that were handed out since the model last changed, and before. */
  #current = new WeakSet<Uint32Array>();
  readonly #issued = new WeakSet<Uint32Array>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The row of one id. */
  row(track: string): number {
    return this.#rows.get(track) ?? this.#resolve([track])[0] ?? UNKNOWN_ROW;
  }

  /** The rows of ids; rows pass as they are. */
  rows(tracks: TrackList): Uint32Array {
    if (tracks instanceof Uint32Array) return this.#fresh(tracks);
    return check.areIds(tracks) ? this.#find(tracks) : this.#checked(tracks);
  }

  /** As `rows`, for a caller who will keep them: they are refused once they are out of date. */
  issue(tracks: readonly string[]): Uint32Array {
    // The caller may write to theirs.
    const rows = this.#find(tracks).slice();
    this.#current.add(rows);
    this.#issued.add(rows);
    return rows;
  }

  /** The id of a row, where it is known. */
  id(row: number): string | undefined {
    const place = this.#places.get(row);
    return place === undefined ? this.#seen.get(row) : this.#catalogue[place];
  }

  /** The index of a row in the catalogue, or −1. */
  place(row: number): number {
    return this.#places.get(row) ?? -1;
  }

  /** Remembers the id of a row. */
  see(row: number, track: string): void {
    this.#seen.set(row, track);
  }

  forgetSeen(): void {
    this.#seen.clear();
  }

  /** Sets the catalogue, and returns its rows. */
  list(catalogue: readonly string[]): Uint32Array {
    const rows = this.#find(catalogue);
    this.#catalogue = catalogue;
    this.#places.clear();
    rows.forEach((row, index) => {
      if (isTrack(row) && !this.#places.has(row)) this.#places.set(row, index);
    });
    return rows;
  }

  get catalogue(): readonly string[] {
    return this.#catalogue;
  }

  /** The ids of tracks that events named. */
  seen(): string[] {
    return [...this.#seen.values()];
  }

  /** Looks everything up again, in the model that is in use now. */
  renew(): void {
    this.#rows.clear();
    this.#lists = new WeakMap();
    const seen = this.seen();
    this.#seen.clear();
    const rows = this.#find(seen);
    seen.forEach((track, index) => {
      if (isTrack(rows[index]!)) this.#seen.set(rows[index]!, track);
    });
  }

  /** Refuses from now on the rows that were handed out before: they are of another model. */
  outdate(): void {
    this.#current = new WeakSet();
  }

  #fresh(rows: Uint32Array): Uint32Array {
    if (this.#issued.has(rows) && !this.#current.has(rows)) {
      const message = "these rows belong to an earlier version of the model: call rows() again";
      throw new SegueError("argument", message);
    }
    return rows;
  }

  #checked(rows: readonly number[]): Uint32Array {
    const has = (row: number) => this.#engine.has(row);
    return Uint32Array.from(rows, (row) => check.row(row, has, UNKNOWN_ROW));
  }

  #find(tracks: readonly string[]): Uint32Array {
    const known = this.#lists.get(tracks);
    if (known !== undefined && same(known.tracks, tracks)) return known.rows;
    const rows = new Uint32Array(tracks.length);
    const missing: number[] = [];
    for (let index = 0; index < tracks.length; index++) {
      const row = this.#rows.get(tracks[index]!);
      if (row === undefined) missing.push(index);
      else rows[index] = row;
    }
    this.#look(tracks, rows, missing);
    if (tracks.length <= BATCH) this.#lists.set(tracks, { tracks: tracks.slice(), rows });
    return rows;
  }

  /** Fills in the rows that are not remembered. */
  #look(tracks: readonly string[], rows: Uint32Array, missing: readonly number[]): void {
    for (let from = 0; from < missing.length; from += BATCH) {
      const batch = missing.slice(from, from + BATCH);
      const found = this.#resolve(batch.map((index) => tracks[index]!));
      batch.forEach((index, at) => (rows[index] = found[at]!));
    }
  }

  #resolve(tracks: readonly string[]): ArrayLike<number> {
    for (const track of tracks) check.text("track", track);
    // An id that is too long to be known must not cost the module its memory.
    const ids = tracks.map((track) => (track.length > LONGEST ? "" : track));
    let rows: ArrayLike<number> = this.#engine.rows_of(ids.join("\0"));
    // An id that itself holds the separator makes one row too many.
    if (rows.length !== ids.length) rows = ids.map((id) => this.#engine.row_of(id));
    if (this.#rows.size + ids.length > MOST_REMEMBERED) this.#rows.clear();
    tracks.forEach((track, index) => this.#rows.set(track, rows[index]!));
    return rows;
  }
}
