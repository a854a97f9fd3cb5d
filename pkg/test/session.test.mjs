// What a listener does, and what it does to a queue.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Segue, UNKNOWN_ROW } from "segue";
import { everything, first, id, listener, meanPlace, order, segueError } from "./support.mjs";

test("skipping three tracks of one cluster moves the rest of it down", async (t) => {
  const segue = await listener(t);
  const rest = everything.filter((track) => !/jazz:0[012]/.test(track));
  const before = meanPlace(segue.rank(rest), "jazz");
  for (const n of [0, 1, 2]) segue.observe({ kind: "skip", track: id("jazz", n), played_ms: 4000 });
  const after = meanPlace(segue.rank(rest), "jazz");
  assert(after > before + 5, `from ${before} to ${after}`);
});

test("liking a track moves its cluster up", async (t) => {
  const segue = await listener(t);
  const before = meanPlace(segue.rank(everything), "folk");
  segue.observe({ kind: "like", track: "folk:03" });
  assert(meanPlace(segue.rank(everything), "folk") < before);
});

test("the same events give the same queue", async (t) => {
  const queues = [];
  for (let run = 0; run < 2; run++) {
    const segue = await listener(t);
    segue.observe({ kind: "play", track: "jazz:07", played_ms: 100_000 });
    segue.observe({ kind: "skip", track: "folk:01" });
    queues.push(segue.rank(everything, { explain: true }));
  }
  assert.deepEqual(queues[0], queues[1]);
});

test("tracks that the model does not know come last, in the order given, and are counted", async (t) => {
  const segue = await listener(t);
  const queue = segue.rank(["nobody:1", "jazz:00", "nobody:0", "folk:00"]);
  assert.deepEqual(order(queue).slice(2), ["nobody:1", "nobody:0"]);
  assert.equal(queue.unknown, 2);
  const unknown = { track: "nobody:1", index: 0, row: UNKNOWN_ROW, score: null, skip: null, moved: 0, known: false, estimated: false };
  assert.deepEqual(queue[2], unknown);
  assert.equal(queue[0].known, true);
  assert.equal(typeof queue[0].score, "number");
});

test("unknown candidates are counted even where the limit cuts them off", async (t) => {
  const segue = await listener(t);
  assert.equal(segue.rank(["jazz:00", "nobody:0"], { limit: 1 }).unknown, 1);
});

test("a limit keeps the head of the whole order", async (t) => {
  const segue = await listener(t);
  const all = order(segue.rank(everything));
  for (const limit of [0, 1, 7, 60, 1000]) {
    assert.deepEqual(order(segue.rank(everything, { limit })), all.slice(0, limit));
  }
});

test("scores fall along the queue, and each place says which candidate it was", async (t) => {
  const segue = await listener(t);
  const queue = segue.rank(everything, { artistGap: 0 });
  queue.forEach(({ track, index }) => assert.equal(everything[index], track));
  queue.slice(1).forEach(({ score }, at) => assert(score <= queue[at].score));
});

test("a hundred thousand candidates, most of them given often, are ranked and cut to what is asked", async (t) => {
  const segue = await listener(t);
  segue.observe({ kind: "like", track: "folk:03" });
  const many = Array.from({ length: 100_000 }, (_, n) => (n % 3 ? everything[n % 60] : `nobody:${n}`));
  const queue = segue.rank(many);
  assert.equal(queue.length, many.length);
  assert.equal(queue.unknown, many.filter((track) => track.startsWith("nobody")).length);
  assert.deepEqual(new Set(queue.map(({ index }) => index)).size, many.length);
  const scores = segue.rank(many, { artistGap: 0 }).flatMap(({ score }) => (score === null ? [] : [score]));
  assert(scores.every((score, at) => at === 0 || score <= scores[at - 1]));
  assert.deepEqual(segue.rank(many, { limit: 5 }), Object.assign(queue.slice(0, 5), {
    unknown: queue.unknown,
    estimated: 0,
  }));
});

