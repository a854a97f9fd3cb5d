// From one version of the model to the next, with the listener carried over.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Segue } from "segue";
import { everything, first, listener, meanPlace, open, order, second, sectionsOf, segueError, serve } from "./support.mjs";

test("an update swaps the model, says so, and keeps what the listener did", async (t) => {
  const registry = await serve(t);
  const segue = await open(t, registry);
  const versions = [];
  segue.on("update", (version) => versions.push([version, segue.version]));
  segue.observe({ kind: "skip", track: "jazz:05" });
  registry.publish(second, 2);
  assert.equal(await segue.update(), true);
  assert.deepEqual(versions, [[2, 2]]);
  assert.equal(segue.tracks, 63);

  const expected = await listener(t, second);
  expected.observe({ kind: "skip", track: "jazz:05" });
  assert.deepEqual(segue.rank(everything), expected.rank(everything));
  assert.deepEqual(segue.evidence(), expected.evidence());
  assert.equal(segue.evidence()[0].track, "jazz:05");
});

test("only sections whose bytes have changed are fetched", async (t) => {
  const registry = await serve(t);
  const segue = await open(t, registry);
  const names = sectionsOf(first).map(([kind, bytes]) => [kind, kind === "text" ? renamed(bytes) : bytes]);
  registry.publishSections(names, 2);
  registry.asked.length = 0;
  assert.equal(await segue.update(), true);
  assert.deepEqual(registry.asked, ["/v1/manifest", registry.pathOf("text")]);
  assert.equal(segue.describe("jazz:00").title, "Tune 0");
  assert.equal(order(segue.rank(everything)).length, 60);
});

const renamed = (text) => Buffer.from(text.toString("latin1").replaceAll("Song", "Tune"), "latin1");

test("a section that the next version leaves out is gone after it", async (t) => {
  const registry = await serve(t);
  const segue = await open(t, registry);
  registry.publishSections(sectionsOf(first).filter(([kind]) => kind !== "clusters"), 2);
  assert.equal(await segue.update(), true);
  assert.deepEqual(segue.clusters, []);
});

test("where there is no later version, the manifest is all that is fetched", async (t) => {
  const registry = await serve(t, { version: 3 });
  const segue = await open(t, registry);
  segue.on("update", () => assert.fail("nothing was updated"));
  for (const version of [3, 2]) {
    registry.publish(second, version);
    registry.asked.length = 0;
    assert.equal(await segue.update(), false);
    assert.deepEqual(registry.asked, ["/v1/manifest"]);
    assert.deepEqual([segue.version, segue.tracks], [3, 60]);
  }
});

test("an event on a track that the model did not know counts once it does", async (t) => {
  const registry = await serve(t);
  const segue = await open(t, registry);
  assert.equal(segue.observe({ kind: "skip", track: "jazz:20" }), false);
  assert.equal(segue.observe({ kind: "like", track: "nobody:0" }), false);
  const before = meanPlace(segue.rank(everything), "jazz");
  registry.publish(second, 2);
  await segue.update();
  assert.deepEqual(segue.evidence().map(({ track }) => track), ["jazz:20"]);
  assert(meanPlace(segue.rank(everything), "jazz") > before);
});

test("the catalogue lasts across an update", async (t) => {
  const registry = await serve(t);
  const segue = await open(t, registry);
  assert.equal(segue.catalogue(["jazz:00", "jazz:05", "jazz:20"]), 2);
  registry.publish(second, 2);
  await segue.update();
  assert.deepEqual(order(segue.top({ limit: 9 })).sort(), ["jazz:05", "jazz:20"]);
});

test("rows of an earlier version are refused rather than taken for other tracks", async (t) => {
  const registry = await serve(t);
  const segue = await open(t, registry);
  const rows = segue.rows(everything);
  registry.publish(second, 2);
  await segue.update();
  const refused = segueError("argument", /earlier version of the model: call rows\(\) again/);
  assert.throws(() => segue.rank(rows), refused);
  assert.throws(() => segue.top({ limit: 1, exclude: rows }), refused);
  assert.equal(segue.rank(segue.rows(everything)).unknown, 3);
});

