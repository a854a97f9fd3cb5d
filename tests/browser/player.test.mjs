// The whole path: a simulated log, a model, a registry, a server, and a listener before the page.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { newPage, startBrowser } from "./support.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const SEGUE = process.env.SEGUE ?? process.env.SEGUE_BIN ?? join(root, "target/debug/segue");
const WWW = join(root, "www/dist");

let chromium;
let home;
let server;
let origin;

before(async () => {
  for (const needed of [SEGUE, WWW]) assert(existsSync(needed), `${needed} is missing: build it`);
  home = mkdtempSync(join(tmpdir(), "segue-player-"));
  const run = (...args) => execFileSync(SEGUE, args, { cwd: home, stdio: "pipe" });
  const world = ["--listeners", "600", "--tracks", "400", "--days", "20", "--seed", "1"];
  const shape = ["--dim", "16", "--clusters", "8"];
  run("simulate", ...world, "--out", "events.jsonl", "--catalogue", "catalogue.jsonl");
  run("train", "events.jsonl", "--catalogue", "catalogue.jsonl", ...shape, "--out", "model.segue");
  run("publish", "model.segue", "--registry", "registry");

  const port = await freePort();
  origin = `http://127.0.0.1:${port}`;
  const address = ["--listen", `127.0.0.1:${port}`];
  server = spawn(SEGUE, ["serve", "--registry", "registry", "--www", WWW, ...address], {
    cwd: home,
    stdio: ["ignore", "ignore", "inherit"],
  });
  await answering(`${origin}/healthz`);
  chromium = await startBrowser();
});

after(async () => {
  await chromium?.stop();
  if (server?.exitCode === null) {
    server.kill();
    await new Promise((ended) => server.once("exit", ended));
  }
  if (home !== undefined) rmSync(home, { recursive: true, force: true });
});

/** A port that nobody listens on. */
async function freePort() {
  const probe = createServer();
  await new Promise((listening) => probe.listen(0, "127.0.0.1", listening));
  const { port } = probe.address();
  await new Promise((closed) => probe.close(closed));
  return port;
}

async function answering(url) {
  for (let attempt = 0; attempt < 200; attempt++) {
    const up = await fetch(url).then(({ ok }) => ok, () => false);
    if (up) return;
    assert.equal(server.exitCode, null, "the server ended");
    await new Promise((next) => setTimeout(next, 50));
  }
  assert.fail(`${url} does not answer`);
}

async function openPlayer(t) {
  const page = await newPage(t, chromium.browser);
  await page.goto(origin);
  await page.locator("[data-testid=queue] li").first().waitFor();
  return page;
}

/** The queue from top to bottom, as the page shows it. */
const queueOf = (page) =>
  page.locator("[data-testid=queue] li").evaluateAll((items) =>
    items.map(({ dataset }) => ({ row: dataset.row, cluster: dataset.cluster })),
  );

/** The cluster with most tracks in a queue. */
function largestCluster(queue) {
  const size = (cluster) => queue.filter((place) => place.cluster === cluster).length;
  const larger = (a, b) => (size(b.cluster) > size(a.cluster) ? b : a);
  return queue.reduce(larger).cluster;
}

/** A cluster's tracks of `queue`, but for those `played`. */
const tracksOf = (queue, cluster, played = []) =>
  queue.filter((place) => place.cluster === cluster && !played.includes(place.row));

/** The mean place in `queue` of `tracks`; one that has left it stands behind its end. */
function meanPlace(queue, tracks) {
  assert(tracks.length > 0, "no track is left to compare");
  const place = ({ row }) => {
    const at = queue.findIndex((other) => other.row === row);
    return at < 0 ? queue.length : at;
  };
  return tracks.reduce((sum, track) => sum + place(track), 0) / tracks.length;
}

/** Plays the first track of a cluster, as a listener does: by clicking its row. Says which. */
async function playFrom(page, cluster) {
  const item = page.locator(`[data-testid=queue] li[data-cluster="${cluster}"]`).first();
  const row = await item.getAttribute("data-row");
  await item.locator("button").first().click();
  return row;
}

/** Skips three tracks of a cluster. Says which. */
async function skipThree(page, cluster) {
  const skipped = [];
  for (let n = 0; n < 3; n++) {
    skipped.push(await playFrom(page, cluster));
    await page.locator("[data-testid=skip]").click();
  }
  return skipped;
}

test("skipping three tracks of one cluster makes that cluster fall in the queue", async (t) => {
  const page = await openPlayer(t);
  const before = await queueOf(page);
  const cluster = largestCluster(before);
  const tracks = tracksOf(before, cluster, await skipThree(page, cluster));
  const [from, to] = [meanPlace(before, tracks), meanPlace(await queueOf(page), tracks)];
  assert(to > from, `cluster ${cluster} stood at ${from} and stands at ${to}`);
  assert.deepEqual(page.reported, []);
});

test("the page says how long the ranking took, and why tracks stand where they stand", async (t) => {
  const page = await openPlayer(t);
  await skipThree(page, largestCluster(await queueOf(page)));
  assert.match(await page.locator("[data-testid=rank-time]").textContent(), /\d µs/);
  const reasons = await page.locator("[data-testid=reason]").allTextContents();
  assert(reasons.some((text) => /skipped/.test(text)), reasons.join("; "));
});

test("liking a track makes its cluster rise", async (t) => {
  const page = await openPlayer(t);
  const before = await queueOf(page);
  const { cluster } = before.at(-1);
  const tracks = tracksOf(before, cluster, [await playFrom(page, cluster)]);
  await page.locator("[data-testid=like]").click();
  const [from, to] = [meanPlace(before, tracks), meanPlace(await queueOf(page), tracks)];
  assert(to <= from, `cluster ${cluster} stood at ${from} and stands at ${to}`);
});

test("the queue reacts without the network", async (t) => {
  const page = await openPlayer(t);
  const before = await queueOf(page);
  const cluster = largestCluster(before);
  await page.context().setOffline(true);
  const tracks = tracksOf(before, cluster, await skipThree(page, cluster));
  assert(meanPlace(await queueOf(page), tracks) > meanPlace(before, tracks));
});
