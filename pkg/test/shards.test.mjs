// A catalogue that is split: a page starts with its head, and the rest comes as it is needed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { UNKNOWN_ROW } from "segue";
import {
  GENRES,
  everything,
  first,
  id,
  listener,
  open,
  order,
  sectionsOf,
  segueError,
  serve,
  split,
  splitSecond,
} from "./support.mjs";

const HEAD = ["ids", "factors", "taste", "clusters", "shards"];
const liked = { kind: "like", track: "metal:04" };

/** The number of the shard of a genre. */
const shardOf = (genre) => 1 + GENRES.indexOf(genre);

/** Resolves once `segue` tells of an arrival for which `enough` holds. */
async function arrival(segue, enough = () => true) {
  for (;;) {
    const here = await new Promise((arrived) => {
      const end = segue.on("arrival", (here) => {
        end();
        arrived(here);
      });
    });
    if (enough(here)) return here;
  }
}

test("a page starts with what ranking needs of the head, and fetches no more unless asked", async (t) => {
  const registry = await serve(t, { model: split });
  const segue = await open(t, registry, { near: 0 });
  assert.deepEqual(registry.named().sort(), ["/v1/manifest", ...HEAD].sort());
  assert.deepEqual([segue.tracks, segue.here], [60, 15]);
  segue.observe(liked);
  const queue = segue.rank(everything);
  assert.deepEqual([queue.unknown, queue.estimated], [45, 0]);
  assert.equal(queue[0].known && queue[0].track.startsWith("metal"), true);
  assert.equal(segue.top({ limit: 60 }).length, 15);
  assert.deepEqual(registry.named(), []);
});

test("gather() fetches the rest of the head and then the shards nearest to the listener", async (t) => {
  const registry = await serve(t, { model: split });
  const segue = await open(t, registry, { near: 0 });
  segue.observe(liked);
  registry.named();
  await segue.gather(1);
  const metal = shardOf("metal");
  const fetched = registry.named();
  assert.deepEqual(fetched.slice(0, 2).sort(), ["cells", "text"]);
  assert.deepEqual(fetched.slice(2).sort(), [`factors ${metal}`, `ids ${metal}`, `text ${metal}`]);
  assert.equal(segue.here, 30);
  await segue.gather(1);
  assert.deepEqual(registry.named(), [], "it is here already");
  await segue.gather(3);
  assert.equal(segue.here, 60);
});

test("a track whose shard is not here is placed by its cluster and popularity, and says so", async (t) => {
  const registry = await serve(t, { model: split });
  const segue = await open(t, registry, { near: 0 });
  segue.observe(liked);
  await segue.gather(0);
  const queue = segue.rank([...everything, "nobody:0"], { explain: true });
  assert.deepEqual([queue.estimated, queue.unknown], [45, 1]);
  const metal = queue.find(({ track }) => track === "metal:05");
  const jazz = queue.find(({ track }) => track === "jazz:05");
  assert.deepEqual([metal.known, metal.estimated], [true, true]);
  assert(metal.score > jazz.score);
  assert(metal.reasons.some(({ ground }) => ground === "liked"));
  assert.equal(queue.find(({ track }) => track === "metal:08").estimated, false);
  assert.deepEqual(segue.describe("metal:05").clusterName, "metal");
  assert.equal(segue.describe("metal:05").title, "");

  const whole = await listener(t, first);
  whole.observe(liked);
  await segue.gather(3);
  const strip = (queue) => queue.map(({ track, score, estimated }) => ({ track, score, estimated }));
  assert.deepEqual(strip(segue.rank(everything)), strip(whole.rank(everything)));
  assert.equal(segue.describe("metal:05").title, "Song 5");
});

test("by itself a page fetches what is near the listener, and tells of each arrival", async (t) => {
  const registry = await serve(t, { model: split });
  const segue = await open(t, registry, { near: 1 });
  const arrivals = [];
  segue.on("arrival", (here) => arrivals.push(here));
  await arrival(segue, (here) => here === 30);
  const at = arrivals.length;
  const near = segue.rank(everything).filter(({ estimated }) => !estimated);
  assert.equal(near.length, 30);
  // Towards a genre that is not here yet.
  const far = segue.rank(everything).findLast(({ estimated }) => estimated).track.split(":")[0];
  for (const n of ["00", "04", "08", "12"]) segue.observe({ kind: "like", track: `${far}:${n}` });
  assert.equal(await arrival(segue), 45);
  assert.equal(segue.rank([`${far}:05`]).estimated, 0);
  assert.deepEqual(arrivals.slice(0, at).includes(15), true, "cells and names tell of themselves");
});

test("an event on a track that is not here fetches its shard, and counts then", async (t) => {
  const registry = await serve(t, { model: split });
  const segue = await open(t, registry, { near: 0 });
  await segue.gather(0);
  assert.equal(segue.observe({ kind: "like", track: "folk:05" }), false);
  assert.deepEqual(segue.evidence(), []);
  await segue.gather(0);
  assert.deepEqual(segue.evidence().map(({ track }) => track), ["folk:05"]);
  assert.equal(segue.here, 30);
});

test("a catalogue that was named lists what arrives", async (t) => {
  const registry = await serve(t, { model: split });
  const segue = await open(t, registry, { near: 0 });
  assert.equal(segue.catalogue(["jazz:00", "jazz:05", "folk:07", "x"]), 1);
  await segue.gather(0);
  assert.deepEqual(order(segue.top({ limit: 9 })), ["jazz:00"]);
  await segue.gather(3);
  assert.deepEqual(order(segue.top({ limit: 9 })).sort(), ["folk:07", "jazz:00", "jazz:05"]);
});

