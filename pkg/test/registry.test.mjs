// From a registry to a model that ranks: what is let through, and what is not.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { test } from "node:test";
import { Segue } from "segue";
import {
  everything,
  first,
  memory,
  open,
  order,
  sectionsOf,
  segueError,
  serve,
  sha256,
  split,
} from "./support.mjs";

test("a registry opens to a model that ranks, with every section fetched once", async (t) => {
  const registry = await serve(t, { version: 7 });
  const segue = await open(t, registry);
  assert.deepEqual([segue.version, segue.tracks], [7, 60]);
  const fromFile = await Segue.fromModel(first);
  assert.deepEqual(segue.rank(everything), fromFile.rank(everything));
  fromFile.free();
  assert.equal(registry.asked[0], "/v1/manifest");
  assert.equal(new Set(registry.asked).size, registry.asked.length);
  assert.equal(registry.asked.length, 1 + registry.manifest.sections.length);
});

test("the folder may be a URL object, and its last slash may be missing", async (t) => {
  const registry = await serve(t);
  await open(t, registry, { registry: `${registry.origin}/v1` });
  await open(t, registry, { registry: new URL(registry.url) });
});

test("a fetch of one's own that is none, or answers with nothing, is said to be so", async (t) => {
  const registry = await serve(t);
  for (const fetch of [5, () => undefined, async () => ({ ok: true })]) {
    await assert.rejects(open(t, registry, { fetch }), segueError("argument", /fetch/));
  }
});

test("sections are fetched in parallel", { timeout: 10_000 }, async (t) => {
  const registry = await serve(t);
  const waiting = [];
  registry.intercept = (path, response) => {
    if (path === "/v1/manifest") return false;
    waiting.push([path, response]);
    if (waiting.length === registry.manifest.sections.length) {
      for (const [held, answer] of waiting) answer.end(registry.files.get(held));
    }
    return true;
  };
  await open(t, registry);
});

const wasm = readFileSync(new URL("../wasm/segue_wasm_bg.wasm", import.meta.url));

/**
 * A package that has not loaded its module yet, and whose module comes once every one of `paths` was
 * asked for. Answers for the blobs only where `blobs` says so.
 */
async function fresh(registry, paths, blobs = true) {
  const { Segue } = await import(`../dist/index.js?${registry.origin}`);
  const closed = [];
  let give;
  registry.intercept = (path, response) => {
    const module = path === "/module.wasm";
    if (module) {
      give = () => response.writeHead(200, { "content-type": "application/wasm" }).end(wasm);
    }
    if (paths.every((path) => registry.asked.includes(path))) give?.();
    const held = path.startsWith("/v1/blob/") && !blobs;
    if (held) closed.push(new Promise((done) => response.on("close", done)));
    return module || held;
  };
  const options = { registry: registry.url, wasm: `${registry.origin}/module.wasm`, near: 0 };
  return { open: () => Segue.open(options), closed };
}

test("what ranking starts with is asked for while the module is on its way", { timeout: 10_000 }, async (t) => {
  const registry = await serve(t, { model: split });
  const start = ["ids", "factors", "taste", "clusters", "shards"].map((kind) => registry.pathOf(kind));
  const segue = await (await fresh(registry, start)).open();
  assert.equal(segue.tracks, 60);
  assert.equal(registry.asked.length, 2 + start.length, "everything once, and nothing else");
  segue.free();
});

test("what was asked for ahead is given up where the manifest proves unsound", { timeout: 10_000 }, async (t) => {
  const registry = await serve(t);
  registry.publishManifest({ ...registry.manifest, version: 0 });
  const blobs = registry.manifest.sections.map(({ kind }) => registry.pathOf(kind));
  const { open, closed } = await fresh(registry, blobs, false);
  await assert.rejects(open(), { code: "manifest", message: /version 0/ });
  await Promise.all(closed);
  assert.equal(closed.length, blobs.length);
});

test("what is no hash is not asked for", async (t) => {
  const registry = await serve(t);
  reref(registry, { hash: "../../secret" });
  const { open } = await fresh(registry, ["/v1/manifest"]);
  await assert.rejects(open(), { code: "manifest", message: /hexadecimal/ });
  assert.deepEqual(registry.asked.sort(), ["/module.wasm", "/v1/manifest"]);
});

test("a fetch of the caller's own is used for all of it", async (t) => {
  const registry = await serve(t);
  const seen = [];
  const own = (url, request) => {
    seen.push(new URL(url).pathname);
    return fetch(url, request);
  };
  await open(t, registry, { fetch: own });
  assert.deepEqual(seen.sort(), [...registry.asked].sort());
});

test("a section of a kind that a later version adds is passed over", async (t) => {
  const registry = await serve(t);
  registry.publishSections([...sectionsOf(first), ["moods", Buffer.from("…")]], 1);
  const segue = await open(t, registry);
  assert.equal(segue.tracks, 60);
  assert(!registry.asked.includes(registry.pathOf("moods")));
});

