// Queues whose places are chosen with an eye on those before them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { albums, everything, id, listener, order, ranked, segueError } from "./support.mjs";

const OFF = { diversity: 0, artistGap: 0, albumGap: 0, fatigue: 0, explore: 0 };
const ALL = { diversity: 0.3, artistGap: 2, albumGap: 4, fatigue: 0.5, explore: 0.2, seed: 7 };

async function heard(t, model = albums) {
  const segue = await listener(t, model);
  segue.observe({ kind: "like", track: id("jazz", 3) });
  segue.observe({ kind: "play", track: id("folk", 8), played_ms: 170_000, duration_ms: 180_000 });
  return segue;
}

const artistOf = (segue) => (track) => segue.describe(track).artist;

test("options of nothing leave the order to the scores, and move nothing", async (t) => {
  const segue = await heard(t);
  const queue = segue.rank(everything, OFF);
  queue.slice(1).forEach(({ score }, at) => assert(score <= queue[at].score));
  assert(queue.every(({ moved }) => moved === 0));
});

test("a queue holds each candidate once, with its own score, and says how far it was moved", async (t) => {
  const segue = await heard(t);
  const byScore = segue.rank(everything, OFF);
  const queue = segue.rank(everything, ALL);
  assert.deepEqual(order(queue).sort(), [...everything].sort());
  queue.forEach(({ track, score, moved }, at) => {
    assert.equal(byScore[at + moved].track, track);
    assert.equal(byScore[at + moved].score, score);
  });
  assert(queue.some(({ moved }) => moved > 0) && queue.some(({ moved }) => moved < 0));
});

test("artists keep their distance", async (t) => {
  const segue = await heard(t);
  const artists = order(segue.rank(everything, { artistGap: 5, limit: 30 })).map(artistOf(segue));
  artists.forEach((artist, at) => assert(!artists.slice(Math.max(0, at - 5), at).includes(artist)));
  const close = order(segue.rank(everything, { limit: 30, artistGap: 0 })).map(artistOf(segue));
  assert(close.some((artist, at) => close.slice(Math.max(0, at - 5), at).includes(artist)));
});

test("albums keep a distance of their own, and none where the model does not know them", async (t) => {
  const segue = await heard(t);
  const album = (track) => `${artistOf(segue)(track)} ${Number(track.slice(-2)) < 10}`;
  const names = order(segue.rank(everything, { albumGap: 12, limit: 30 })).map(album);
  names.forEach((name, at) => assert(!names.slice(Math.max(0, at - 12), at).includes(name)));
  const without = await heard(t, ranked);
  assert.deepEqual(without.rank(everything, { albumGap: 12 }), without.rank(everything));
});

test("diversity brings in the genres that scores leave out", async (t) => {
  const segue = await heard(t);
  const genres = (options) => new Set(order(segue.rank(everything, { limit: 6, ...options })).map((it) => it.slice(0, 4)));
  segue.observe({ kind: "skip", track: id("metal", 1) });
  segue.observe({ kind: "skip", track: id("jazz", 1) });
  assert(genres({}).size < 3);
  assert.equal(genres({ diversity: 0.9 }).size, 3);
});

test("what was just heard rests", async (t) => {
  const segue = await heard(t);
  const place = (options) => order(segue.rank(everything, options)).indexOf(id("folk", 8));
  assert(place({ fatigue: 5 }) > place({}));
});

test("a seed gives one queue, another seed another, and without one each event draws anew", async (t) => {
  const segue = await heard(t);
  const queue = (seed) => order(segue.rank(everything, { explore: 0.5, seed }));
  assert.deepEqual(queue(1), queue(1));
  assert.notDeepEqual(queue(1), queue(2));
  assert.deepEqual(queue(), queue(2), "two events were observed");
  segue.observe({ kind: "impression", track: id("metal", 3) });
  assert.deepEqual(queue(), queue());
  assert.deepEqual(queue(0xffff_ffff), queue(0xffff_ffff));
});

