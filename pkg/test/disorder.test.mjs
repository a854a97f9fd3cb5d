// Events as they come: twice, late, early, and against each other.

import assert from "node:assert/strict";
import { test } from "node:test";
import { everything, id, listener, open, ranked, second, serve } from "./support.mjs";

const NOON = 1_764_072_000_000;
const HOUR = 3_600_000;
const CENTURY = 100 * 365 * 24 * HOUR;

const skip = { kind: "skip", track: id("jazz", 3), played_ms: 4000, duration_ms: 200_000 };

/** The queue of a new listener after `events`. */
async function after(t, events, model = ranked) {
  const segue = await listener(t, model);
  events.forEach((event) => segue.observe(event));
  return segue.rank(everything, { explain: true });
}

test("an event that comes twice with its id counts once, and without an id twice", async (t) => {
  const once = await after(t, [skip]);
  assert.deepEqual(await after(t, [1, 2].map(() => ({ ...skip, id: "e1" }))), once);
  assert.notDeepEqual(await after(t, [skip, skip]), once);
  assert.notDeepEqual(await after(t, ["e1", "e2"].map((id) => ({ ...skip, id }))), once);
});

test("an event that was refused may come again with its id", async (t) => {
  const segue = await listener(t, ranked);
  assert.throws(() => segue.observe({ ...skip, id: "e1", played_ms: -1 }), { code: "argument" });
  assert.throws(() => segue.observe({ ...skip, id: 7 }), { code: "argument" });
  assert.equal(segue.observe({ ...skip, id: "e1" }), true);
  assert.equal(segue.evidence().length, 1);
});

test("an id that is longer than any that is kept is refused", async (t) => {
  const segue = await listener(t, ranked);
  assert.throws(() => segue.observe({ ...skip, id: "e".repeat(513) }), { code: "argument", message: /512/ });
  assert.equal(segue.observe({ ...skip, id: "e".repeat(512) }), true);
});

test("no number of skips or dislikes raises a track", async (t) => {
  for (const kind of ["skip", "dislike"]) {
    const segue = await listener(t, ranked);
    const track = id("jazz", 3);
    const foretold = () => segue.rank(everything).find((place) => place.track === track).skip;
    let before = foretold();
    for (let n = 0; n < 60; n++) {
      segue.observe({ kind, track, played_ms: 0 });
      segue.leave();
      assert(foretold() >= before - 1e-3, `${kind} ${n}: ${foretold()} after ${before}`);
      before = Math.max(before, foretold());
    }
  }
});

test("after a reset ids are as new, and so they are once 4,096 others came", async (t) => {
  const segue = await listener(t, ranked);
  const amount = () => segue.evidence()[0].amounts.like;
  const like = (id) => segue.observe({ kind: "like", track: "folk:01", id });
  like("e1");
  segue.reset();
  like("e1");
  like("e1");
  assert.equal(amount(), 1);
  for (let n = 2; n <= 4096; n++) like(`e${n}`);
  like("e1");
  assert.equal(amount(), 4096);
  like("e4097");
  like("e1");
  assert.equal(amount(), 4098);
});

test("an event that waits for its track counts once, too, when a version comes that has it", async (t) => {
  const registry = await serve(t);
  const segue = await open(t, registry);
  const early = { kind: "like", track: "jazz:20", id: "e1" };
  assert.deepEqual([segue.observe(early), segue.observe(early)], [false, false]);
  registry.publish(second, 2);
  await segue.update();
  assert.equal(segue.observe(early), true);
  assert.deepEqual(segue.evidence().map(({ track, amounts }) => [track, amounts.like]), [["jazz:20", 1]]);
});

test("events count in the order in which they come, whatever their times say", async (t) => {
  const events = [skip, { kind: "like", track: id("folk", 2) }, { kind: "play", track: id("metal", 1) }];
  const untimed = await after(t, events);
  const backwards = events.map((event, n) => ({ ...event, at: NOON - n * 24 * HOUR }));
  assert.deepEqual(await after(t, backwards), untimed);
});

test("an event from the future starts a new sitting, and those after it are of that one", async (t) => {
  const [like, play] = [{ kind: "like", track: id("folk", 2) }, { kind: "play", track: id("metal", 1) }];
  const timed = await after(t, [{ ...skip, at: NOON }, { ...like, at: NOON + CENTURY }, { ...play, at: NOON + HOUR }]);
  const segue = await listener(t, ranked);
  segue.observe(skip);
  segue.leave();
  segue.observe(like);
  segue.observe(play);
  assert.deepEqual(timed, segue.rank(everything, { explain: true }));
});

test("a like and a skip of one track leave less of a yes than the like alone, in either order", async (t) => {
  const like = { kind: "like", track: skip.track };
  const foretold = async (events) => (await after(t, events)).find(({ track }) => track === id("jazz", 5)).skip;
  const [neither, liked, both, reversed] = [
    await foretold([]),
    await foretold([like]),
    await foretold([like, skip]),
    await foretold([skip, like]),
  ];
  assert(liked < both && liked < neither, `${liked} after a like, ${both} after both, ${neither} before`);
  assert(Math.abs(both - reversed) < 1e-3);
});

test("a sitting of nothing but skips and one of ten thousand events rank every candidate", async (t) => {
  const skips = everything.map((track) => ({ kind: "skip", track, played_ms: 0 }));
  const many = Array.from({ length: 10_000 }, (_, n) => {
    return { kind: ["skip", "play", "like"][n % 3], track: everything[(n * 7) % everything.length] };
  });
  for (const events of [skips, many]) {
    const queue = await after(t, events);
    assert.deepEqual(queue.map(({ track }) => track).sort(), [...everything].sort());
    assert(queue.every(({ score, skip }) => Number.isFinite(score) && skip > 0 && skip < 1));
  }
});

test("candidates that are all unknown stay in the order given", async (t) => {
  const segue = await listener(t, ranked);
  segue.observe(skip);
  const unknown = ["nobody:2", "nobody:0", "nobody:1"];
  const queue = segue.rank(unknown, { explain: true, artistGap: 2, diversity: 0.5, explore: 1 });
  assert.deepEqual(queue.map(({ track }) => track), unknown);
  assert(queue.every(({ score, skip, reasons }) => score === null && skip === null && reasons.length === 0));
});
