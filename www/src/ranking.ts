import type { Reason, Segue } from "segue";

import { headline } from "./reasons.js";

/** A track's place in the queue. */
export interface Place {
  readonly row: number;
  /** Strongest first. */
  readonly reasons: readonly Reason[];
  /** The one that says most about why it stands here. */
  readonly headline: Reason | undefined;
  /** Places that it rose by since the last ranking, below 0 where it fell; null where it is new. */
  readonly moved: number | null;
}

/** A queue in its new order, and how long the ranking took. */
export interface Ranking {
  readonly places: Place[];
  readonly took: Took;
}

/** A time as the browser's clock shows it: browsers make it coarse, against eavesdropping. */
export interface Took {
  /** Microseconds. */
  readonly micros: number;
  /** The smallest step of the clock, in microseconds. */
  readonly step: number;
}

/** Ranks `rows`; those in `before`, the queue as it was shown, are told how far they moved. */
export function rerank(segue: Segue, rows: readonly number[], before: readonly number[]): Ranking {
  const candidates = Uint32Array.from(rows);
  const options = { limit: rows.length, explain: true } as const;
  const from = performance.now();
  const ranked = segue.rank(candidates, options);
  const micros = (performance.now() - from) * 1000;

  const old = new Map(before.map((row, index) => [row, index]));
  const mean = ranked.reduce((sum, { score }) => sum + (score ?? 0), 0) / ranked.length;
  const places = ranked.map(({ row, score, reasons = [] }, now) => {
    const was = old.get(row);
    const moved = was === undefined ? null : was - now;
    return { row, reasons, headline: headline(reasons, (score ?? 0) - mean), moved };
  });
  return { places, took: { micros, step: clockStep() } };
}

/** The time as a person reads it, never finer than the clock. */
export function readable({ micros, step }: Took): string {
  if (micros < step / 2) return `under ${Math.round(step).toLocaleString("en")} µs`;
  return `${(Math.round(micros / step) * step).toLocaleString("en", { maximumFractionDigits: 0 })} µs`;
}

let knownStep = 0;

/** Watches the clock tick a few times, once. */
function clockStep(): number {
  if (knownStep > 0) return knownStep;
  let smallest = Infinity;
  let last = performance.now();
  const end = last + 4;
  for (let ticks = 0; ticks < 8 && last < end;) {
    const now = performance.now();
    if (now === last) continue;
    smallest = Math.min(smallest, now - last);
    last = now;
    ticks += 1;
  }
  knownStep = Math.max(1, smallest * 1000);
  return knownStep;
}
