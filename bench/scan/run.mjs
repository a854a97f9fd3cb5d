// node run.mjs SET OUT FOLDER…: a set of contenders side by side, in one run, on a catalogue after
// the other. Each FOLDER is one that `tools/bench.sh` made; OUT is the file that takes the results.

import { readFileSync, statSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { basename } from "node:path";
import { digits } from "../lib/stats.mjs";
import { SETS } from "./contenders.mjs";
import { agreement, exact } from "./exact.mjs";
import { startChromium } from "./hosts/chromium.mjs";
import { startLines } from "./hosts/lines.mjs";
import { startNode } from "./hosts/node.mjs";
import { play } from "./rounds.mjs";
import { printCalls, printScans } from "./table.mjs";

const DIM = 64;
const PLACES = 50;
/** Milliseconds for each listener and turn, and for each contender before it counts. */
const [TURN, WARM_UP] = [2, 600];
const ROUNDS = Number(process.env.SEGUE_BENCH_ROUNDS ?? 15);
/** No catalogue may keep a contender longer, in milliseconds. */
const PATIENCE = 300_000;

const [set, out, ...folders] = process.argv.slice(2);
const { SEGUE_BENCH_PYTHON: python, SEGUE_BENCH_SCAN: native, SEGUE_BENCH_VENDOR: vendor } = process.env;
const only = process.env.SEGUE_BENCH_ONLY && new RegExp(process.env.SEGUE_BENCH_ONLY);

const { OPENBLAS_CORETYPE, OPENBLAS_L2_SIZE, ...env } = process.env;
const places = {
  Chromium: await startChromium({ vendor }),
  Node: await startNode(),
  native: await startLines(native, (name, { folder }) => [name, folder]),
  Python: await startLines(
    python,
    (name, { folder }) => {
      const script = new URL("native/peers.py", import.meta.url).pathname;
      return [script, name, folder, DIM, PLACES];
    },
    // What is set for old builds of OpenBLAS slows a current one down.
    { env: { ...env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" } },
  ),
};

const results = {
  machine: `${cpus()[0].model}, ${cpus().length} cores`,
  versions: Object.fromEntries(Object.entries(places).map(([name, { version }]) => [name, version])),
  catalogues: [],
};
try {
  for (const folder of folders) {
    const catalogue = await measure(folder);
    results.catalogues.push(catalogue);
    (set === "scan" ? printScans : printCalls)(catalogue);
    writeFileSync(out, JSON.stringify(results, null, 2));
  }
} finally {
  for (const place of Object.values(places)) await place.stop();
}

/** All figures of one catalogue. */
async function measure(folder) {
  const rows = statSync(`${folder}/codes.i8`).size / DIM;
  const catalogue = { folder, rows, dim: DIM, places: PLACES };
  const noise = { ...catalogue, folder: `${folder}/noise` };
  const scans = set === "scan";
  const wanted = scans ? { false: exact(catalogue), true: exact(noise) } : {};
  const listeners = readFileSync(`${folder}/listeners.txt`, "utf8").trim().split("\n").length;
  const players = [];
  const figures = [];
  for (const entry of SETS[set]) {
    if (only && !only.test(entry.key)) continue;
    const { key, label, where, kind, most = Infinity, because } = entry;
    const figure = { key, label, where, kind };
    figures.push(figure);
    if (rows > most) {
      figure.left = because ?? "it does not get so far";
      continue;
    }
    const host = await places[where].host();
    try {
      const begun = performance.now();
      figure.note = await within(PATIENCE, host.open(entry, entry.noise ? noise : catalogue));
      figure.ready = performance.now() - begun;
      const found = await within(PATIENCE, host.answers());
      if (found && scans) Object.assign(figure, agreement(found, wanted[Boolean(entry.noise)]));
      players.push({ id: key, host });
    } catch (error) {
      figure.left = String(error.message ?? error).split("\n")[0].replace(/^page\.evaluate: /, "");
      await host.close();
    }
  }
  const played = await play(players, { rounds: ROUNDS, ms: TURN, listeners, warmUp: WARM_UP });
  for (const { host } of players) await host.close();
  for (const figure of figures) {
    const { min, median } = played.get(figure.key) ?? {};
    if (min) Object.assign(figure, { min, median, nanoseconds: (min * 1e6) / rows });
  }
  return { name: basename(folder), rows, dim: DIM, places: PLACES, listeners, rounds: ROUNDS, figures };
}

function within(ms, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not ready within ${digits(ms / 1000)} s`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