test("a registry without names and clusters still ranks", async (t) => {
  const registry = await serve(t);
  const bare = sectionsOf(first).filter(([kind]) => kind !== "text" && kind !== "clusters");
  registry.publishSections(bare, 1);
  const segue = await open(t, registry);
  assert.equal(order(segue.rank(everything)).length, 60);
  assert.deepEqual(segue.clusters, []);
  const { row, ...rest } = segue.describe("jazz:00");
  const cluster = { cluster: undefined, clusterName: undefined };
  assert.deepEqual(rest, { title: "", artist: "", durationMs: 0, ...cluster });
});

/** Each spoils a registry; `open` must refuse it with this code and message. */
const SPOILED = [
  ["no manifest", (r) => r.files.delete("/v1/manifest"), "unreachable", /\/v1\/manifest answers 404/],
  ["a manifest that is no JSON", (r) => r.files.set("/v1/manifest", Buffer.from("<html>")), "manifest", /manifest is not JSON/],
  ["a manifest that is null", (r) => r.publishJson(null), "manifest", /not a manifest/],
  ["a later format", (r) => r.publishJson({ format: 3, release: "elsewhere" }), "manifest", /format 3.*update/i],
  ["an earlier format", (r) => r.publishJson({ format: 1, sections: [] }), "manifest", /format 1.*publish/],
  ["a release that is no JSON", (r) => r.publishJson({ format: 2, release: { signed: "<html>", signatures: [] } }), "manifest", /not a manifest/],
  ["a format that is no number", (r) => r.publishManifest({ ...r.manifest, format: "1" }), "manifest", /not a manifest/],
  ["version 0", (r) => r.publishManifest({ ...r.manifest, version: 0 }), "manifest", /version 0/],
  ["a fractional version", (r) => r.publishManifest({ ...r.manifest, version: 1.5 }), "manifest", /not a manifest/],
  ["no sections", (r) => r.publishManifest({ ...r.manifest, sections: [] }), "manifest", /names 0 sections/],
  ["sections that are no list", (r) => r.publishManifest({ ...r.manifest, sections: {} }), "manifest", /not a list/],
  ["a section named twice", (r) => r.publishManifest({ ...r.manifest, sections: [...r.manifest.sections, r.manifest.sections[0]] }), "manifest", /named twice/],
  ["a hash that climbs out of the folder", (r) => reref(r, { hash: "../../secret" }), "manifest", /hexadecimal/],
  ["a section without bytes", (r) => reref(r, { bytes: 0 }), "manifest", /claims 0 bytes/],
  ["a section of negative length", (r) => reref(r, { bytes: -1 }), "manifest", /not a list of kind/],
  ["a missing section", (r) => r.files.delete(r.pathOf("factors")), "unreachable", /blob\/[0-9a-f]{64} answers 404/],
  ["a truncated section", (r) => respoil(r, (bytes) => bytes.subarray(1)), "hash", /factors.*bytes where the manifest promises/],
  ["a flipped bit", (r) => respoil(r, flip), "hash", /factors.*does not have the hash/],
  ["a section that is what the manifest promises, but no model", (r) => r.publishSections([["ids", Buffer.alloc(64)], ...sectionsOf(first).slice(1)], 1), "model", /`ids`/],
  ["a required section left out", (r) => r.publishSections(sectionsOf(first).slice(1), 1), "model", /`ids` is missing/],
];

/** Changes what the manifest says of the factors. */
function reref(registry, change) {
  const { sections, ...rest } = registry.manifest;
  const changed = sections.map((ref) => (ref.kind === "factors" ? { ...ref, ...change } : ref));
  registry.publishManifest({ ...rest, sections: changed });
}

/** Changes the bytes of the factors, and nothing of what the manifest says of them. */
function respoil(registry, change) {
  const path = registry.pathOf("factors");
  registry.files.set(path, change(registry.files.get(path)));
}

function flip(bytes) {
  const copy = Buffer.from(bytes);
  copy[40] ^= 1;
  return copy;
}

test("a spoiled registry is refused by what is wrong with it", async (t) => {
  for (const [name, spoil, code, message] of SPOILED) {
    await t.test(name, async (t) => {
      const registry = await serve(t);
      spoil(registry);
      await assert.rejects(Segue.open({ registry: registry.url }), segueError(code, message));
    });
  }
});

test("a registry that is not there is named, with what was seen", async () => {
  const server = createServer();
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  const opening = Segue.open({ registry: `http://127.0.0.1:${port}/v1/` });
  const message = new RegExp(`http://127.0.0.1:${port}/v1/manifest cannot be fetched`);
  await assert.rejects(opening, segueError("unreachable", message));
});

test("a section or a manifest that breaks off half-way is named", async (t) => {
  const registry = await serve(t);
  for (const broken of [registry.pathOf("factors"), "/v1/manifest"]) {
    registry.intercept = (path, response) => {
      if (path !== broken) return false;
      response.writeHead(200, { "content-length": 1000 });
      response.write("half", () => response.socket.destroy());
      return true;
    };
    const opening = Segue.open({ registry: registry.url });
    await assert.rejects(opening, segueError("unreachable", new RegExp(`${broken} broke off`)));
  }
});

