// A registry like any other: a folder behind an HTTP server on the loopback interface.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname } from "node:path";
import { Segue, SegueError } from "../dist/index.js";

/** The module's memory, which all models of a process share, once there is one. */
export let memory;
const { instantiate } = WebAssembly;
WebAssembly.instantiate = async (...given) => {
  const made = await instantiate(...given);
  ({ memory } = (made.instance ?? made).exports);
  return made;
};

const fixture = (name) => readFileSync(new URL(`fixtures/${name}.segue`, import.meta.url));

/** Three genres of twenty tracks, "jazz:00" to "folk:19", and the version after it. */
export const first = fixture("first");
/** Here 00 of each genre has gone, 20 and 21 have come. */
export const second = fixture("second");

/** The first version with what the people of a genre finish: 00 to 09 of it, the lower the more. */
export const kindred = fixture("kindred");
/** The first version split: 00, 04, … of each genre are the head, the others in a shard a genre. */
export const split = fixture("split");
/** The second version, split likewise. */
export const splitSecond = fixture("split-second");
/** The second version again, in which "jazz:07" is followed by "metal:07", and that by "folk:07". */
export const followed = fixture("followed");

/** The first one, ordered by what foretells a yes: the lower half of each genre is liked more than the upper. */
export const ranked = fixture("ranked");

/** The same with albums: those of the artist of a genre's 03 have 03 and 08, and 13 and 18. */
export const albums = fixture("albums");

export const GENRES = ["jazz", "metal", "folk"];
export const id = (genre, n) => `${genre}:${String(n).padStart(2, "0")}`;
export const everything = GENRES.flatMap((genre) =>
  Array.from({ length: 20 }, (_, n) => id(genre, n)),
);

const NAMES = ["", "ids", "factors", "taste", "clusters", "text", "shards", "cells", "neighbours", "transitions", "finished", "rates", "ranker", "albums", "tags", "context"];

/** The sections of a model file, as [kind, bytes, shard]. */
export function sectionsOf(file) {
  return Array.from({ length: file.readUInt32LE(20) }, (_, index) => {
    const entry = 32 + 32 * index;
    const offset = Number(file.readBigUInt64LE(entry + 8));
    const length = Number(file.readBigUInt64LE(entry + 16));
    const bytes = file.subarray(offset, offset + length);
    return [NAMES[file.readUInt32LE(entry)], bytes, file.readUInt32LE(entry + 4)];
  });
}

export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

/** Serves `registry.files`, path → bytes, until the test `t` has ended. */
export async function serve(t, { model = first, version = 1 } = {}) {
  const registry = {
    files: new Map(),
    /** Paths in the order in which they were asked for. */
    asked: [],
    /** May answer in the server's place, by returning true. */
    intercept: (_path, _response) => false,

    publish(model, version) {
      this.publishSections(sectionsOf(model), version);
    },
    publishSections(sections, version) {
      const refs = sections.map(([kind, bytes, shard]) => {
        const hash = sha256(bytes);
        this.files.set(`/v1/blob/${hash}`, bytes);
        return { kind, ...(shard > 0 && { shard }), hash, bytes: bytes.length };
      });
      this.publishManifest({ format: 2, version, created_at: 1764000000000, sections: refs });
    },
    /** What a manifest says, as { format, version, created_at, sections }: a release of one model of its version. */
    publishManifest({ format, version, created_at, sections }) {
      const signed = JSON.stringify({ version, created_at, models: [{ version, sections }] });
      this.publishJson({ format, release: { signed, signatures: [] } });
    },
    publishJson(json) {
      this.files.set("/v1/manifest", Buffer.from(JSON.stringify(json)));
    },
    get manifest() {
      const { format, release } = JSON.parse(this.files.get("/v1/manifest"));
      const { models, ...rest } = JSON.parse(release.signed);
      return { format, ...rest, sections: models[0].sections };
    },
    pathOf(kind, shard) {
      const is = (section) => section.kind === kind && section.shard === shard;
      return `/v1/blob/${this.manifest.sections.find(is).hash}`;
    },
    /** The names of what was asked for since the last time, as "kind shard". */
    named() {
      const names = new Map(
        this.manifest.sections.map(({ kind, shard, hash }) => [
          `/v1/blob/${hash}`,
          shard ? `${kind} ${shard}` : kind,
        ]),
      );
      return this.asked.splice(0).map((path) => names.get(path) ?? path);
    },
  };
  const answer = (request, response) => {
    registry.asked.push(request.url);
    if (registry.intercept(request.url, response)) return;
    const bytes = registry.files.get(request.url);
    const type = TYPES[extname(request.url)] ?? "application/octet-stream";
    response.writeHead(bytes ? 200 : 404, { "content-type": type }).end(bytes);
  };
  let server = createServer(answer);
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  t.after(stop);
  const { port } = server.address();
  /** All connections break off, and another server is at the same address. */
  registry.restart = () => {
    stop();
    server = createServer(answer).listen(port, "127.0.0.1");
  };
  registry.origin = `http://127.0.0.1:${port}`;
  registry.url = `${registry.origin}/v1/`;
  registry.publish(model, version);
  return registry;
}

/** A listener on the first version. */
export async function listener(t, model = first) {
  const segue = await Segue.fromModel(model);
  t.after(() => segue.free());
  return segue;
}

/** Opens a registry, to be freed after the test. */
export async function open(t, registry, options) {
  const segue = await Segue.open({ registry: registry.url, ...options });
  t.after(() => segue.free());
  return segue;
}

/** What `assert.throws` and `assert.rejects` take for a `SegueError`. */
export const segueError = (code, message) => (error) => {
  assert(error instanceof SegueError, `${error?.stack ?? error}`);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  return true;
};

/** The ids of a queue, in order. */
export const order = (queue) => Array.from(queue, ({ track }) => track);

/** The mean place of a genre in a queue. */
export function meanPlace(queue, genre) {
  const places = order(queue).flatMap((track, at) => (track.startsWith(genre) ? [at] : []));
  return places.reduce((sum, at) => sum + at, 0) / places.length;
}
