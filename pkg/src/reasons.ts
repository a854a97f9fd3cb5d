// Reasons, out of the arrays in which they cross.

import type { Engine } from "../wasm/segue_wasm.js";
import { GROUNDS, type Reason } from "./types.js";

/** The reasons for each of `rows`, beside those that they were ranked `among`. */
export function explain(engine: Engine, rows: Uint32Array, among: Uint32Array): Reason[][] {
  const numbers = engine.explain(rows, among);
  const texts = engine.reasons().split("\n");

  const floats = new Float32Array(numbers.buffer, numbers.byteOffset, numbers.length);
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
