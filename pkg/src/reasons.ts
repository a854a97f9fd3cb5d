// Reasons, out of the arrays in which they cross.

import { grounds, type Engine } from "../wasm/segue_wasm.js";
import type { Reason } from "./types.js";

let names: readonly Reason["ground"][] | undefined;

/** The reasons for each of `rows`, beside those that they were ranked `among`. */
export function explain(engine: Engine, rows: Uint32Array, among: Uint32Array): Reason[][] {
  names ??= grounds().split(" ") as Reason["ground"][];
  const known = names;
  const crossed = engine.explain(rows, among);
  const numbers = crossed.numbers;
  const texts = crossed.text.split("\n");
  crossed.free();

  const floats = new Float32Array(numbers.buffer, numbers.byteOffset, numbers.length);
  let at = 0;
  let text = 0;
  const next = () => numbers[at++] ?? 0;
  return Array.from(rows, () =>
    Array.from({ length: next() }, () => {
      const ground = known[next()]!;
      const effect = floats[at++] ?? 0;
      const count = next();
      const tracks = numbers.slice(at, at + count);
      at += count;
      return { ground, text: texts[text++] ?? "", effect, tracks };
    }),
  );
}