test("a shard that never arrives leaves its tracks where they were, and ranking goes on", async (t) => {
  const registry = await serve(t, { model: split });
  const segue = await open(t, registry, { near: 0 });
  await segue.gather(0);
  let held = 0;
  registry.intercept = () => ++held > 0;
  const never = segue.gather(3);
  never.catch(() => {});
  while (held === 0) await new Promise((turn) => setTimeout(turn, 5));
  const queue = segue.rank(everything);
  assert.deepEqual([queue.length, queue.estimated, segue.here], [60, 45, 15]);
  segue.free();
  await assert.rejects(segue.gather(3), segueError("freed", /was freed/));
});

test("a shard that is damaged, or gone, is refused by name and asked for again", async (t) => {
  const registry = await serve(t, { model: split });
  const segue = await open(t, registry, { near: 0 });
  await segue.gather(0);
  const path = registry.pathOf("factors", 2);
  const sound = registry.files.get(path);
  registry.files.set(path, Buffer.from(sound).fill(7, 40, 50));
  await assert.rejects(segue.gather(3), segueError("hash", /factors/));
  registry.files.delete(path);
  await assert.rejects(segue.gather(3), segueError("unreachable", /404/));
  const before = segue.rank(everything).estimated;
  assert(before >= 15, "the others may have come");
  registry.files.set(path, sound);
  await segue.gather(3);
  assert.equal(segue.here, 60);
});

test("a shard of another version is refused, and the model goes on", async (t) => {
  const registry = await serve(t);
  const other = sectionsOf(splitSecond).filter(([, , shard]) => shard === 2);
  const mixed = [...sectionsOf(split).filter(([, , shard]) => shard !== 2), ...other];
  registry.publishSections(mixed, 1);
  const segue = await open(t, registry, { near: 0 });
  await segue.gather(0);
  await assert.rejects(segue.gather(3), segueError("model", /shard 2: .*another version/));
  assert.equal(segue.rank(everything).length, 60);
});

test("cells of another version are refused, and the model goes on", async (t) => {
  const registry = await serve(t);
  const isCells = ([kind]) => kind === "cells";
  const cells = sectionsOf(splitSecond).find(isCells);
  registry.publishSections(sectionsOf(split).map((section) => (isCells(section) ? cells : section)), 1);
  const segue = await open(t, registry, { near: 0 });
  await assert.rejects(segue.gather(0), segueError("model", /`cells` belongs to another version/));
  assert.equal(segue.rank(everything).unknown, 45);
});

test("an update carries the listener over, fetching first where their tracks went", async (t) => {
  const registry = await serve(t, { model: split });
  const segue = await open(t, registry, { near: 0 });
  await segue.gather(0);
  segue.observe({ kind: "like", track: "folk:05" });
  segue.observe({ kind: "skip", track: "jazz:04" });
  await segue.gather(0);
  registry.publish(splitSecond, 2);
  registry.named();
  assert.equal(await segue.update(), true);
  assert.deepEqual(segue.evidence().map(({ track }) => track).sort(), ["folk:05", "jazz:04"]);
  const folk = shardOf("folk");
  const fetched = registry.named();
  assert(fetched.includes(`factors ${folk}`) && !fetched.includes(`factors ${shardOf("jazz")}`), fetched);
});

test("an update that cannot be fetched whole changes nothing", async (t) => {
  const registry = await serve(t, { model: split });
  const segue = await open(t, registry, { near: 0 });
  await segue.gather(0);
  segue.observe({ kind: "like", track: "folk:05" });
  await segue.gather(0);
  registry.publish(splitSecond, 2);
  registry.files.delete(registry.pathOf("factors", shardOf("folk")));
  await assert.rejects(segue.update(), segueError("unreachable", /404/));
  assert.deepEqual([segue.version, segue.here], [1, 30]);
  assert.deepEqual(order(segue.rank(["folk:05", "nobody:1"])), ["folk:05", "nobody:1"]);
});

test("from a split catalogue to one that is not, and back", async (t) => {
  const registry = await serve(t, { model: split });
  const segue = await open(t, registry, { near: 0 });
  segue.observe(liked);
  registry.publish(first, 2);
  await segue.update();
  assert.deepEqual([segue.here, segue.evidence().length], [60, 1]);
  registry.publish(split, 3);
  await segue.update();
  assert.deepEqual([segue.here, segue.evidence().length], [15, 1]);
});

test("a model file holds every shard", async (t) => {
  const segue = await listener(t, split);
  assert.deepEqual([segue.tracks, segue.here], [60, 60]);
  const queue = segue.rank(everything);
  assert.deepEqual([queue.estimated, queue.unknown], [0, 0]);
  assert.equal(queue.every(({ row }) => row !== UNKNOWN_ROW), true);
});

test("gather() and on() refuse what they cannot take", async (t) => {
  const segue = await listener(t, split);
  await assert.rejects(segue.gather(-1), segueError("argument", /limit is -1/));
  await assert.rejects(open(t, await serve(t), { near: 1.5 }), segueError("argument", /near/));
  assert.throws(() => segue.on("arrive", () => {}), segueError("argument", /"arrival"/));
  await segue.gather();
});
