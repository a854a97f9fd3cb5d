// Reasons, out of the arrays in which they cross.

import type { Engine } from "../wasm/segue_wasm.js";
import { reals } from "./numbers.js";
import { GROUNDS, type Choices, type Reason } from "./types.js";

/** The reasons for each of `rows`, beside those that they were ranked `among`. */
export function explain(engine: Engine, rows: Uint32Array, among: Uint32Array): Reason[][] {
  const numbers = engine.explain(rows, among);
  const texts = engine.reasons().split("\n");

  const floats = reals(numbers);
  let at = 0;
  let text = 0;
  const next = () => numbers[at++] ?? 0;
  return Array.from(rows, () =>
    Array.from({ length: next() }, () => {
      const ground = GROUNDS[next()]!;
      const effect = floats[at++] ?? 0;
      const count = next();
      const tracks = numbers.slice(at, at + count);
      at += count;
      return { ground, text: texts[text++] ?? "", effect, tracks };
    }),
  );
}

/** Every choice, why it is made, and what leaves it out. */
const CHOICES = [
  ["diversity", "for variety", { diversity: 0 }],
  ["spacing", "to keep artists and albums apart", { artistGap: 0, albumGap: 0 }],
  ["fatigue", "to rest what was just heard", { fatigue: 0 }],
  ["exploration", "to explore", { explore: 0 }],
] as const;

/**
 * The reasons that lie in how each place of `queue`, indices of candidates, was chosen: for each choice how much further
 * down the place is in the queue of `without` it, and where it is not there, as though it came next.
 */
export function explainChoices(
  queue: readonly number[],
  options: Choices,
  without: (off: Choices) => readonly number[],
): Reason[][] {
  const reasons: Reason[][] = queue.map(() => []);
  for (const [ground, why, off] of CHOICES) {
    const isSet = Object.keys(off).some((option) => options[option as keyof Choices]);
    // Artists are kept apart unless it is said otherwise.
    if (!isSet && ground !== "spacing") continue;
    const places = new Map(without(off).map((index, place) => [index, place]));
    queue.forEach((index, place) => {
      const effect = (places.get(index) ?? queue.length) - place;
      const text = `${effect > 0 ? "up" : "down"} ${why}`;
      if (effect !== 0) reasons[place]!.push({ ground, text, effect, tracks: new Uint32Array() });
    });
  }
  return reasons;
}
