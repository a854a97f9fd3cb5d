// How the listener's taste lies among the clusters, what people with it finish, and artists near one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Segue } from "../dist/index.js";
import { first, kindred, segueError } from "./support.mjs";

async function listener(t, model = kindred) {
  const segue = await Segue.fromModel(model);
  t.after(() => segue.free());
  return segue;
}

const like = (segue, ...tracks) => tracks.forEach((track) => segue.observe({ kind: "like", track }));
const shareOf = (shares, name) => shares.find((share) => share.name === name).share;

test("the listener's taste is a share of each cluster, the largest first, together one", async (t) => {
  const segue = await listener(t);
  like(segue, "metal:01", "metal:02");
  const taste = segue.taste();
  assert.deepEqual(new Set(taste.map(({ name }) => name)), new Set(["jazz", "metal", "folk"]));
  assert.equal(taste[0].name, "metal");
  assert.equal(segue.clusters[taste[0].cluster].name, "metal");
  assert.ok(taste.every(({ share }, at) => at === 0 || share <= taste[at - 1].share));
  assert.ok(Math.abs(taste.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-5);
});

test("a listener who skips one genre and likes another moves from one to the other", async (t) => {
  const segue = await listener(t);
  like(segue, "jazz:01", "jazz:02", "jazz:03");
  let before = segue.taste();
  assert.equal(before[0].name, "jazz");
  for (const n of [4, 5, 6, 7]) {
    segue.observe({ kind: "skip", track: `jazz:0${n}`, played_ms: 2000 });
    like(segue, `folk:0${n}`);
    const now = segue.taste();
    assert.ok(shareOf(now, "folk") > shareOf(before, "folk"));
    before = now;
  }
  assert.equal(before[0].name, "folk");
});

test("a track has shares of its own, by id or by row, and an unknown one has none", async (t) => {
  const segue = await listener(t);
  const [row] = segue.rows(["folk:07"]);
  assert.equal(segue.tasteOf("folk:07")[0].name, "folk");
  assert.deepEqual(segue.tasteOf(row), segue.tasteOf("folk:07"));
  assert.deepEqual(segue.tasteOf("nobody:0"), []);
});

test("what people with the listener's taste finish is new to the listener and names whose it is", async (t) => {
  const segue = await listener(t);
  segue.catalogue(["jazz:00", "jazz:01", "jazz:02", "jazz:05", "metal:00", "metal:19"]);
  like(segue, "jazz:01", "jazz:11");
  const found = segue.alsoFinished({ limit: 3 });
  assert.deepEqual(found.map(({ track }) => track), ["jazz:00", "jazz:02", "jazz:05"]);
  assert.ok(found.every(({ name, cluster }) => name === "jazz" && segue.clusters[cluster].name === "jazz"));
  assert.ok(found[0].score > found[1].score && found[2].score > 0);
  assert.equal(segue.alsoFinished({ limit: 0 }).length, 0);
  assert.equal(segue.alsoFinished({ limit: 99 }).length, 5);
});

test("a model that does not say what people finish names nothing", async (t) => {
  const segue = await listener(t, first);
  like(segue, "jazz:01");
  assert.deepEqual(segue.alsoFinished({ limit: 9 }), []);
  assert.equal(segue.taste()[0].name, "jazz");
});

test("the artists near an artist are those of the same genre, the nearest first", async (t) => {
  const segue = await listener(t);
  const near = segue.artistsNear("The jazz Band 2", { limit: 4 });
  const others = [0, 1, 3, 4].map((n) => `The jazz Band ${n}`);
  assert.deepEqual(near.map(({ artist }) => artist).sort(), others);
  assert.ok(near.every(({ score }, at) => score <= 1.001 && (at === 0 || score <= near[at - 1].score)));
  for (const { artist, row } of near) assert.equal(segue.describe(row).artist, artist);
  assert.deepEqual(segue.artistsNear("nobody", { limit: 4 }), []);
});

test("what is asked wrongly is refused by name", async (t) => {
  const segue = await listener(t);
  assert.throws(() => segue.tasteOf({}), segueError("argument", /track is \[object Object\]/));
  assert.throws(() => segue.tasteOf(1 << 23), segueError("argument", /no such row/));
  assert.throws(() => segue.alsoFinished(), segueError("argument", /options is undefined/));
  assert.throws(() => segue.alsoFinished({ limit: -1 }), segueError("argument", /limit is -1/));
  assert.throws(() => segue.artistsNear(7, { limit: 1 }), segueError("argument", /artist is 7/));
});