test("a limit of nothing gives nothing, and one beyond all there is gives all", async (t) => {
  const segue = await listener(t);
  assert.deepEqual([...segue.rank(everything, { limit: 0 })], []);
  assert.equal(segue.rank(everything, { limit: 1e9 }).length, 60);
  assert.deepEqual([...segue.top({ limit: 0 })], []);
  assert.equal(segue.top({ limit: 1e9 }).length, 60);
});

test("no candidates make an empty queue, and one given twice stands in it twice", async (t) => {
  const segue = await listener(t);
  assert.deepEqual(order(segue.rank([])), []);
  assert.deepEqual(order(segue.rank(["jazz:00", "jazz:00"])), ["jazz:00", "jazz:00"]);
});

test("rows rank as their ids do", async (t) => {
  const segue = await listener(t);
  segue.observe({ kind: "like", track: "metal:05" });
  const candidates = [...everything, "nobody:0"];
  const rows = segue.rows(candidates);
  assert.equal(rows.at(-1), UNKNOWN_ROW);
  const places = (queue) => queue.map(({ index, row, score }) => ({ index, row, score }));
  assert.deepEqual(places(segue.rank(rows)), places(segue.rank(candidates)));
  assert.deepEqual(segue.rank([...rows], { explain: true }), segue.rank(rows, { explain: true }));
});

test("what top found can be ranked, and left out, by its rows as they are", async (t) => {
  const segue = await listener(t);
  const best = segue.top({ limit: 40 });
  const rows = best.map(({ row }) => row);
  assert.deepEqual(segue.rank(rows, { artistGap: 0 }).map(({ row }) => row), rows);
  const others = segue.top({ limit: 60, exclude: rows }).map(({ row }) => row);
  assert.equal(others.length, 20);
  assert(others.every((row) => !rows.includes(row)));
});

test("ids of every sort are told apart, and none can upset another", async (t) => {
  const segue = await listener(t);
  const strange = ["", "\0", "jazz:00\0folk:00", "\ud800", "\udc00", "音楽", "🎵", "x".repeat(1e6)];
  const candidates = strange.flatMap((track, n) => [track, id("jazz", n)]);
  const rows = segue.rows(candidates);
  const alone = candidates.map((track) => segue.describe(track)?.row ?? UNKNOWN_ROW);
  assert.deepEqual(Array.from(rows), alone);
  assert.equal(segue.rank(candidates).unknown, strange.length);
});

test("more ids than are remembered at once still find their rows", async (t) => {
  const segue = await listener(t);
  const many = Array.from({ length: 200_000 }, (_, n) => `nobody:${n}`);
  many.splice(150_000, 0, "folk:11");
  const queue = segue.rank(many, { limit: 1 });
  assert.deepEqual(order(queue), ["folk:11"]);
  assert.equal(queue.unknown, 200_000);
});

test("top is the head of the order of everything", async (t) => {
  const segue = await listener(t);
  segue.observe({ kind: "play", track: "folk:02" });
  segue.catalogue(everything);
  const all = segue.rank(everything, { artistGap: 0 });
  const best = segue.top({ limit: 10 });
  assert.deepEqual(order(best), order(all).slice(0, 10));
  best.forEach(({ score }, at) => assert.equal(score, all[at].score));
});

test("top leaves out what it is told to, as ids or as rows", async (t) => {
  const segue = await listener(t);
  segue.catalogue(everything);
  const [best, next] = order(segue.top({ limit: 2 }));
  assert.deepEqual(order(segue.top({ limit: 1, exclude: [best, "nobody:0"] })), [next]);
  assert.deepEqual(order(segue.top({ limit: 1, exclude: segue.rows([best]) })), [next]);
});

