// What a device keeps, and how it follows a registry: deltas, stores, several tabs, paid connections, some devices first.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { folderStore } from "segue/node";
import { everything, first, listener, open as openAny, order, second, sectionsOf, segueError, sha256, split } from "./support.mjs";
import { MemoryStore, delta, splitDelta, splitRenamed, publishSecond, serveSigned } from "./signed.mjs";

const open = (t, signed, options) => openAny(t, signed, { publicKey: signed.publicKey, store: new MemoryStore(), ...options });
/** Opens a registry, and waits until what was opened is kept. */
async function kept(t, signed, store) {
  const segue = await open(t, signed, { store });
  await segue.update();
  return segue;
}
const blobs = ({ registry }) => registry.asked.splice(0).filter((path) => path.includes("/blob/"));
const ranked = async (t, model) => order((await listener(t, model)).rank(everything));

test("an update is the delta and nothing else, and is kept as what was published", async (t) => {
  const signed = await serveSigned(t);
  const store = new MemoryStore();
  const segue = await open(t, signed, { store });
  publishSecond(signed);
  blobs(signed);
  await segue.update();
  assert.deepEqual(blobs(signed), [`/v1/blob/${sha256(delta)}`]);
  for (const [kind, bytes] of sectionsOf(second)) {
    assert.deepEqual(Buffer.from(store.blobs.get(sha256(bytes)) ?? []), bytes, kind);
  }
});

test("the next visit starts from what was kept, without a byte of it fetched, also offline", async (t) => {
  const signed = await serveSigned(t);
  const store = new MemoryStore();
  await kept(t, signed, store);
  signed.registry.asked.length = 0;
  const again = await open(t, signed, { store });
  assert.deepEqual(signed.registry.asked, []);
  const offline = await open(t, signed, { store, fetch: () => Promise.reject(new TypeError("offline")) });
  for (const segue of [again, offline]) assert.deepEqual(order(segue.rank(everything)), await ranked(t, first));
  await assert.rejects(offline.update(), segueError("unreachable", /offline/));
  publishSecond(signed);
  assert.equal(await again.update(), true);
  assert.equal(again.version, 2);
});

test("what is damaged in a store is fetched anew, and the store is mended", async (t) => {
  const signed = await serveSigned(t);
  const store = new MemoryStore();
  await kept(t, signed, store);
  for (const damage of [(bytes) => (bytes[9] ^= 1), (_, hash) => store.blobs.delete(hash), (bytes, hash) => store.blobs.set(hash, bytes.subarray(1))]) {
    const [hash, bytes] = [...store.blobs][1];
    damage(bytes, hash);
    const segue = await kept(t, signed, store);
    assert.deepEqual(order(segue.rank(everything)), await ranked(t, first));
    const offline = await open(t, signed, { store, fetch: () => Promise.reject(new TypeError("offline")) });
    assert.deepEqual(order(offline.rank(everything)), await ranked(t, first));
  }
  for (const kept of [{}, 7, "x", { trust: "", device: "" }, { trust: "\0\0", device: "d", model: { manifest: {}, here: [] } }, { trust: "x", device: "d", model: 5 }]) {
    store.kept = kept;
    const segue = await open(t, signed, { store });
    assert.deepEqual(order(segue.rank(everything)), await ranked(t, first));
  }
});

test("where nothing can be kept, it says so and everything else goes on", async (t) => {
  const signed = await serveSigned(t);
  const store = new MemoryStore();
  store.failing.add("write").add("read");
  const segue = await open(t, signed, { store });
  const states = [];
  segue.on("sync", ({ state, error }) => states.push([state, error?.code, error?.message]));
  publishSecond(signed);
  assert.equal(await segue.update(), true);
  const unkept = states.find(([state]) => state === "unkept");
  assert.deepEqual([unkept[1], /the disk is full/.test(unkept[2])], ["storage", true]);
  assert.deepEqual(order(segue.rank(everything)), await ranked(t, second));
});

test("a full disk keeps what was there: the next visit starts from the version before", async (t) => {
  const signed = await serveSigned(t);
  const store = new MemoryStore();
  const segue = await open(t, signed, { store });
  publishSecond(signed);
  store.failing.add("write");
  assert.equal(await segue.update(), true);
  store.failing.clear();
  const again = await open(t, signed, { store });
  assert.equal(again.version, 1);
  // Once there is room, what is in use is kept without another release.
  assert.equal(await segue.update(), false);
  assert.equal((await open(t, signed, { store })).version, 2);
  assert.equal(await again.update(), true);
  assert.deepEqual(order(again.rank(everything)), await ranked(t, second));
});

