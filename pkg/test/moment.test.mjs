// When and where somebody listens: what the model has learned of it counts, and nothing else changes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { everything, first, id, listener, order, ranked, segueError } from "./support.mjs";

const calm = (track) => Number(track.slice(-2)) % 2 === 0;
const calmAmong = (queue, count) => order(queue).slice(0, count).filter(calm).length;

async function heard(t, model = ranked) {
  const segue = await listener(t, model);
  segue.observe({ kind: "like", track: id("jazz", 3) });
  return segue;
}

test("a mood that the model knows raises what is liked in it, and says so, until it is another moment", async (t) => {
  const segue = await heard(t);
  const before = segue.rank(everything);
  segue.moment({ mood: "calm" });
  const queue = segue.rank(everything, { explain: true });
  assert(calmAmong(queue, 20) > calmAmong(before, 20));
  const fits = queue.find(({ track }) => calm(track)).reasons.find(({ ground }) => ground === "moment");
  assert(fits.effect > 0 && fits.text === "fits the moment");
  segue.moment({});
  assert.deepEqual(segue.rank(everything), before);
});

test("values that the model never saw, and a model that knows no moments, change nothing", async (t) => {
  const strange = { region: "ZZ", device: "toaster", source: "x:y", mood: "", at: 1e12, tz_offset_min: 120 };
  for (const model of [ranked, first]) {
    const segue = await heard(t, model);
    const before = segue.rank(everything);
    segue.moment(strange);
    assert.deepEqual(segue.rank(everything), before);
  }
});

test("a moment outlasts what is known of the listener", async (t) => {
  const segue = await heard(t);
  segue.moment({ mood: "calm" });
  segue.reset();
  const fresh = await listener(t, ranked);
  fresh.moment({ mood: "calm" });
  assert.deepEqual(segue.rank(everything), fresh.rank(everything));
});

test("a moment that cannot be is refused by name", async (t) => {
  const segue = await heard(t);
  const refused = [
    [null, /moment is null: give an object/],
    [{ at: -1 }, /at is -1: give milliseconds/],
    [{ tz_offset_min: 2000 }, /tz_offset_min is 2000: give whole minutes/],
    [{ mood: 7 }, /mood is 7: give a string/],
    [{ device: "a\nb" }, /device is "a\\nb": give text of one line/],
  ];
  for (const [moment, message] of refused) {
    assert.throws(() => segue.moment(moment), segueError("argument", message));
  }
});