test("a catalogue is what top answers from, by id; without one it answers by row", async (t) => {
  const segue = await listener(t);
  const bare = segue.top({ limit: 60 });
  assert.equal(bare.length, 60);
  assert.deepEqual([bare[0].track, bare[0].index], [undefined, -1]);

  const mine = ["nobody:0", "folk:01", "jazz:01"];
  assert.equal(segue.catalogue(mine), 2);
  const best = segue.top({ limit: 60 });
  assert.deepEqual(order(best).sort(), ["folk:01", "jazz:01"]);
  best.forEach(({ track, index }) => assert.equal(mine[index], track));

  segue.catalogue([]);
  assert.equal(segue.top({ limit: 60 }).length, 60);
});

test("a track is described by id or by row", async (t) => {
  const segue = await listener(t);
  const [row] = segue.rows(["metal:07"]);
  const { cluster, ...rest } = segue.describe("metal:07");
  assert.deepEqual(rest, {
    row,
    title: "Song 7",
    artist: "The metal Band 2",
    durationMs: 187_000,
    clusterName: "metal",
  });
  assert.deepEqual(segue.describe(row), { cluster, ...rest });
  assert.equal(segue.clusterOf("metal:07"), cluster);
  assert.deepEqual(segue.clusters[cluster], { cluster, name: "metal" });
  assert.equal(segue.clusters.length, 3);
});

test("nothing is said of a track that the model does not know", async (t) => {
  const segue = await listener(t);
  assert.equal(segue.describe("nobody:0"), undefined);
  assert.equal(segue.describe(UNKNOWN_ROW), undefined);
  assert.equal(segue.clusterOf("nobody:0"), undefined);
});

test("evidence is what was observed, a play by how much of it was heard", async (t) => {
  const segue = await listener(t);
  segue.observe({ kind: "play", track: "jazz:00", played_ms: 30_000, duration_ms: 60_000 });
  segue.observe({ kind: "like", track: "jazz:00" });
  segue.observe({ kind: "play", track: "folk:00", played_ms: 45_000 }); // of the model's 180 s
  const [jazz, folk] = segue.rows(["jazz:00", "folk:00"]);
  assert.deepEqual(segue.evidence(), [
    { track: "jazz:00", row: jazz, amounts: { play: 0.5, like: 1 } },
    { track: "folk:00", row: folk, amounts: { play: 0.25 } },
  ]);
});

test("an event may name its track by row", async (t) => {
  const [byId, byRow] = [await listener(t), await listener(t)];
  byId.observe({ kind: "skip", track: "jazz:04" });
  assert.equal(byRow.observe({ kind: "skip", track: byRow.rows(["jazz:04"])[0] }), true);
  assert.deepEqual(byRow.rank(everything), byId.rank(everything));
  assert.equal(byRow.evidence()[0].track, undefined);
});

test("an event on an unknown track is reported, and changes nothing", async (t) => {
  const segue = await listener(t);
  const before = segue.rank(everything);
  assert.equal(segue.observe({ kind: "like", track: "nobody:0" }), false);
  assert.equal(segue.observe({ kind: "like", track: UNKNOWN_ROW }), false);
  assert.deepEqual(segue.rank(everything), before);
  assert.deepEqual(segue.evidence(), []);
});

test("after a reset nothing is known of the listener", async (t) => {
  const segue = await listener(t);
  const fresh = segue.rank(everything, { explain: true });
  segue.observe({ kind: "dislike", track: "jazz:00" });
  segue.rank(everything, { explain: true });
  segue.reset();
  assert.deepEqual(segue.evidence(), []);
  assert.deepEqual(segue.rank(everything, { explain: true }), fresh);
});