test("a delta that does not make what it should is done without", async (t) => {
  for (const damage of [(bytes) => bytes.subarray(0, -4), (bytes) => Buffer.from(bytes).fill(7, 60), () => Buffer.from("no delta at all")]) {
    const signed = await serveSigned(t);
    const segue = await open(t, signed);
    signed.publish(second, 2, { deltas: [{ from: 1, bytes: damage(delta) }] });
    assert.equal(await segue.update(), true);
    assert.deepEqual(order(segue.rank(everything)), await ranked(t, second));
  }
});

test("a delta that is damaged or is not there is done without, too", async (t) => {
  for (const spoil of [(files, path) => files.delete(path), (files, path) => files.set(path, Buffer.alloc(delta.length))]) {
    const signed = await serveSigned(t);
    const segue = await open(t, signed);
    publishSecond(signed);
    spoil(signed.registry.files, `/v1/blob/${sha256(delta)}`);
    assert.equal(await segue.update(), true);
    assert.deepEqual(order(segue.rank(everything)), await ranked(t, second));
  }
});

test("options that are none, or of another kind, are refused by name", async (t) => {
  const signed = await serveSigned(t);
  for (const [options, message] of [[{ publickey: "ab" }, /publickey/], [{ store: "folder" }, /store/], [{ store: {} }, /read, blob, write/], [{ device: 5 }, /device/], [{ follow: "no" }, /follow/]]) {
    await assert.rejects(open(t, signed, options), segueError("argument", message));
  }
  for (const path of [undefined, 5, {}, ""]) assert.throws(() => folderStore(path), TypeError);
});

test("updates tell how far they are", async (t) => {
  const signed = await serveSigned(t);
  const segue = await kept(t, signed, new MemoryStore());
  const seen = [];
  segue.on("sync", (status) => seen.push(status));
  publishSecond(signed);
  await segue.update();
  const states = seen.map(({ state }) => state).filter((state, at, all) => state !== all[at - 1]);
  assert.deepEqual(states, ["looking", "verifying", "fetching", "applying", "current"]);
  const fetching = seen.filter(({ state }) => state === "fetching");
  assert.deepEqual([fetching[0].received, fetching.at(-1).received, fetching[0].total], [0, delta.length, delta.length]);
  seen.length = 0;
  signed.registry.files.delete("/v1/manifest");
  await assert.rejects(segue.update());
  assert.deepEqual([seen.at(-1).state, seen.at(-1).error.code], ["failed", "unreachable"]);
});

test("some devices try a model first: those whose share it is, and the same ones each time", async (t) => {
  const signed = await serveSigned(t);
  const [all] = signed.models;
  signed.release(2, [all, signed.entry(second, 2, { share: 3000 })]).stamp();
  const versions = [];
  for (let device = 0; device < 100; device++) {
    versions.push((await open(t, signed, { device: `device ${device}` })).version);
  }
  const first = versions.filter((version) => version === 2).length;
  assert(first > 15 && first < 45, `${first} of 100`);
  for (let device = 0; device < 10; device++) {
    assert.equal((await open(t, signed, { device: `device ${device}` })).version, versions[device]);
  }
  // Drawn once, and kept.
  const store = new MemoryStore();
  await open(t, signed, { store });
  const { device } = store.kept;
  assert.match(device, /^[0-9a-f-]{36}$/);
  await open(t, signed, { store });
  assert.equal(store.kept.device, device);
});

test("over a connection that is paid for by the byte a whole model waits until it is asked for", async (t) => {
  const signed = await serveSigned(t);
  // More than may come unasked, of what nothing reads.
  const entry = (model, version) => {
    const { sections, ...rest } = signed.entry(model, version);
    const bytes = sectionsOf(model).find(([kind]) => kind === "factors")[1];
    return { ...rest, sections: sections.map((section) => (section.kind === "factors" ? { ...section, bytes: 300_000, hash: sha256(bytes) } : section)) };
  };
  const source = new EventTarget();
  let made;
  globalThis.EventSource = function (url) {
    made = url;
    return Object.assign(source, { close() {} });
  };
  const { navigator } = globalThis;
  const paid = { value: { connection: { saveData: true } }, configurable: true };
  Object.defineProperty(globalThis, "navigator", paid);
  t.after(() => {
    delete globalThis.EventSource;
    Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  });
  const segue = await open(t, signed, { follow: true });
  const reached = (wanted) => new Promise((resolve) => segue.on("sync", (status) => status.state === wanted && resolve(status)));
  await new Promise((tick) => setTimeout(tick, 50));
  assert.equal(made, `${signed.url}updates`);
  signed.release(2, [entry(second, 2)]).stamp();
  const waiting = reached("waiting");
  source.dispatchEvent(Object.assign(new Event("release"), { data: "2" }));
  assert((await waiting).total > 100_000);
  assert.equal(segue.version, 1);
  // A delta is no such thing.
  publishSecond(signed);
  signed.release(3, [signed.entry(second, 3, { deltas: [{ from: 1, bytes: delta }] })]).stamp();
  const current = reached("current");
  source.dispatchEvent(Object.assign(new Event("release"), { data: "3" }));
  await current;
  assert.equal(segue.version, 3);
});

