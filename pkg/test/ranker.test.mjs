// What a model does that has learned what foretells a yes and a no.

import assert from "node:assert/strict";
import { test } from "node:test";
import { everything, id, listener, meanPlace, ranked } from "./support.mjs";

const skips = (queue, genre) => queue.filter(({ track }) => track.startsWith(genre)).map(({ skip }) => skip);
const mean = (numbers) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

test("a skip of a genre makes further skips of it more probable, and the genre falls", async (t) => {
  const segue = await listener(t, ranked);
  const rest = everything.filter((track) => track !== id("jazz", 0));
  const before = segue.rank(rest);
  segue.observe({ kind: "skip", track: id("jazz", 0), played_ms: 3000 });
  const after = segue.rank(rest);
  assert(mean(skips(after, "jazz")) > mean(skips(before, "jazz")) + 0.02);
  const [jazz, folk] = ["jazz", "folk"].map((genre) => mean(skips(after, genre)) - mean(skips(before, genre)));
  assert(jazz > folk, `jazz by ${jazz}, folk by ${folk}`);
  assert(meanPlace(after, "jazz") > meanPlace(before, "jazz") + 2);
});

test("probabilities are probabilities, and those of the catalogue are those of a list", async (t) => {
  const segue = await listener(t, ranked);
  segue.catalogue(everything);
  segue.observe({ kind: "like", track: id("folk", 4) });
  const top = segue.top({ limit: everything.length });
  const bySkip = new Map(segue.rank(everything).map(({ track, skip }) => [track, skip]));
  assert.equal(top.length, everything.length);
  for (const { track, skip } of top) {
    assert(skip > 0 && skip < 1);
    assert.equal(skip, bySkip.get(track));
  }
});

test("of unknown tracks nothing is foretold", async (t) => {
  const segue = await listener(t, ranked);
  const [known, unknown] = segue.rank(["nobody:1", id("jazz", 3)]);
  assert.equal(typeof known.skip, "number");
  assert.equal(unknown.skip, null);
});

test("a model that has not learned it foretells nothing, and ranks", async (t) => {
  const segue = await listener(t);
  assert(segue.rank(everything).every(({ skip }) => skip === null));
});

test("what is said to raise a track raises it", async (t) => {
  const segue = await listener(t, ranked);
  const track = id("metal", 15);
  segue.observe({ kind: "like", track: id("metal", 2) });
  const [place] = segue.rank(everything, { explain: true }).filter((place) => place.track === track);
  const liked = place.reasons.find(({ ground }) => ground === "liked");
  assert(liked.effect > 0);
  const without = await listener(t, ranked);
  const at = (segue) => segue.rank(everything).findIndex((place) => place.track === track);
  assert(at(segue) < at(without));
});