test("reasons name the tracks that they rest on and which way they move", async (t) => {
  const segue = await listener(t);
  segue.observe({ kind: "skip", track: "jazz:00", played_ms: 1000 });
  segue.observe({ kind: "like", track: "folk:00" });
  segue.observe({ kind: "play", track: "metal:00", played_ms: 9000, duration_ms: 10000 });
  const queue = segue.rank(everything, { explain: true });
  const reason = (track, ground) =>
    queue.find((place) => place.track === track).reasons.find((r) => r.ground === ground);
  const [jazz, folk] = segue.rows(["jazz:00", "folk:00"]);

  const skipped = reason("jazz:09", "skipped");
  assert.equal(skipped.text, "similar to 1 track you skipped");
  assert.deepEqual(skipped.tracks, Uint32Array.of(jazz));
  assert.equal(skipped.tracks.length, 1);
  assert(skipped.effect < 0);

  const liked = reason("folk:09", "liked");
  assert.equal(liked.text, "close to 1 track you liked");
  assert.deepEqual(liked.tracks, Uint32Array.of(folk));
  assert(liked.effect > 0);

  assert.equal(reason("metal:09", "finished").text, "close to 1 track you finished");
});

test("reasons are given where they are asked for, none for an unknown track", async (t) => {
  const segue = await listener(t);
  segue.observe({ kind: "like", track: "folk:00" });
  const candidates = ["nobody:0", "folk:01"];
  segue.rank(candidates).forEach((place) => assert(!("reasons" in place)));
  const [known, unknown] = segue.rank(candidates, { explain: true });
  assert.notEqual(known.reasons.length, 0);
  assert.deepEqual(unknown.reasons, []);
  assert.notEqual(segue.top({ limit: 1, explain: true })[0].reasons.length, 0);
});