test("an error of fetching says what was asked for, and what was answered", async (t) => {
  const registry = await serve(t);
  const failing = async (options) => Segue.open({ registry: registry.url, ...options }).then(
    (segue) => segue.free(),
    ({ code, url, status }) => ({ code, url, status }),
  );
  const url = `${registry.url}manifest`;
  registry.intercept = (_, response) => Boolean(response.writeHead(503).end());
  assert.deepEqual(await failing(), { code: "unreachable", url, status: 503 });
  const offline = () => Promise.reject(new TypeError("offline"));
  assert.deepEqual(await failing({ fetch: offline }), { code: "unreachable", url, status: undefined });
  registry.intercept = (_, response) => Boolean(response.writeHead(200).end("[]"));
  assert.deepEqual(await failing(), { code: "manifest", url: undefined, status: undefined });
});

test("a section that the cache holds damaged is fetched anew, past the cache", async (t) => {
  const registry = await serve(t);
  for (const damage of [flip, (bytes) => bytes.subarray(1), (bytes) => Buffer.concat([bytes, bytes])]) {
    const modes = [];
    const cached = async (url, request) => {
      const response = await fetch(url, request);
      if (new URL(url).pathname !== registry.pathOf("factors")) return response;
      modes.push(request.cache);
      const bytes = Buffer.from(await response.arrayBuffer());
      return new Response(request.cache === "reload" ? bytes : damage(bytes));
    };
    const segue = await open(t, registry, { fetch: cached });
    assert.equal(segue.tracks, 60);
    assert.deepEqual(modes, ["default", "reload"]);
  }
});

test("a section that is damaged where it lies is asked for twice, not more", async (t) => {
  const registry = await serve(t);
  respoil(registry, flip);
  await assert.rejects(Segue.open({ registry: registry.url }), segueError("hash", /publish it again/));
  const path = registry.pathOf("factors");
  assert.equal(registry.asked.filter((asked) => asked === path).length, 2);
});

test("a section without end is read as far as the manifest promises", { timeout: 10_000 }, async (t) => {
  const registry = await serve(t);
  const promised = registry.manifest.sections.find(({ kind }) => kind === "factors").bytes;
  const given = [];
  const endless = (url, request) => {
    if (new URL(url).pathname !== registry.pathOf("factors")) return fetch(url, request);
    const at = given.push({ bytes: 0, ended: false }) - 1;
    const body = new ReadableStream({
      pull(controller) {
        given[at].bytes += 100;
        controller.enqueue(new Uint8Array(100));
      },
      cancel: () => void (given[at].ended = true),
    });
    return new Response(body);
  };
  const opening = Segue.open({ registry: registry.url, fetch: endless });
  const message = new RegExp(`factors.* has more bytes where the manifest promises ${promised}`);
  await assert.rejects(opening, segueError("hash", message));
  assert.equal(given.length, 2);
  // A stream keeps a few chunks ready.
  for (const { bytes, ended } of given) assert(ended && bytes <= promised + 500, `${bytes} bytes`);
});

test("a registry that is not a URL is refused before anything is fetched", async () => {
  for (const registry of ["v1/", "", undefined]) {
    await assert.rejects(Segue.open({ registry }), segueError("argument", /is not a URL/));
  }
  await assert.rejects(Segue.open(undefined), segueError("argument", /options is undefined/));
});

test("an open that fails leaves nothing allocated, and does not stand in the way of the next", async (t) => {
  const registry = await serve(t);
  const good = registry.manifest;
  const noModel = [...sectionsOf(first).slice(0, -1), ["text", Buffer.alloc(200_000)]];
  registry.publishSections(noModel, 1);
  const fail = () => assert.rejects(Segue.open({ registry: registry.url }), segueError("model", /`text`/));
  for (let n = 0; n < 3; n++) await fail();
  const before = memory.buffer.byteLength;
  for (let n = 0; n < 30; n++) await fail();
  assert.equal(memory.buffer.byteLength, before);

  registry.publishManifest(good);
  await open(t, registry);
});

test("a model that was opened and freed leaves nothing allocated", async (t) => {
  const registry = await serve(t);
  const use = async () => {
    const segue = await Segue.open({ registry: registry.url });
    segue.observe({ kind: "like", track: "jazz:00" });
    segue.rank(everything, { explain: true });
    segue.free();
  };
  for (let n = 0; n < 3; n++) await use();
  const before = memory.buffer.byteLength;
  for (let n = 0; n < 100; n++) await use();
  assert.equal(memory.buffer.byteLength, before);
});

test("a blob's address is the hash of its bytes", async (t) => {
  const registry = await serve(t);
  for (const { kind, hash } of registry.manifest.sections) {
    assert.equal(sha256(registry.files.get(registry.pathOf(kind))), hash);
  }
});
