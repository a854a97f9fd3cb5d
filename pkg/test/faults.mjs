// Everything that can go wrong between a registry and a device, drawn by a seed: whatever it is, the device has a whole
// model all the time, one that was published, and is at the one in force once nothing goes wrong any more.

import assert from "node:assert/strict";
import { Segue } from "../dist/index.js";
import { DAY, MemoryStore, delta, serveSigned } from "./signed.mjs";
import { everything, first, order, second } from "./support.mjs";

/** Numbers from a seed (mulberry32). */
function numbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A model, and the order that it puts everything in. */
async function model(file) {
  const segue = await Segue.fromModel(file);
  const ranked = order(segue.rank(everything)).join();
  segue.free();
  return { file, ranked };
}

/** What may happen to an answer, by name. */
const ANSWERS = {
  "cut before it begins": (_, __, response) => response.destroy(),
  "cut after its head": (_, bytes, response) => begin(response, bytes.length, () => response.destroy()),
  "cut after its first byte": (_, bytes, response) => cut(response, bytes, 1),
  "cut somewhere": (draw, bytes, response) => cut(response, bytes, Math.floor(draw() * bytes.length)),
  "cut before its last byte": (_, bytes, response) => cut(response, bytes, bytes.length - 1),
  "shorter than it should be": (draw, bytes, response) => response.end(bytes.subarray(0, draw() * bytes.length)),
  "longer than it should be": (_, bytes, response) => response.end(Buffer.concat([bytes, bytes])),
  "one bit flipped": (draw, bytes, response) => {
    const flipped = Buffer.from(bytes);
    flipped[Math.floor(draw() * bytes.length)] ^= 1 << Math.floor(8 * draw());
    response.end(flipped);
  },
  "another file": (draw, _, response, { files }) => response.end([...files.values()][Math.floor(draw() * files.size)]),
  nothing: (_, __, response) => response.end(),
  "not found": (_, __, response) => response.writeHead(404).end("not found"),
  "an error": (_, __, response) => response.writeHead(503).end("<h1>busy</h1>"),
  "a page that asks to log in": (_, __, response) => response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>"),
};

function begin(response, length, then) {
  response.writeHead(200, { "content-length": length });
  response.flushHeaders();
  setImmediate(then);
}

function cut(response, bytes, at) {
  begin(response, bytes.length, () => response.write(bytes.subarray(0, at), () => response.destroy()));
}

/** What may happen beside that. Each returns what undoes it. */
const OTHERS = {
  "an older manifest": ({ signed, past, draw }) => shown(signed, past[Math.floor(draw() * past.length)]),
  "parts of two manifests": ({ signed, past, draw }) => {
    const old = past[Math.floor(draw() * past.length)];
    const part = ["root", "release", "timestamp"][Math.floor(3 * draw())];
    return shown(signed, { ...signed.parts, [part]: old[part] });
  },
  "no signatures": ({ signed }) => shown(signed, { ...signed.parts, release: { ...signed.parts.release, signatures: [] } }),
  "a store that cannot be read": ({ store }) => failing(store, "read"),
  "a store that has lost its blobs": ({ store }) => failing(store, "blob"),
  "a store that is full": ({ store }) => failing(store, "write"),
  "a damaged blob in the store": ({ store, draw }) => {
    const all = [...store.blobs.values()];
    if (all.length > 0) all[Math.floor(draw() * all.length)][0] ^= 0x40;
    return () => {};
  },
  "a clock that is a year ahead": () => clock(366 * DAY),
  "a clock that is a year behind": () => clock(-366 * DAY),
  "a server that is started anew": ({ signed }) => (signed.registry.restart(), () => {}),
};

function shown(signed, parts) {
  signed.show(parts);
  return () => signed.show();
}

function failing(store, name) {
  store.failing.add(name);
  return () => store.failing.delete(name);
}

function clock(by) {
  const { now } = Date;
  Date.now = () => now() + by;
  return () => (Date.now = now);
}

/** Runs with faults drawn by seeds; counts those that came to pass, by name. */
export class Campaign {
  counts = {};
  #versions = new Map();
  #past = [];

  static async start(t) {
    const campaign = new Campaign();
    campaign.models = await Promise.all([first, second].map(model));
    campaign.signed = await serveSigned(t);
    campaign.#published(0);
    return campaign;
  }

