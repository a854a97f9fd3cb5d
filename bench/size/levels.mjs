// node levels.mjs CATALOGUE NAME=FOLDER…: modules that were built otherwise, beside each other: bytes,
// and microseconds for the best 50 of 500 candidates, of the whole catalogue, and of one of noise, of
// which every row has to be looked at, in turns.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { KINDS } from "../lib/kinds.mjs";
import { connect } from "../lib/module.mjs";
import { digits } from "../lib/stats.mjs";

const [ROUNDS, CALLS, PLACES, CANDIDATES] = [25, 200, 50, 500];
const PLAY = KINDS.indexOf("play");

const [catalogue, ...builds] = process.argv.slice(2);
const trained = readFileSync(join(catalogue, "trained.segue"));
const noise = readFileSync(join(catalogue, "noise/model.segue"));
const NOTHING = new Uint32Array();
const variants = [];
for (const build of builds) {
  const [name, folder] = build.split(/=(?=[^=]*$)/);
  const glue = await import(resolve(folder, "segue_wasm.js"));
  const module = readFileSync(join(folder, "segue_wasm_bg.wasm"));
  await connect(glue, await WebAssembly.compile(module));
  const [ofTrained, ofNoise] = [trained, noise].map((file) => listening(glue, file));
  const rows = spread(CANDIDATES, ofTrained);
  const tasks = {
    rank: () => ofTrained.rank(rows, PLACES),
    top: () => ofTrained.top(PLACES, NOTHING),
    noise: () => ofNoise.top(PLACES, NOTHING),
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
row(`µs, least of ${ROUNDS} rounds`, ["raw", "brotli", "rank 500", "top of all", "of noise"]);
for (const { name, raw, brotli, least } of variants) {
  row(name, [raw, brotli, digits(least.rank), digits(least.top), digits(least.noise)]);
}

/** An engine on `file` whose listener has played a few tracks. */
function listening({ Parts, Engine }, file) {
  const parts = new Parts();
  parts.add_file(file);
  const engine = new Engine(parts);
  for (const row of spread(10, engine)) engine.observe(PLAY, row, 1000, 1000);
  return engine;
}

function spread(count, { tracks }) {
  return Uint32Array.from({ length: count }, (_, at) => (at * 7919) % tracks);
}