const MISUSE = [
  ["an event that is none", (s) => s.observe(undefined), /event is undefined/],
  ["an unknown kind", (s) => s.observe({ kind: "sing", track: "jazz:00" }), /unknown kind `sing`/],
  ["an unknown kind of an unknown track", (s) => s.observe({ kind: "sing", track: "x" }), /`sing`/],
  ["no kind", (s) => s.observe({ track: "jazz:00" }), /kind is undefined: give a string/],
  ["a track that is no string", (s) => s.observe({ kind: "play", track: {} }), /track is \[object/],
  ["a row beyond the model", (s) => s.observe({ kind: "play", track: 60 }), /has no such row/],
  ["half a row", (s) => s.observe({ kind: "play", track: 0.5 }), /row is 0\.5/],
  ["NaN played_ms", (s) => s.observe({ kind: "play", track: "jazz:00", played_ms: NaN }), /NaN/],
  ["negative played_ms", (s) => s.observe({ kind: "play", track: "x", played_ms: -1 }), /played_ms is -1/],
  ["endless duration_ms", (s) => s.observe({ kind: "play", track: "x", duration_ms: Infinity }), /duration_ms/],
  ["a time before 1970", (s) => s.observe({ kind: "play", track: "x", at: -5 }), /at is -5/],
  ["candidates that are no list", (s) => s.rank("jazz:00"), /candidates is "jazz:00": give an array/],
  ["a candidate that is neither id nor row", (s) => s.rank(["jazz:00", {}]), /track is \[object/],
  ["a row among ids", (s) => s.rank(["jazz:00", 7]), /candidates\[1\] is 7: the first is an id: give ids alone or rows alone/],
  ["an id among rows", (s) => s.top({ limit: 1, exclude: [7, 8, "jazz:00"] }), /exclude\[2\] is "jazz:00": the first is a row/],
  ["a hole among rows", (s) => s.rank([7, undefined]), /candidates\[1\] is undefined/],
  ["half a row among rows", (s) => s.rank([7, 0.5]), /row is 0\.5/],
  ["a row of an array beyond the model", (s) => s.rank([0, 60]), /row is 60: the model in use has no such row/],
  ["rows beyond the model", (s) => s.rank(Uint32Array.of(0, 60)), /row 60 is beyond/],
  ["too many candidates", (s) => s.rank(new Uint32Array(2 ** 24 + 1)), /at most 16777216/],
  ["a negative limit", (s) => s.rank(["jazz:00"], { limit: -1 }), /limit is -1/],
  ["a limit of NaN", (s) => s.rank(["jazz:00"], { limit: NaN }), /limit is NaN/],
  ["a limit that is no number", (s) => s.top({ limit: "5" }), /limit is "5"/],
  ["options that are none", (s) => s.rank([], null), /options is null/],
  ["excluded rows beyond the model", (s) => s.top({ limit: 1, exclude: Uint32Array.of(99) }), /row 99/],
  ["a catalogue that is no list", (s) => s.catalogue(new Uint32Array(1)), /give an array of ids/],
  ["a catalogue of rows", (s) => s.catalogue([7]), /track is 7: give a string/],
  ["rows of rows", (s) => s.rows([7]), /track is 7: give a string/],
  ["a catalogue with a hole", (s) => s.catalogue(["jazz:00", undefined]), /track is undefined/],
  ["a described row beyond the model", (s) => s.describe(2 ** 32), /row is 4294967296/],
  ["another event than update", (s) => s.on("play", () => {}), /on\(\) takes "update"/],
  ["a listener that is no function", (s) => s.on("update"), /and a function/],
];

test("misuse is refused with what was given and what was wanted, and changes nothing", async (t) => {
  const segue = await listener(t);
  segue.observe({ kind: "skip", track: "jazz:00" });
  const state = () => [segue.rank(everything), segue.evidence(), segue.top({ limit: 5 })];
  const before = state();
  for (const [name, misuse, message] of MISUSE) {
    await t.test(name, () => {
      assert.throws(() => misuse(segue), segueError("argument", message));
      assert.deepEqual(state(), before);
    });
  }
});

test("a very long time heard counts as all of the track", async (t) => {
  const segue = await listener(t);
  segue.observe({ kind: "play", track: "jazz:00", played_ms: 1e300, duration_ms: 1000.7 });
  assert.deepEqual(segue.evidence()[0].amounts, { play: 1 });
});

test("after free every method says so, and freeing again does nothing", async () => {
  const segue = await Segue.fromModel(first);
  segue.free();
  segue.free();
  const uses = [
    () => segue.tracks,
    () => segue.clusters,
    () => segue.observe({ kind: "like", track: "jazz:00" }),
    () => segue.rank([]),
    () => segue.top({ limit: 1 }),
    () => segue.catalogue([]),
    () => segue.rows([]),
    () => segue.describe("jazz:00"),
    () => segue.clusterOf("jazz:00"),
    () => segue.taste(),
    () => segue.tasteOf("jazz:00"),
    () => segue.alsoFinished({ limit: 1 }),
    () => segue.artistsNear("The jazz Band 0", { limit: 1 }),
    () => segue.evidence(),
    () => segue.leave(),
    () => segue.reset(),
    () => segue.on("update", () => {}),
  ];
  for (const use of uses) assert.throws(use, segueError("freed", /was freed/));
  await assert.rejects(segue.update(), segueError("freed", /was freed/));
});

test("a list that was changed in place is looked up as it is now", async (t) => {
  const segue = await listener(t);
  const list = [id("jazz", 1), id("metal", 2)];
  const before = segue.rank(list);
  assert.deepEqual(order(segue.rank(list)), order(before));
  list[0] = "nobody knows this";
  assert.deepEqual(order(segue.rank(list)), [id("metal", 2), "nobody knows this"]);
  list.push(id("folk", 3));
  assert.equal(segue.rank(list).length, 3);
  list.length = 0;
  assert.equal(segue.rank(list).length, 0);
});

test("rows that the caller wrote to are the caller's own", async (t) => {
  const segue = await listener(t);
  const list = [id("jazz", 1), id("metal", 2)];
  const rows = segue.rows(list);
  const [first] = rows;
  rows.fill(UNKNOWN_ROW);
  assert.equal(segue.rows(list)[0], first);
});
