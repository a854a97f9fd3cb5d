// Model files: what is one, and what is not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Segue } from "segue";
import { first, segueError } from "./support.mjs";

test("a model file may be a buffer or any view of one", async () => {
  const padded = new Uint8Array(first.length + 3);
  padded.set(first, 3);
  const buffer = padded.slice(3).buffer;
  const shared = new Uint8Array(new SharedArrayBuffer(first.length));
  shared.set(first);
  for (const bytes of [buffer, padded.subarray(3), new DataView(buffer), shared]) {
    const segue = await Segue.fromModel(bytes);
    assert.equal(segue.tracks, 60);
    segue.free();
  }
});

test("what is not bytes is refused as an argument", async () => {
  for (const model of [undefined, null, "segue-model", [1, 2], {}]) {
    await assert.rejects(Segue.fromModel(model), segueError("argument", /model is/));
  }
});

test("a file cut off anywhere is refused as a model", async () => {
  for (let length = 0; length < first.length; length += 7) {
    await assert.rejects(Segue.fromModel(first.subarray(0, length)), segueError("model", /./));
  }
});

test("a file with any one bit flipped is refused as a model", async () => {
  const file = Buffer.from(first);
  for (let at = 0; at < file.length; at++) {
    const bit = 1 << at % 8;
    file[at] ^= bit;
    await assert.rejects(Segue.fromModel(file), segueError("model", /./), `byte ${at}`);
    file[at] ^= bit;
  }
});

test("a file of a later format says what to do", async () => {
  const later = Buffer.from(first);
  later.writeUInt32LE(3, 16);
  await assert.rejects(Segue.fromModel(later), segueError("model", /format version 3.*update segue/));
});

test("a file that memory has no room for is refused, and the next one is not", async () => {
  const refused = segueError("model", /no memory for 4294967264 bytes/);
  await assert.rejects(Segue.fromModel(new Uint8Array(2 ** 32 - 32)), refused);
  const beyond = segueError("argument", /at most 4294967295/);
  await assert.rejects(Segue.fromModel(new Uint8Array(2 ** 32)), beyond);
  const segue = await Segue.fromModel(first);
  segue.free();
});