test("an update that fails leaves the model as it was, and the next may succeed", async (t) => {
  const registry = await serve(t);
  const segue = await open(t, registry);
  segue.observe({ kind: "skip", track: "jazz:05" });
  const before = segue.rank(everything, { explain: true });
  const unchanged = () => {
    assert.equal(segue.version, 1);
    assert.deepEqual(segue.rank(everything, { explain: true }), before);
  };

  registry.publish(second, 2);
  const path = registry.pathOf("factors");
  const factors = registry.files.get(path);
  registry.files.set(path, Buffer.alloc(factors.length));
  await assert.rejects(segue.update(), segueError("hash", /factors/));
  unchanged();

  registry.files.delete(path);
  await assert.rejects(segue.update(), segueError("unreachable", /answers 404/));
  unchanged();

  // Each section is what the manifest promises, but they are of two versions.
  const mixed = sectionsOf(second).map(([kind, bytes], n) => [kind, n ? sectionsOf(first)[n][1] : bytes]);
  registry.publishSections(mixed, 2);
  await assert.rejects(segue.update(), segueError("model", /another version than the rest/));
  unchanged();

  registry.files.set("/v1/manifest", Buffer.from("oops"));
  await assert.rejects(segue.update(), segueError("manifest", /is not JSON/));
  unchanged();

  registry.publish(second, 2);
  assert.equal(await segue.update(), true);
  assert.equal(segue.version, 2);
});

test("two updates at a time are one", async (t) => {
  const registry = await serve(t);
  const segue = await open(t, registry);
  registry.publish(second, 2);
  registry.asked.length = 0;
  assert.deepEqual(await Promise.all([segue.update(), segue.update()]), [true, true]);
  assert.equal(registry.asked.filter((path) => path === "/v1/manifest").length, 1);
});

test("what the listener does while an update is under way is not lost", async (t) => {
  const registry = await serve(t);
  const segue = await open(t, registry);
  registry.publish(second, 2);
  const updating = segue.update();
  segue.observe({ kind: "skip", track: "jazz:05" });
  await updating;
  assert.deepEqual(segue.evidence().map(({ track }) => track), ["jazz:05"]);
});

test("freed while an update is under way, it stays freed", async (t) => {
  const registry = await serve(t);
  const segue = await Segue.open({ registry: registry.url });
  registry.publish(second, 2);
  const updating = segue.update();
  segue.free();
  await assert.rejects(updating, segueError("freed", /was freed/));
});

test("a listener that ended its subscription is not called", async (t) => {
  const registry = await serve(t);
  const segue = await open(t, registry);
  const calls = [];
  const listener = (version) => calls.push(version);
  const [end] = [segue.on("update", listener), segue.on("update", listener)];
  end();
  registry.publish(second, 2);
  await segue.update();
  assert.deepEqual(calls, [2]);
});

test("a listener that throws stops neither the update nor other listeners", async (t) => {
  const registry = await serve(t);
  const segue = await open(t, registry);
  const reported = [];
  const queue = globalThis.queueMicrotask;
  const caught = (task) => () => {
    try {
      task();
    } catch (error) {
      reported.push(error.message);
    }
  };
  t.mock.method(globalThis, "queueMicrotask", (task) => queue(caught(task)));
  const calls = [];
  segue.on("update", () => {
    throw new Error("from the listener");
  });
  segue.on("update", (version) => calls.push(version));
  registry.publish(second, 2);
  assert.equal(await segue.update(), true);
  assert.deepEqual(calls, [2]);
  assert.deepEqual(reported, ["from the listener"]);
});

test("a model that did not come from a registry has nowhere to look for another", async (t) => {
  const segue = await listener(t);
  assert.equal(segue.version, 0);
  await assert.rejects(segue.update(), segueError("argument", /open a registry/));
});
