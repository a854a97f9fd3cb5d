// What the last tracks say of the next one, and where a sitting ends.

import assert from "node:assert/strict";
import { test } from "node:test";
import { everything, followed, listener, open, order, second, serve } from "./support.mjs";

const MINUTE = 60_000;
const NOON = 1_764_072_000_000;

/** The reason that a track has of what was just played; `undefined` where it has none. */
function following(segue, track) {
  const place = segue.rank(everything, { explain: true }).find((place) => place.track === track);
  return place.reasons.find(({ ground }) => ground === "followed");
}

/** What is left once the votes are gone: the queue of a model that has none. */
async function assertNoVotes(t, segue, plays) {
  const without = await listener(t, second);
  for (const track of plays) without.observe({ kind: "play", track });
  // What was played last also keeps its artist at a distance, votes or not.
  const options = { explain: true, artistGap: 0 };
  assert.deepEqual(segue.rank(everything, options), without.rank(everything, options));
}

test("a track that often follows the last one comes up and says why", async (t) => {
  const segue = await listener(t, followed);
  const before = order(segue.rank(everything)).indexOf("metal:07");
  segue.observe({ kind: "play", track: "jazz:07" });
  assert.equal(following(segue, "metal:08"), undefined);
  const reason = following(segue, "metal:07");
  assert.equal(reason.text, "often follows a track you just played");
  assert.deepEqual(reason.tracks, segue.rows(["jazz:07"]));
  assert(reason.effect > 0.4);
  assert(order(segue.rank(everything)).indexOf("metal:07") < Math.min(before, 2));
  assert.equal(following(segue, "jazz:07").text, "you just played it");
});

test("after leave what was played says nothing of what comes next, and taste stays", async (t) => {
  const segue = await listener(t, followed);
  segue.observe({ kind: "play", track: "jazz:07" });
  segue.leave();
  await assertNoVotes(t, segue, ["jazz:07"]);
  segue.leave();
  segue.observe({ kind: "play", track: "folk:05" });
  assert.notEqual(following(segue, "jazz:05"), undefined);
  assert.equal(following(segue, "metal:07"), undefined);
});

test("a new listener has no sitting to leave", async (t) => {
  const segue = await listener(t, followed);
  segue.leave();
  await assertNoVotes(t, segue, []);
});

test("more than half an hour between the end of one event and the next is a new sitting", async (t) => {
  const votes = async (second, first = {}) => {
    const segue = await listener(t, followed);
    segue.observe({ kind: "play", track: "jazz:07", ...first });
    segue.observe({ kind: "click", track: "folk:01", ...second });
    return following(segue, "metal:07") !== undefined;
  };
  assert.equal(await votes({ at: NOON + 30 * MINUTE }, { at: NOON }), true);
  assert.equal(await votes({ at: NOON + 30 * MINUTE + 1 }, { at: NOON }), false);
  const heard = { at: NOON, played_ms: 5 * MINUTE };
  assert.equal(await votes({ at: NOON + 35 * MINUTE }, heard), true);
  assert.equal(await votes({ at: NOON + 35 * MINUTE + 1 }, heard), false);
  // Without times there is nothing to tell it by, nor where time runs backwards.
  assert.equal(await votes({}, { at: NOON }), true);
  assert.equal(await votes({ at: NOON }), true);
  assert.equal(await votes({ at: NOON - 300 * MINUTE }, { at: NOON }), true);
});

test("an event that is refused tells no time", async (t) => {
  const segue = await listener(t, followed);
  segue.observe({ kind: "play", track: "jazz:07", at: NOON });
  assert.throws(() => segue.observe({ kind: "sing", track: "jazz:08", at: NOON + 300 * MINUTE }));
  assert.throws(() => segue.observe({ kind: "play", track: 1e6, at: NOON + 300 * MINUTE }));
  assert.notEqual(following(segue, "metal:07"), undefined);
});

test("an event on an unknown track tells the time as well", async (t) => {
  const segue = await listener(t, followed);
  segue.observe({ kind: "play", track: "jazz:07", at: NOON });
  segue.observe({ kind: "play", track: "nobody:0", at: NOON + 25 * MINUTE });
  segue.observe({ kind: "click", track: "folk:01", at: NOON + 50 * MINUTE });
  assert.notEqual(following(segue, "metal:07"), undefined);
});

test("history of another day, observed again, is no sitting once it is left", async (t) => {
  const segue = await listener(t, followed);
  const history = ["folk:03", "jazz:07"];
  history.forEach((track, n) => segue.observe({ kind: "play", track, at: NOON + n * MINUTE }));
  segue.leave();
  await assertNoVotes(t, segue, history);
});

test("an update carries the sitting over, and its time", async (t) => {
  const registry = await serve(t);
  const segue = await open(t, registry);
  segue.observe({ kind: "play", track: "jazz:07", at: NOON });
  assert.equal(following(segue, "metal:07"), undefined);
  registry.publish(followed, 2);
  await segue.update();
  assert.notEqual(following(segue, "metal:07"), undefined);
  segue.observe({ kind: "click", track: "folk:01", at: NOON + 31 * MINUTE });
  assert.equal(following(segue, "metal:07"), undefined);
});

test("an event that waited for its track is of the sitting unless the listener has left since", async (t) => {
  for (const left of [false, true]) {
    const registry = await serve(t);
    const segue = await open(t, registry);
    assert.equal(segue.observe({ kind: "play", track: "jazz:20" }), false);
    if (left) segue.leave();
    registry.publish(followed, 2);
    await segue.update();
    assert.equal(segue.evidence()[0].track, "jazz:20");
    const place = segue.rank(["metal:20", ...everything], { explain: true });
    const { reasons } = place.find(({ track }) => track === "metal:20");
    assert.equal(reasons.some(({ ground }) => ground === "followed"), !left);
  }
});
