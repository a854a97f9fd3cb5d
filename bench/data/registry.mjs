// node registry.mjs MODEL OUT: the sections of a model file as a registry has them, uncompressed.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const KINDS = ["", "ids", "factors", "taste", "clusters", "text", "shards", "cells"];
const [HEADER, ENTRY] = [32, 32];

const [model, out] = process.argv.slice(2);
const file = readFileSync(model);
mkdirSync(join(out, "blob"), { recursive: true });
const sections = Array.from({ length: file.readUInt32LE(20) }, (_, index) => {
  const entry = HEADER + ENTRY * index;
  const offset = Number(file.readBigUInt64LE(entry + 8));
  const bytes = file.subarray(offset, offset + Number(file.readBigUInt64LE(entry + 16)));
  const hash = createHash("sha256").update(bytes).digest("hex");
  writeFileSync(join(out, "blob", hash), bytes);
  const [kind, shard] = [KINDS[file.readUInt32LE(entry)], file.readUInt32LE(entry + 4)];
  return { kind, shard, hash, bytes: bytes.length };
});
const signed = JSON.stringify({ version: 1, created_at: Date.now(), models: [{ version: 1, sections }] });
const manifest = { format: 2, release: { signed, signatures: [] } };
writeFileSync(join(out, "manifest"), JSON.stringify(manifest));

const start = ["ids", "factors", "taste", "clusters", "shards"];
const head = sections.filter(({ shard }) => shard === 0);
const sum = (some) => some.reduce((all, { bytes }) => all + bytes, 0).toLocaleString("en");
const first = head.filter(({ kind }) => start.includes(kind));
console.log(`first useful download: ${sum(first)} bytes`);
console.log(`the same with what places every track: ${sum(head.filter(({ kind }) => kind !== "text"))}`);
