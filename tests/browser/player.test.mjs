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
  const world = ["--listeners", "800", "--tracks", "600", "--days", "20", "--seed", "1"];
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

async function openPlayer(t, options) {
  const page = await newPage(t, chromium.browser, options);
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
  // To choose a track says yes to its cluster too: another one is chosen from more often, so that
  // there is something left to rise past.
  const other = largestCluster(await queueOf(page));
  for (let n = 0; n < 2; n++) await playFrom(page, other);
  const { cluster } = (await queueOf(page)).at(-1);
  assert.notEqual(cluster, other);
  const row = await playFrom(page, cluster);
  const before = await queueOf(page);
  const tracks = tracksOf(before, cluster, [row]);
  await page.locator("[data-testid=like]").click();
  const [from, to] = [meanPlace(before, tracks), meanPlace(await queueOf(page), tracks)];
  assert(to < from, `cluster ${cluster} stood at ${from} and stands at ${to}`);
});

test("the page shows where the listener's taste lies, from the first thing that they do on", async (t) => {
  const page = await openPlayer(t);
  const taste = page.locator("[data-testid=taste]");
  assert.equal(await taste.isVisible(), false);
  await page.locator("[data-testid=like]").click();
  const lines = await taste.locator("li").allTextContents();
  assert(lines.length > 0 && lines.length <= 4, lines.join("; "));
  const shares = lines.map((line) => Number(/(\d+) %$/.exec(line)[1]));
  assert(shares.every((share, at) => share <= (shares[at - 1] ?? 100)), lines.join("; "));
  await page.locator("[data-testid=reset]").click();
  assert.equal(await taste.isVisible(), false);
});

/** What the session knows, newest first. */
const historyOf = (page) =>
  page.locator("[data-testid=history] li").evaluateAll((items) =>
    items.map((item) => item.querySelector(".deed").textContent.trim()),
  );

test("a choice from the queue and a replay are shown, and a replay counts at once", async (t) => {
  const page = await openPlayer(t);
  const title = page.locator("[data-testid=now-title]");
  await playFrom(page, largestCluster(await queueOf(page)));
  const chosen = await title.textContent();
  assert.deepEqual(await historyOf(page), ["chosen"]);
  const reasons = page.locator("[data-testid=reason]");
  const because = (texts, deed) => texts.includes(`close to “${chosen}”, which you ${deed}`);

  await page.locator("[data-testid=replay]").click();
  assert.deepEqual(await historyOf(page), ["replayed", "chosen"]);
  assert.equal(await title.textContent(), chosen);
  const texts = await reasons.allTextContents();
  assert(because(texts, "replayed"), texts.join("; "));
  assert.deepEqual(page.reported, []);
});

test("a list of the tracks behind a reason keeps them apart", async (t) => {
  const page = await openPlayer(t);
  const cluster = largestCluster(await queueOf(page));
  for (let n = 0; n < 2; n++) {
    await playFrom(page, cluster);
    await page.locator("[data-testid=like]").click();
  }
  const reason = page.locator("[data-testid=reason]", { hasText: /2 tracks you liked/ }).first();
  await reason.click();
  const panel = page.locator("#queue .reasons:not([hidden])");
  assert.match(await panel.textContent(), /2 tracks you liked: “[^”]+” by [^;]+; “[^”]+” by /);
});

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

test("on a phone three places and more are on the first screen, their artists in full", async (t) => {
  const page = await openPlayer(t, PHONE);
  await page.locator("[data-testid=skip]").click();
  // Rows travel for a while.
  await page.waitForFunction(() => document.getAnimations().length === 0);
  const [seen, cut] = await page.evaluate(() => {
    const bottom = document.querySelector(".transport").getBoundingClientRect().top;
    const rows = [...document.querySelectorAll("#queue > li")];
    const inSight = rows.filter((row) => row.getBoundingClientRect().bottom <= bottom);
    const artists = inSight.map((row) => row.querySelector(".artist"));
    return [inSight.length, artists.filter((name) => name.scrollWidth > name.clientWidth).length];
  });
  assert(seen >= 3, `${seen} are`);
  assert.equal(cut, 0);
});

