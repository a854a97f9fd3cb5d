// Reasons, out of the arrays in which they cross.

import type { Engine } from "../wasm/segue_wasm.js";
import type { Reason } from "./types.js";

/** In the order of `Ground` in the core. */
const GROUNDS = [
  "popular",
  "finished",
  "liked",
  "skipped",
  "heard",
  "opened",
  "disliked",
] as const;

/** The reasons for each of `rows`. */
export function explain(engine: Engine, rows: Uint32Array): Reason[][] {
  const crossed = engine.explain(rows);
  const numbers = crossed.numbers;
  const texts = crossed.text.split("\n");
  crossed.free();

  const floats = new Float32Array(numbers.buffer, numbers.byteOffset, numbers.length);
  let at = 0;
  let text = 0;
  const next = () => numbers[at++] ?? 0;
  return Array.from(rows, () =>
    Array.from({ length: next() }, () => {
      const ground = GROUNDS[next()] ?? "popular";
      const effect = floats[at++] ?? 0;
      const count = next();
      const tracks = numbers.slice(at, at + count);
      at += count;
      return { ground, text: texts[text++] ?? "", effect, tracks };
    }),
  );
}
