// node run.mjs SEGUE REGISTRY WWW OUT
//
// From the start of navigation to the first ranking of 500 candidates, in pages that know no more
// than their address: each time in a browsing context that has nothing cached.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { startBrowser } from "../../tests/browser/support.mjs";
import { digits, median, rotated } from "../lib/stats.mjs";

const ROUNDS = Number(process.env.SEGUE_BENCH_ROUNDS ?? 25);
/** The first is what the others are compared with. */
const PAGES = [
  ["plain", "plain JavaScript, f32 factors"],
  ["segue", "Segue, the package as it is"],
  ["segue-bundled", "Segue, bundled"],
  ["tfjs", "TensorFlow.js, wasm, bundled"],
  ["ort", "onnxruntime-web, wasm, bundled"],
];

const [segue, registry, www, out] = process.argv.slice(2);
const server = spawn(
  segue,
  ["serve", "--registry", registry, "--www", www, "--listen", "127.0.0.1:0", "--json"],
  { stdio: ["ignore", "pipe", "inherit"] },
);
const [line] = await once(createInterface({ input: server.stdout }), "line");
const origin = `http://${JSON.parse(line).listening}`;
const { browser, stop } = await startBrowser();

const times = new Map(PAGES.map(([name]) => [name, []]));
const queues = new Map();
try {
  for (let round = -1; round < ROUNDS; round++) {
    for (const [name] of rotated(PAGES, round + 1)) {
      const { ms, queue } = await visit(name);
      queues.set(name, queue);
      // In the first round the server reads its files for the first time.
      if (round >= 0) times.get(name).push(ms);
    }
  }
} finally {
  await stop();
  server.kill();
}

const medians = new Map([...times].map(([name, all]) => [name, median(all)]));
const plain = times.get(PAGES[0][0]);
/** How much later than the plain page in the same round: what slows a round slows both. */
const over = (name) => median(times.get(name).map((ms, round) => ms - plain[round]));
const wanted = new Set(queues.get(PAGES[0][0]));
const [title, version] = ["Navigation to the first ranking of 500 candidates", browser.version()];
console.log(`\n${title}, Chromium ${version}, ${ROUNDS} rounds`);
row("", ["min ms", "median ms", "over plain", "same 50"]);
const figures = PAGES.map(([name, label]) => {
  const [min, middle] = [Math.min(...times.get(name)), medians.get(name)];
  const same = queues.get(name).filter((id) => wanted.has(id)).length / wanted.size;
  row(label, [digits(min), digits(middle), digits(over(name)), same.toFixed(2)]);
  return { name, label, min, median: middle, over: over(name), same };
});
writeFileSync(out, JSON.stringify({ browser: version, rounds: ROUNDS, figures }, null, 2));

function row(label, cells) {
  console.log(label.padEnd(34) + cells.map((cell) => cell.padStart(12)).join(""));
}

async function visit(name) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(`${origin}/${name}/`);
    await page.waitForFunction(() => globalThis.ranked !== undefined);
    return await page.evaluate(() => globalThis.ranked);
  } finally {
    await context.close();
  }
}