test("a registry without keys is followed by deltas too, and nothing of it is kept", async (t) => {
  const signed = await serveSigned(t);
  const { release } = signed.parts;
  signed.show({ release: { ...release, signatures: [] } });
  const segue = await openAny(t, signed);
  publishSecond(signed);
  signed.show({ release: { ...signed.parts.release, signatures: [] } });
  blobs(signed);
  assert.equal(await segue.update(), true);
  assert.deepEqual(blobs(signed), [`/v1/blob/${sha256(delta)}`]);
});

test("what is freed in the middle of an update comes to nothing, and the next visit works", async (t) => {
  for (const after of ["/v1/manifest", "/v1/blob/"]) {
    const signed = await serveSigned(t);
    const store = new MemoryStore();
    const segue = await open(t, signed, { store });
    publishSecond(signed);
    signed.registry.intercept = (path) => {
      if (path.includes(after)) segue.free();
      return false;
    };
    await assert.rejects(segue.update(), segueError("freed", /./));
    signed.registry.intercept = () => false;
    const again = await open(t, signed, { store });
    assert.equal(again.version, 1);
    await again.update();
    assert.deepEqual(order(again.rank(everything)), await ranked(t, second));
  }
});

test("a folder keeps a model for Node, whole whenever the process ends", async (t) => {
  const signed = await serveSigned(t);
  const folder = join(mkdtempSync(join(tmpdir(), "segue-store-")), "of", "segue");
  t.after(() => rmSync(join(folder, "../.."), { recursive: true }));
  const store = () => folderStore(folder);
  // What follows it comes after what is kept of it.
  await (await open(t, signed, { store: store() })).update();
  publishSecond(signed);
  const offline = () => open(t, signed, { store: store(), fetch: () => Promise.reject(new TypeError("offline")) });
  const again = await offline();
  assert.deepEqual(order(again.rank(everything)), await ranked(t, first));
  await (await open(t, signed, { store: store() })).update();
  const names = readdirSync(folder).sort();
  const hashes = [...sectionsOf(second).map(([, bytes]) => sha256(bytes)), sha256(delta)];
  assert.deepEqual(names, [...new Set(hashes), "kept.json"].sort());

  // As a process leaves it that ends in the middle: something partial, and blobs that nothing names.
  for (const name of ["kept.json.tmp", `${"a".repeat(64)}.tmp`, "b".repeat(64)]) writeFileSync(join(folder, name), "half");
  assert.deepEqual(order((await offline()).rank(everything)), await ranked(t, second));
  // And what is damaged is no more than what is not there.
  writeFileSync(join(folder, hashes[0]), "half");
  writeFileSync(join(folder, "kept.json"), '{"trust":');
  const mended = await open(t, signed, { store: store() });
  assert.equal(mended.version, 2);
});

test("a folder that cannot be written to is told of, and the model works all the same", async (t) => {
  const signed = await serveSigned(t);
  const folder = join(mkdtempSync(join(tmpdir(), "segue-store-")), "file");
  t.after(() => rmSync(join(folder, ".."), { recursive: true }));
  writeFileSync(folder, "no folder");
  const segue = await open(t, signed, { store: folderStore(folder) });
  const unkept = new Promise((resolve) => segue.on("sync", ({ state, error }) => state === "unkept" && resolve(error)));
  publishSecond(signed);
  await segue.update();
  assert.equal((await unkept).code, "storage");
  assert.equal(segue.version, 2);
});