test("unknown tracks come last whatever the options, and are not moved", async (t) => {
  const segue = await heard(t);
  const queue = segue.rank(["nobody:1", ...everything, "nobody:0"], ALL);
  assert.deepEqual(order(queue).slice(60), ["nobody:1", "nobody:0"]);
  assert(queue.slice(60).every(({ moved, score }) => moved === 0 && score === null));
});

test("the only choice is the reason for every place that was moved, by as many places", async (t) => {
  const segue = await heard(t);
  const choices = {
    diversity: { diversity: 0.5 },
    spacing: { artistGap: 3, albumGap: 6 },
    fatigue: { fatigue: 2 },
    exploration: { explore: 0.5 },
  };
  for (const [ground, options] of Object.entries(choices)) {
    const queue = segue.rank(everything, { ...OFF, ...options, explain: true });
    assert(queue.some(({ moved }) => moved !== 0), ground);
    for (const { moved, reasons } of queue) {
      const found = reasons.filter((reason) => reason.ground in choices);
      const expected = moved === 0 ? [] : [[ground, moved, moved > 0 ? "up " : "down "]];
      assert.deepEqual(found.map((r) => [r.ground, r.effect, r.text.slice(0, moved > 0 ? 3 : 5)]), expected);
      assert(found.every(({ tracks }) => tracks.length === 0));
    }
  }
});

test("a track that would not be in the queue without a choice counts as the next one there", async (t) => {
  const segue = await heard(t);
  const queue = segue.rank(everything, { diversity: 1, limit: 4, explain: true });
  const byScore = order(segue.rank(everything, { limit: 4 }));
  const brought = queue.map((place, at) => ({ ...place, at })).filter(({ track }) => !byScore.includes(track));
  assert(brought.length > 0);
  for (const { at, reasons } of brought) {
    assert.equal(reasons.find(({ ground }) => ground === "diversity").effect, 4 - at);
  }
});

test("reasons of evidence are the same with choices as without", async (t) => {
  const segue = await heard(t);
  const of = (options) => new Map(segue.rank(everything, { ...options, explain: true }).map((it) => [it.track, it.reasons]));
  const plain = of(OFF);
  for (const [track, reasons] of of(ALL)) {
    const own = plain.get(track);
    assert.deepEqual(reasons.slice(0, own.length), own);
  }
});

test("the catalogue's best are moved by nothing", async (t) => {
  const segue = await heard(t);
  segue.rank(everything, ALL);
  assert(segue.top({ limit: 60 }).every(({ moved }) => moved === 0));
});

test("an option that is none is refused by its name and its range, and nothing is ranked", async (t) => {
  const segue = await heard(t);
  const refused = [
    [{ diversity: 1.5 }, /diversity is 1.5: give a number from 0 to 1/],
    [{ diversity: -0.1 }, /diversity is -0.1: give a number from 0 to 1/],
    [{ diversity: NaN }, /diversity is NaN: give a number from 0 to 1/],
    [{ artistGap: 2.5 }, /artistGap is 2.5: give a whole number from 0 to 255/],
    [{ artistGap: 256 }, /artistGap is 256: give a whole number from 0 to 255/],
    [{ albumGap: "2" }, /albumGap is "2": give a whole number from 0 to 255/],
    [{ fatigue: Infinity }, /fatigue is Infinity: give a number from 0 to 1000/],
    [{ explore: "much" }, /explore is "much": give a number from 0 to 1000/],
    [{ explore: null }, /explore is null: give a number from 0 to 1000/],
    [{ seed: -1 }, /seed is -1: give a whole number from 0 to 4294967295/],
    [{ seed: 2 ** 32 }, /seed is 4294967296: give a whole number/],
    [{ diversity: true }, /diversity is true: give a number from 0 to 1/],
    [{ artistgap: 1 }, /a field of options is "artistgap": there are limit, .*artistGap/],
  ];
  for (const [options, message] of refused) {
    assert.throws(() => segue.rank(everything, options), segueError("argument", message));
  }
  assert.throws(() => segue.top({ limit: 1, excluded: [] }), segueError("argument", /"excluded": there are limit, exclude/));
  assert.throws(() => segue.moment({ timezone: 60 }), segueError("argument", /a field of moment is "timezone": there are at, /));
});
