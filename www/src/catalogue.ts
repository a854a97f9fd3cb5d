import type { Segue } from "segue";

import { random } from "./random.js";

/** A track as the page shows and plays it. */
export interface Track {
  /** Its row in the model in force. */
  readonly row: number;
  readonly title: string;
  readonly artist: string;
  readonly cluster: number;
  /** The cluster's name; empty where it has none. */
  readonly style: string;
  /** Above 0. */
  readonly durationMs: number;
}

/** Tracks of a queue: as many clusters, at most, as a listener can tell apart. */
const QUEUE_CLUSTERS = 8;
/** How far down the catalogue the queue is looked for. */
const POOL = 400;

/** The model's tracks, by row. */
export class Catalogue {
  readonly #segue: Segue;
  readonly #tracks = new Map<number, Track>();

  constructor(segue: Segue) {
    this.#segue = segue;
  }

  /** What is known of `row`, with something to show and to play where the model has nothing. */
  track(row: number): Track {
    let track = this.#tracks.get(row);
    if (track === undefined) {
      track = this.#describe(row);
      this.#tracks.set(row, track);
    }
    return track;
  }

  /** To be called when rows have come to mean other tracks. */
  forget(): void {
    this.#tracks.clear();
  }

  /**
   * `size` rows for a queue, none of them in `except`: the best of the catalogue for this listener,
   * taken from a few clusters in turn, so that there is something to turn away from.
   */
  variety(size: number, except: readonly number[]): number[] {
    const best = this.#segue.top({ limit: POOL, exclude: Uint32Array.from(except) });
    const clusters = new Map<number, number[]>();
    for (const { row } of best) {
      const cluster = this.#segue.clusterOf(row) ?? 0;
      clusters.set(cluster, [...(clusters.get(cluster) ?? []), row]);
    }
    const share = size / QUEUE_CLUSTERS;
    const groups = [...clusters.values()];
    const ample = groups.filter((rows) => rows.length >= share).slice(0, QUEUE_CLUSTERS);
    const others = groups.filter((rows) => !ample.includes(rows));
    return [...inTurn(ample), ...inTurn(others)].slice(0, size);
  }

  #describe(row: number): Track {
    const known = this.#segue.describe(row);
    const durationMs = known?.durationMs ?? 0;
    return {
      row,
      cluster: known?.cluster ?? 0,
      style: known?.clusterName ?? "",
      title: named("Track", known?.title, `Track ${row}`),
      artist: named("Artist", known?.artist, "Unknown artist"),
      durationMs: durationMs > 0 ? durationMs : inventedLength(row),
    };
  }
}

/** A name to show: some logs know tracks and artists by number only, some not at all. */
function named(noun: string, name: string | undefined, otherwise: string): string {
  if (name === undefined || name === "") return otherwise;
  return /^\d{5,}$/.test(name) ? `${noun} ${name}` : name;
}

/** The music is made here, so that a track whose length nobody knows can have any. */
function inventedLength(row: number): number {
  return 1000 * Math.round(150 + 90 * random(row)());
}

/** The first of each list, then the second of each, and so on. */
function inTurn(lists: readonly number[][]): number[] {
  const longest = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, i) =>
    lists.flatMap((list) => list.slice(i, i + 1)),
  ).flat();
}