/** A manifest of the next release, whose model has other sections. */
function changed({ release, ...rest }, change) {
  const { version, models, ...said } = JSON.parse(release.signed);
  const [model] = models;
  const next = { ...model, version: version + 1, sections: change(model.sections), deltas: [] };
  const signed = JSON.stringify({ ...said, version: version + 1, models: [next] });
  return { ...rest, release: { ...release, signed } };
}

test("a track without a name is shown by its row, and nothing is made up about it", async (t) => {
  const page = await newPage(t, chromium.browser);
  await page.route("**/v1/manifest", async (route) => {
    const response = await route.fetch();
    const without = (section) => section.kind !== "text";
    await route.fulfill({ json: changed(await response.json(), (sections) => sections.filter(without)) });
  });
  await page.goto(origin);
  const first = page.locator("[data-testid=queue] li").first();
  await first.waitFor();
  const row = await first.getAttribute("data-row");
  const names = await first.locator(".names").textContent();
  assert.equal(names.trim(), `Play Track ${row}`);
  assert.match(await page.locator("[data-testid=now-title]").textContent(), /^Track \d+$/);
  for (const id of ["now-cluster", "now-artist", "duration"]) {
    assert(await page.locator(`#${id}`).isHidden(), id);
  }
  await page.locator("[data-testid=play]").click();
  await page.waitForFunction(() => document.querySelector("#progress").value > 0);
  assert.deepEqual(page.reported, []);
});

const [DAMAGED, MISSING] = ["ab".repeat(32), "cd".repeat(32)];

/** Answers with a later version, in which one section is another, of such a `hash`. */
const spoiltBy = (hash) => async (route) => {
  const spoil = (sections) => sections.map((section, at) => (at === 1 ? { ...section, hash } : section));
  await route.fulfill({ json: changed(await (await route.fetch()).json(), spoil) });
};

/** Each answers in the server's place; the page must say so, at the start and while it plays. */
const TROUBLES = [
  ["no answer", (route) => route.abort(), "The server does not answer", "The server does not answer"],
  ["404", (route) => route.fulfill({ status: 404 }), "No model is published here yet", "The server answers 404"],
  ["500", (route) => route.fulfill({ status: 500 }), "The server answers 500", "The server answers 500"],
  ["no manifest", (route) => route.fulfill({ body: "<html>" }), "The manifest cannot be read", "The server's manifest cannot be read"],
  ["a damaged section", spoiltBy(DAMAGED), "The model came damaged", "A later model came damaged"],
  ["a section that is not there", spoiltBy(MISSING), "The model is not all there", "The server answers 404"],
];

test("what keeps the model from the page is called by its name", async (t) => {
  for (const [name, answer, notice, status] of TROUBLES) {
    await t.test(name, async (t) => {
      const trouble = async (page) => {
        await page.route("**/v1/manifest", answer);
        await page.route(`**/v1/blob/${DAMAGED}`, (route) => route.fulfill({ body: "not it" }));
      };
      const closed = await newPage(t, chromium.browser);
      await trouble(closed);
      await closed.goto(origin);
      assert.equal(await closed.locator("#notice h2").textContent(), notice);

      const page = await openPlayer(t);
      await trouble(page);
      await page.evaluate(() => dispatchEvent(new Event("online")));
      const line = page.locator("#status", { hasText: "still ranked in this tab" });
      assert.match(await line.textContent(), new RegExp(`^${status}: still ranked in this tab, by model 1,`));
    });
  }
});

test("the queue reacts without the network", async (t) => {
  const page = await openPlayer(t);
  const before = await queueOf(page);
  const cluster = largestCluster(before);
  await page.context().setOffline(true);
  const tracks = tracksOf(before, cluster, await skipThree(page, cluster));
  assert(meanPlace(await queueOf(page), tracks) > meanPlace(before, tracks));
  assert.match(await page.locator("#status").textContent(), /^Offline: still ranked in this tab/);
});