  #published(which) {
    this.#versions.set(this.signed.version, this.models[which].ranked);
    this.#past.push({ ...this.signed.parts });
    if (this.#past.length > 20) this.#past.shift();
  }

  #publish(draw) {
    const { signed } = this;
    const which = signed.version % 2;
    const deltas = which === 1 && draw() < 0.8 ? [{ from: signed.version, bytes: delta }] : [];
    if (signed.roots.length < 40 && draw() < 0.02) signed.rotate();
    signed.publish(this.models[which].file, signed.version + 1, { deltas });
    this.#published(which);
  }

  /** Whether a device has a whole model, one that was published. */
  #whole(segue, what) {
    const ranked = order(segue.rank(everything)).join();
    assert.equal(ranked, this.#versions.get(segue.version), `version ${segue.version} after ${what}`);
    assert(segue.version <= this.signed.version);
  }

  async run(seed) {
    const draw = numbers(seed);
    const { signed } = this;
    const store = new MemoryStore();
    const open = (more) => Segue.open({ registry: signed.url, publicKey: signed.publicKey, store, ...more });
    const tabs = [];
    const known = draw() < 0.8;
    if (known) tabs.push(await open());
    if (known && draw() < 0.2) tabs.push(await open());
    for (let publish = draw() < 0.5 ? 1 : 2; publish > 0; publish--) this.#publish(draw);
    const given = { draw, signed, store, past: this.#past, tabs, open, hurt: false };
    let seen = 0;
    for (let attempt = 1 + Math.floor(2 * draw()); attempt > 0; attempt--) {
      await this.#attempt(given);
      // What is kept of what was seen only grows.
      const now = Number(store.kept?.trust.split("\0").at(-3) ?? 0);
      assert(now >= seen, `${seen} was seen, and ${now} is kept, seed ${seed}`);
      seen = now;
    }
    // What is kept is whole by itself.
    const offline = await open({ fetch: () => Promise.reject(new TypeError("offline")) }).catch(() => undefined);
    if (offline) this.#whole(offline, `offline, seed ${seed}`);
    else assert(store.kept?.model === undefined || given.hurt, `what was kept does not open, seed ${seed}`);
    const last = await open();
    tabs.push(last);
    for (const segue of tabs) {
      await segue.update();
      assert.equal(segue.version, signed.version, `seed ${seed}`);
      this.#whole(segue, `all was over, seed ${seed}`);
    }
    for (const segue of [...tabs, offline]) segue?.free();
  }

  async #attempt(given) {
    const { draw, signed, tabs, open } = given;
    const others = Object.keys(OTHERS);
    const answers = Object.keys(ANSWERS);
    const at = Math.floor(draw() * (others.length + answers.length + 1));
    const what = [...others, ...answers, "closed in the middle"][at];
    given.hurt ||= what.startsWith("a damaged");
    const undo = OTHERS[what]?.(given) ?? this.#answer(what, given);
    if (OTHERS[what]) this.counts[what] = (this.counts[what] ?? 0) + 1;
    try {
      if (tabs.length === 0) await open().then((segue) => tabs.push(segue), () => {});
      else await Promise.all(tabs.map((segue) => segue.update().catch(() => {})));
    } finally {
      undo();
      signed.registry.intercept = () => false;
    }
    for (const segue of tabs) this.#whole(segue, what);
  }

  /** Does something to the answer of one request, of a kind that is drawn; or closes a tab then. */
  #answer(what, { draw, signed, tabs }) {
    const kind = ["/v1/manifest", "/v1/blob/", "/v1/blob/", "/v1/root/"][Math.floor(4 * draw())];
    let skip = kind.includes("blob") ? Math.floor(3 * draw()) : 0;
    signed.registry.intercept = (path, response) => {
      const bytes = signed.registry.files.get(path);
      if (!path.startsWith(kind) || skip-- > 0 || !bytes) return false;
      signed.registry.intercept = () => false;
      this.counts[what] = (this.counts[what] ?? 0) + 1;
      if (ANSWERS[what]) ANSWERS[what](draw, bytes, response, signed.registry);
      else tabs.shift()?.free();
      return ANSWERS[what] !== undefined;
    };
    return () => {};
  }
}
