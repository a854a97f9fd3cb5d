// node levels.mjs CATALOGUE NAME=FOLDER…: modules that were built otherwise, beside each other: bytes,
// and microseconds for the best 50 of 500 candidates and of the whole catalogue, in turns.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { digits } from "../lib/stats.mjs";

const [ROUNDS, CALLS, PLACES, CANDIDATES] = [25, 200, 50, 500];

const [catalogue, ...builds] = process.argv.slice(2);
const file = readFileSync(join(catalogue, "trained.segue"));
const variants = [];
for (const build of builds) {
  const [name, folder] = build.split(/=(?=[^=]*$)/);
  const glue = await import(resolve(folder, "segue_wasm.js"));
  const module = readFileSync(join(folder, "segue_wasm_bg.wasm"));
  await glue.default({ module_or_path: module });
  const parts = new glue.Parts();
  parts.add_file(file);
  const engine = new glue.Engine(parts);
  const rows = Uint32Array.from({ length: CANDIDATES }, (_, at) => (at * 7919) % engine.tracks);
  for (const row of rows.subarray(0, 10)) engine.observe("play", row, 1000, 1000);
  const tasks = {
    rank: () => engine.rank(rows, PLACES),
    top: () => engine.top(PLACES, new Uint32Array()),
  };
  variants.push({ name, raw: module.length, brotli: brotliCompressSync(module).length, tasks, least: {} });
}

for (let round = 0; round < ROUNDS; round++) {
  for (const { tasks, least } of variants) {
    for (const [task, call] of Object.entries(tasks)) {
      const before = performance.now();
      for (let n = 0; n < CALLS; n++) call();
      const each = ((performance.now() - before) / CALLS) * 1000;
      least[task] = Math.min(least[task] ?? Infinity, each);
    }
  }
}

const row = (name, cells) => console.log(name.padEnd(64) + cells.map((cell) => String(cell).padStart(12)).join(""));
row(`µs, least of ${ROUNDS} rounds`, ["raw", "brotli", "rank 500", "top of all"]);
for (const { name, raw, brotli, least } of variants) {
  row(name, [raw, brotli, digits(least.rank), digits(least.top)]);
}
