// node run.mjs OUT FOLDER: how long single calls take where the model has every signal, in Chromium and in Node.

import { readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { startBrowser } from "../../tests/browser/support.mjs";
import { serve } from "../lib/server.mjs";
import { mean, quantile } from "../lib/stats.mjs";
import { measure } from "./measure.mjs";

/** Rounds of all listeners: before they count, and those that count. */
const [WARM_UP, ROUNDS] = [2, 10];
const CALLS = {
  both: "observe, and rank(500, { limit: 50 }) after it",
  rank: "rank(500, { limit: 50 }) after an event",
  observe: "observe",
  again: "rank(500, { limit: 50 }) again",
};

const root = fileURLToPath(new URL("../../", import.meta.url));
const [out, folder] = process.argv.slice(2);
const [load] = loadavg();
console.log(`\n${cpus()[0].model}, ${cpus().length} cores, load ${load.toFixed(1)}`);
const results = { load, Chromium: await inChromium(), Node: await inNode() };
writeFileSync(out, JSON.stringify(results, null, 2));

async function inNode() {
  const bytes = async (file) => readFileSync(`${folder}/${file}`);
  await measure(bytes, WARM_UP);
  return figures(`Node ${process.versions.node}`, await measure(bytes, ROUNDS));
}

/** In a page that is isolated from others: its clock then steps by 5 µs. */
async function inChromium() {
  const server = await serve({ "/": root, "/data/": "/" });
  const { browser, stop } = await startBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(`${server.origin}/bench/latency/page.html`);
    await page.waitForFunction(() => globalThis.measure !== undefined);
    const run = ([folder, rounds]) => globalThis.measure(folder, rounds);
    await page.evaluate(run, [folder, WARM_UP]);
    return figures(`Chromium ${browser.version()}`, await page.evaluate(run, [folder, ROUNDS]));
  } finally {
    await stop();
    server.stop();
  }
}

/** Prints what calls took, and returns it in microseconds. */
function figures(where, times) {
  const cells = (words) => words.map((word) => word.padStart(9)).join("");
  console.log(`\n${`${where}, µs`.padEnd(50)}${cells(["mean", "p50", "p99", "most", "calls"])}`);
  const rows = Object.entries(CALLS).map(([call, label]) => {
    const sorted = times[call].map((ms) => ms * 1e3).sort((a, b) => a - b);
    const figures = { mean: mean(sorted), p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), most: sorted.at(-1) };
    const numbers = Object.values(figures).map((us) => us.toFixed(1));
    console.log(label.padEnd(50) + cells([...numbers, `${sorted.length}`]));
    return [call, { ...figures, calls: sorted.length }];
  });
  return Object.fromEntries(rows);
}
