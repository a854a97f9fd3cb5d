// Whom a device believes. Each attack that The Update Framework names is one here, on a registry served over HTTP, and
// what was in use stays in use.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { everything, first, listener, open as openAny, order, second, sectionsOf, segueError, sha256 } from "./support.mjs";
import { DAY, MemoryStore, delta, envelope, newKey, publishSecond, serveSigned } from "./signed.mjs";

const open = (t, signed, options) => openAny(t, signed, { publicKey: signed.publicKey, store: new MemoryStore(), ...options });

/** That an update is refused for a reason, and that the first version goes on. */
async function refuses(segue, code, message) {
  const before = order(segue.rank(everything));
  await assert.rejects(segue.update(), segueError(code, message));
  assert.deepEqual([segue.version, segue.tracks], [1, 60]);
  assert.deepEqual(order(segue.rank(everything)), before);
}

test("what is signed by the keys that the root names is used, and so is what follows it", async (t) => {
  const signed = await serveSigned(t);
  const segue = await open(t, signed);
  publishSecond(signed);
  assert.equal(await segue.update(), true);
  assert.deepEqual([segue.version, segue.tracks], [2, 63]);
  assert.deepEqual(order(segue.rank(everything)), order((await listener(t, second)).rank(everything)));
});

test("arbitrary install: a model that somebody else signed is not opened, and not updated to", async (t) => {
  const signed = await serveSigned(t);
  await assert.rejects(open(t, signed, { publicKey: newKey().public }), segueError("signature", /not signed by the public key that this device was given/));
  const segue = await open(t, signed);
  const thief = newKey();
  signed.release(2, [signed.entry(second, 2)], { by: [thief] }).stamp();
  await refuses(segue, "signature", /release/);
  // One who gives their key the name of ours.
  const named = { ...thief, id: signed.keys.release[0].id };
  signed.release(2, [signed.entry(second, 2)], { by: [named] }).stamp();
  await refuses(segue, "signature", /release/);
});

test("a manifest without signatures, or without a timestamp, is refused by who has a key", async (t) => {
  const signed = await serveSigned(t);
  const segue = await open(t, signed);
  const { root, release, timestamp } = publishSecond(signed).parts;
  signed.show({ release });
  await refuses(segue, "signature", /signed/);
  signed.show({ root, release });
  await refuses(segue, "manifest", /timestamp/);
  signed.show({ root, release: { ...release, signatures: [] }, timestamp });
  await refuses(segue, "signature", /release/);
});

test("a signature of one role is none of another's, and none of another text", async (t) => {
  const signed = await serveSigned(t);
  const segue = await open(t, signed);
  const { root, release, timestamp } = publishSecond(signed).parts;
  const wrongRole = envelope("timestamp", JSON.parse(release.signed), signed.keys.release);
  signed.show({ root, release: wrongRole, timestamp });
  await refuses(segue, "signature", /./);
  signed.show({ root, release: { ...release, signed: release.signed.replace('"version":2', '"version":3') }, timestamp });
  await refuses(segue, "signature", /./);
});

test("endless data: a manifest, a root and a blob are read as far as they may be long", { timeout: 60_000 }, async (t) => {
  const signed = await serveSigned(t);
  const segue = await open(t, signed);
  const sent = { bytes: 0 };
  const endless = (which) => {
    signed.registry.intercept = (path, response) => {
      if (!path.includes(which)) return false;
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(1 << 16, 32))) sent.bytes += 1 << 16;
        if (!response.destroyed) response.once("drain", more);
      };
      more();
      return true;
    };
  };
  endless("/v1/manifest");
  await refuses(segue, "manifest", /goes on past/);
  signed.rotate().rotate().stamp();
  endless("/v1/root/2");
  await refuses(segue, "manifest", /goes on past/);
  publishSecond(signed);
  endless("/v1/blob/");
  await refuses(segue, "hash", /more bytes/);
  assert(sent.bytes < 64 << 20, `${sent.bytes} bytes were sent`);
});

test("extraneous dependencies: nothing is fetched that is not on the way to the model", async (t) => {
  const signed = await serveSigned(t);
  const segue = await open(t, signed);
  const other = [{ from: 7, bytes: Buffer.from("a delta from a version that is not here") }];
  const entry = signed.entry(second, 2, { deltas: [{ from: 1, bytes: delta }, ...other] });
  entry.sections.push({ kind: "malware", hash: sha256("malware"), bytes: 7 });
  signed.release(2, [entry]).stamp();
  signed.registry.asked.length = 0;
  assert.equal(await segue.update(), true);
  assert.deepEqual(signed.registry.asked, ["/v1/manifest", `/v1/blob/${sha256(delta)}`]);
});

test("rollback: neither an older release nor an older timestamp is believed, also after a restart", async (t) => {
  const signed = await serveSigned(t);
  const old = { ...signed.parts };
  const store = new MemoryStore();
  const segue = await open(t, signed, { store });
  publishSecond(signed);
  const current = { ...signed.parts };
  await segue.update();
  signed.stamp();
  assert.equal(await segue.update(), false);
  for (const [parts, message] of [[old, /timestamp/], [current, /timestamp/], [{ ...signed.parts, release: old.release }, /release/]]) {
    signed.show(parts);
    await assert.rejects(segue.update(), segueError("signature", message));
    const again = await open(t, signed, { store });
    assert.equal(again.version, 2);
    await assert.rejects(again.update(), segueError("signature", message));
    assert.equal(again.version, 2);
  }
});

test("a model that is put into force again is taken, by a release that is newer", async (t) => {
  const signed = await serveSigned(t);
  const segue = await open(t, signed);
  const [before] = signed.models;
  publishSecond(signed);
  await segue.update();
  signed.release(3, [before]).stamp();
  assert.equal(await segue.update(), true);
  assert.deepEqual([segue.version, segue.tracks], [1, 60]);
});

