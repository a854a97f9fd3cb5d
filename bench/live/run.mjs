// node bench/live/run.mjs SEGUE OLD NEW ROUNDS: how soon after it is published a model is used in pages that are open.
//
// The command publishes OLD and NEW in turns, signed, into a registry that it serves too; a page in Chromium has opened it
// and does nothing but listen. Counted is from the moment in which the manifest was swapped to the event in the page, by the
// same clock, and within that from the last byte that came to the event: the delta applied and put in the model's place; then
// until all of it is coded anew and kept in IndexedDB, and the longest that the page's thread was busy in one piece.
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { quantile } from "../lib/stats.mjs";

const [segue, ...models] = process.argv.slice(2, 5);
const rounds = Number(process.argv[5] ?? 40);
const home = mkdtempSync(join(tmpdir(), "segue-live-"));
const [keys, registry, www] = ["keys", "registry", "www"].map((name) => join(home, name));
const run = (...args) => execFileSync(segue, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const publish = (model) => run("publish", model, "--registry", registry, "--keys", keys, "--deltas", "1");

const publicKey = JSON.parse(run("keys", "new", "--keys", keys, "--json")).public_key;
publish(models[0]);
page();
const server = spawn(segue, ["serve", "--registry", registry, "--keys", keys, "--www", www, "--listen", "127.0.0.1:0"]);
const origin = await new Promise((listening) => {
  let said = "";
  for (const stream of [server.stdout, server.stderr]) {
    stream.on("data", (text) => {
      const [found] = (said += text).match(/http:\/\/127\.0\.0\.1:\d+/) ?? [];
      if (found) listening(found);
    });
  }
});
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
try {
  const tab = await browser.newPage();
  tab.on("pageerror", (error) => console.error(String(error)));
  await tab.goto(origin);
  await tab.waitForFunction(() => globalThis.ready, undefined, { timeout: 120_000 });
  const latencies = [];
  const applies = [];
  const keeps = [];
  let bytes = 0;
  for (let round = 1; round <= rounds; round++) {
    publish(models[round % 2]);
    const swapped = statSync(join(registry, "manifest")).mtimeMs;
    await tab.waitForFunction((count) => globalThis.applied.length >= count, round, { timeout: 60_000 });
    const { at, apply, total } = await tab.evaluate(() => globalThis.applied.at(-1));
    latencies.push(at - swapped);
    applies.push(apply);
    bytes = total;
    // What was seen at once after it would be no news.
    await tab.waitForFunction((count) => globalThis.kept.length >= count, round, { timeout: 60_000 });
    keeps.push(await tab.evaluate(() => globalThis.kept.at(-1)));
    await new Promise((resume) => setTimeout(resume, 300 + 200 * Math.random()));
  }
  const of = (values) => values.sort((a, b) => a - b) && [0.5, 0.99, 1].map((q) => quantile(values, q).toFixed(0)).join(" / ");
  const { tracks, unkept, tasks } = await tab.evaluate(() => ({ tracks: segue.tracks, unkept: globalThis.unkept, tasks }));
  console.log(`${tracks} tracks, ${rounds} updates of ${bytes} bytes, p50 / p99 / most, ms`);
  console.log(`  published → used in the open page  ${of(latencies)}`);
  console.log(`  of that, applied and swapped in    ${of(applies)}`);
  console.log(`  after it, coded anew and kept      ${of(keeps)}`);
  console.log(`  the page's thread busy at a time   ${of(tasks)}`);
  if (unkept) console.log(`  not kept: ${unkept}`);
} finally {
  await browser.close();
  server.kill("SIGINT");
  rmSync(home, { recursive: true, force: true });
}

function page() {
  mkdirSync(www);
  const pkg = fileURLToPath(new URL("../../pkg/", import.meta.url));
  for (const folder of ["dist", "wasm"]) cpSync(join(pkg, folder), join(www, folder), { recursive: true });
  writeFileSync(join(www, "index.html"), `<!doctype html><script type="module">
    import { Segue } from "./dist/index.js";
    globalThis.applied = [];
    globalThis.kept = [];
    globalThis.tasks = [];
    const segue = (globalThis.segue = await Segue.open({ registry: "/v1/", publicKey: "${publicKey}" }));
    let start;
    let updated;
    let total;
    segue.on("sync", (status) => {
      if (status.state === "applying") start = performance.now();
      if (status.state === "current" && updated) {
        kept.push(performance.now() - updated);
        updated = undefined;
      }
      if (status.state === "fetching") ({ total } = status);
      if (status.state === "unkept" || status.state === "failed") globalThis.unkept = String(status.error);
    });
    segue.on("update", () => {
      updated = performance.now();
      applied.push({ at: performance.timeOrigin + updated, apply: updated - start, total });
    });
    new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => tasks.push(duration))).observe({ type: "longtask" });
    globalThis.ready = true;
  </script>`);
}
