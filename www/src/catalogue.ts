import type { Segue } from "segue";

import { random } from "./random.js";

/** A track as the page shows and plays it. */
export interface Track {
  /** Its row in the model in force. */
  readonly row: number;
  /** Never empty: where the model has none, the row stands in for it. */
  readonly title: string;
  /** Whether the model has a title. */
  readonly titled: boolean;
  /** Empty where unknown. */
  readonly artist: string;
  readonly cluster: number;
  /** Empty where the cluster has no name. */
  readonly clusterName: string;
  /** 0 where unknown. */
  readonly durationMs: number;
  /** How long its music plays here, above 0: as long as the track, or any time where unknown. */
  readonly playsMs: number;
}

/** A track in one line. */
export function nameOf({ title, artist }: Track): string {
  return artist === "" ? title : `${title} – ${artist}`;
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

  /** What is known of `row`, with a name to show and a time to play where the model has none. */
  track(row: number): Track {
    let track = this.#tracks.get(row);
    if (track === undefined) {
      track = this.#describe(row);
      this.#tracks.set(row, track);
    }
    return track;
  }

  /** Whether the row of `track`, which was looked up before, still means the same track. */
  isStill(track: Track): boolean {
    if (this.#tracks.get(track.row) === track) return true;
    // Two tracks without a title cannot be told apart.
    if (!track.titled) return false;
    try {
      const now = this.track(track.row);
      return now.title === track.title && now.artist === track.artist;
    } catch {
      // There is no such row any more.
      return false;
    }
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
    const title = known?.title ?? "";
    const durationMs = known?.durationMs ?? 0;
    return {
      row,
      title: title === "" ? `Track ${numberOf(row)}` : title,
      titled: title !== "",
      artist: known?.artist ?? "",
      cluster: known?.cluster ?? 0,
      clusterName: known?.clusterName ?? "",
      durationMs,
      playsMs: durationMs > 0 ? durationMs : anyLength(row),
    };
  }
}

/** A row as a person reads it: its place, after the number of its shard where that is not the first. */
function numberOf(row: number): string {
  const [shard, place] = [row >>> 24, row & 0xff_ffff];
  return shard === 0 ? `${place}` : `${shard}–${place}`;
}

/** The music is made here, so that of a track whose length nobody knows it can have any. */
function anyLength(row: number): number {
  return 1000 * Math.round(150 + 90 * random(row)());
}

/** The first of each list, then the second of each, and so on. */
function inTurn(lists: readonly number[][]): number[] {
  const longest = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, i) =>
    lists.flatMap((list) => list.slice(i, i + 1)),
  ).flat();
}