test("freeze: a timestamp, a release and a root that have expired are refused", async (t) => {
  const signed = await serveSigned(t);
  const segue = await open(t, signed);
  publishSecond(signed).stamp({ expires: Date.now() - DAY });
  await refuses(segue, "signature", /timestamp.*expired/);
  signed.release(3, signed.models, { expires: Date.now() - DAY }).stamp();
  await refuses(segue, "signature", /release.*expired/);
  signed.rotate({ expires: Date.now() - DAY }).stamp();
  await refuses(segue, "signature", /root.*expired/);
  // Nothing of it keeps from what is right.
  signed.rotate().release(4, signed.models).stamp();
  assert.equal(await segue.update(), true);
});

test("fast-forward: versions that a stolen key drove up are forgotten once the key is replaced", async (t) => {
  const signed = await serveSigned(t);
  const segue = await open(t, signed);
  signed.stamp({ version: 2 ** 52 });
  assert.equal(await segue.update(), false);
  signed.stamps = 10;
  publishSecond(signed);
  await refuses(segue, "signature", /timestamp/);
  signed.rotate({ timestamp: [newKey()] }).stamp();
  assert.equal(await segue.update(), true);
});

test("mix and match: a release beside the timestamp of another is refused", async (t) => {
  const signed = await serveSigned(t);
  const segue = await open(t, signed);
  publishSecond(signed);
  const { release } = signed.parts;
  signed.release(3, signed.models).stamp();
  signed.show({ ...signed.parts, release });
  await refuses(segue, "signature", /./);
});

test("malicious mirror: garbage in the place of anything is refused", async (t) => {
  const signed = await serveSigned(t);
  const segue = await open(t, signed);
  signed.publish(second, 2).rotate().rotate().stamp();
  const { files } = signed.registry;
  const factors = sectionsOf(second).find(([kind]) => kind === "factors")[1];
  for (const path of ["/v1/manifest", "/v1/root/2", `/v1/blob/${sha256(factors)}`]) {
    const good = files.get(path);
    for (const bad of ["", "null", "[]", "{}", '"text"', "{", "\u0000", '{"format":2,"release":{"signed":"\\u0000"}}', good.subarray(1), good.subarray(0, -1)]) {
      files.set(path, Buffer.from(bad));
      await refuses(segue, path.includes("blob") ? "hash" : "manifest", /./);
    }
    files.delete(path);
    await refuses(segue, "unreachable", /404/);
    files.set(path, good);
  }
  assert.equal(await segue.update(), true);
});

test("key compromise: what a key signs that was replaced is refused, by who saw the new root", async (t) => {
  const signed = await serveSigned(t);
  const segue = await open(t, signed);
  const stolen = { release: signed.keys.release, timestamp: signed.keys.timestamp };
  signed.rotate({ release: [newKey()], timestamp: [newKey()] }).stamp();
  signed.release(1, signed.models).stamp();
  await segue.update();
  signed.release(2, [signed.entry(second, 2)], { by: stolen.release }).stamp({ by: stolen.timestamp });
  await refuses(segue, "signature", /timestamp/);
  // With the new timestamp's key, but not the release's.
  signed.stamp();
  await refuses(segue, "signature", /release/);
});

test("a root goes by the keys of the one before; who is many behind goes through all of them", async (t) => {
  const signed = await serveSigned(t);
  const segue = await open(t, signed);
  const thief = newKey();
  const honest = { ...signed.keys };
  const { parts, roots } = signed;
  const kept = [{ ...parts }, roots.length];
  signed.rotate({ root: [thief], release: [thief], timestamp: [thief], by: [thief] });
  signed.release(2, [signed.entry(second, 2)]).stamp();
  await refuses(segue, "signature", /root/);

  Object.assign(signed.keys, honest);
  Object.assign(signed.parts, kept[0]);
  signed.roots.length = kept[1];
  for (let root = 0; root < 5; root++) signed.rotate({ root: [newKey()] });
  publishSecond(signed);
  assert.equal(await segue.update(), true);
  const newcomer = await open(t, signed);
  assert.equal(newcomer.version, 2);
});

test("a newcomer goes through however many roots there were", async (t) => {
  const signed = await serveSigned(t);
  for (let root = 1; root < 150; root++) signed.rotate({ root: [newKey()] });
  signed.stamp();
  assert.equal((await open(t, signed)).version, 1);
});

test("a clock that is a year ahead refuses what is new and keeps what there is; one that is behind does no harm", async (t) => {
  const signed = await serveSigned(t);
  const store = new MemoryStore();
  const segue = await open(t, signed, { store });
  publishSecond(signed);
  const now = Date.now();
  mock.timers.enable({ apis: ["Date"], now: now + 366 * DAY });
  t.after(() => mock.timers.reset());
  await refuses(segue, "signature", /expired/);
  assert.equal((await open(t, signed, { store })).version, 1);
  mock.timers.setTime(now - 366 * DAY);
  assert.equal(await segue.update(), true);
});

test("a public key that is none is refused as an argument", async (t) => {
  const signed = await serveSigned(t);
  for (const publicKey of ["", "ab", "A".repeat(64), 7, null]) {
    await assert.rejects(open(t, signed, { publicKey }), segueError("argument", /publicKey|64/));
  }
});

test("a model in use and one that is opened anew rank alike", async (t) => {
  const signed = await serveSigned(t);
  const segue = await open(t, signed);
  publishSecond(signed);
  await segue.update();
  assert.notDeepEqual(order(segue.rank(everything)), order((await listener(t, first)).rank(everything)));
  assert.deepEqual(order(segue.rank(everything)), order((await open(t, signed)).rank(everything)));
});