test("a listener who refuses far more under a new model has it told, once, and to the page alone", async (t) => {
  const signed = await serveSigned(t);
  const store = new MemoryStore();
  const listens = (segue, skips) => {
    const said = [];
    segue.on("worse", (worse) => said.push(worse));
    for (let at = 0; at < 64; at++) segue.observe({ kind: at % 8 < skips ? "skip" : "play", track: "jazz:05", played_ms: 9000, duration_ms: 10000 });
    return said;
  };
  const segue = await open(t, signed, { store });
  assert.deepEqual(listens(segue, 1), []);
  publishSecond(signed);
  signed.registry.asked.length = 0;
  await segue.update();
  const [worse, ...more] = listens(segue, 6);
  assert.deepEqual([worse.before, worse.now.version, more], [{ version: 1, heard: 56, refused: 8, failed: 0 }, 2, []]);
  assert(worse.now.refused > 10);
  assert(signed.registry.asked.every((path) => path === "/v1/manifest" || path.startsWith("/v1/blob/")));
  // What was counted outlives the visit.
  segue.free();
  await new Promise((turn) => setTimeout(turn, 50));
  assert.deepEqual(store.kept.tallies, [1, 56, 8, 0, 2, 16, 48, 0, 1]);
});

test("an update by a delta leaves a split catalogue what places the tracks that are not here", async (t) => {
  const signed = await serveSigned(t);
  signed.publish(split, 2);
  const store = new MemoryStore();
  const segue = await open(t, signed, { store, near: 0 });
  await segue.gather();
  signed.publish(splitRenamed, 3, { deltas: [{ from: 2, bytes: splitDelta }] });
  blobs(signed);
  assert.equal(await segue.update(), true);
  assert.deepEqual(blobs(signed), [`/v1/blob/${sha256(splitDelta)}`]);
  assert.match(segue.describe("jazz:00").title, /^Tune/);
  assert.equal(segue.rank(everything).unknown, 0);
  await segue.gather(3);
  assert.equal(segue.here, 60);
  await segue.update();
  const again = await open(t, signed, { store, near: 0, fetch: () => Promise.reject(new TypeError("offline")) });
  assert.equal(again.rank(everything).unknown, 0);
});

test("two tabs of one store: whichever writes last, neither forgets what the other saw", async (t) => {
  const signed = await serveSigned(t);
  const store = new MemoryStore();
  const old = { ...signed.parts };
  const [ahead, behind] = [await open(t, signed, { store }), await open(t, signed, { store })];
  publishSecond(signed);
  await ahead.update();
  // What is counted of the tab that is behind is remembered as it ends.
  behind.observe({ kind: "play", track: "jazz:05" });
  behind.free();
  await new Promise((turn) => setTimeout(turn, 50));
  const offline = await open(t, signed, { store, fetch: () => Promise.reject(new TypeError("offline")) });
  assert.equal(offline.version, 2);
  signed.show(old);
  await assert.rejects(ahead.update(), segueError("signature", /timestamp/));
  await assert.rejects((await open(t, signed, { store })).update(), segueError("signature", /timestamp/));
});

test("an open page does not unsee what could not be kept", async (t) => {
  const signed = await serveSigned(t);
  const store = new MemoryStore();
  const old = { ...signed.parts };
  const segue = await open(t, signed, { store });
  store.failing.add("write");
  publishSecond(signed);
  await segue.update();
  signed.show(old);
  await assert.rejects(segue.update(), segueError("signature", /timestamp/));
  assert.equal(segue.version, 2);
});

test("an open that fails leaves nothing that could write to the store later", async (t) => {
  const signed = await serveSigned(t);
  const store = new MemoryStore();
  const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  globalThis.document = document;
  t.after(() => delete globalThis.document);
  await assert.rejects(open(t, signed, { store, fetch: () => Promise.reject(new TypeError("offline")) }), segueError("unreachable", /./));
  const segue = await open(t, signed, { store });
  await segue.update();
  segue.observe({ kind: "play", track: "jazz:05", played_ms: 9000 });
  document.visibilityState = "hidden";
  document.dispatchEvent(new Event("visibilitychange"));
  await segue.update();
  // What was counted is there, and nothing is gone.
  assert.equal(store.kept.tallies[5], 1);
  const offline = await open(t, signed, { store, fetch: () => Promise.reject(new TypeError("offline")) });
  assert.deepEqual(order(offline.rank(everything)), await ranked(t, first));
});

test("an answer that comes too slowly is given up, and what waits for it goes on", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const signed = await serveSigned(t);
  const opening = open(t, signed, { store: false });
  for (let turn = 0; turn < 200; turn++) await new Promise((next) => setImmediate(next));
  const segue = await opening;
  const stalled = new Promise((begun) => {
    signed.registry.intercept = (path, response) => {
      if (path !== "/v1/manifest") return false;
      response.writeHead(200);
      response.write("{");
      begun();
      return true;
    };
  });
  const updating = segue.update();
  await stalled;
  for (let turn = 0; turn < 50; turn++) await new Promise((next) => setImmediate(next));
  t.mock.timers.tick(61_000);
  await assert.rejects(updating, segueError("unreachable", /nothing came for 30 s|not there after/));
});
