// A registry that is signed, by keys and code of its own: what the package believes is checked against an implementation
// that shares nothing with it.

import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { first, second, sectionsOf, serve, sha256 } from "./support.mjs";

export const DAY = 86_400_000;
export const delta = readFileSync(new URL("fixtures/first-second.delta", import.meta.url));

/** The first version split, with other names in its head, and what leads to it. */
export const splitRenamed = readFileSync(new URL("fixtures/split-renamed.segue", import.meta.url));
export const splitDelta = readFileSync(new URL("fixtures/split-renamed.delta", import.meta.url));

/** A key pair: its name, its public key in hexadecimal, and what signs. */
export function newKey() {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const id = createHash("sha256").update(raw).digest("hex").slice(0, 16);
  return { id, public: raw.toString("hex"), sign: (text) => sign(null, Buffer.from(text), privateKey).toString("base64") };
}

export const envelope = (role, document, keys) => {
  const signed = JSON.stringify(document);
  const signatures = keys.map((key) => ({ key: key.id, sig: key.sign(`segue-${role}-v1\n${signed}`) }));
  return { signed, signatures };
};

/** Serves a registry with roots, of which each part can be put in the place of another. */
export async function serveSigned(t, options) {
  const registry = await serve(t, options);
  return sign_(registry);
}

function sign_(registry) {
  const keys = { root: [newKey()], release: [newKey()], timestamp: [newKey()] };
  const signed = {
    registry,
    keys,
    roots: [],
    /** What the manifest is made of. */
    parts: {},
    models: [],
    stamps: 0,
    get url() {
      return registry.url;
    },
    get publicKey() {
      return this.anchor.public;
    },
    anchor: keys.root[0],

    /** The next root, by the keys of the one before it and its own. */
    rotate({ root = keys.root, release = keys.release, timestamp = keys.timestamp, expires = Date.now() + 365 * DAY, by } = {}) {
      const before = keys.root;
      Object.assign(keys, { root, release, timestamp });
      const all = [...root, ...release, ...timestamp];
      const role = (of) => ({ keys: of.map(({ id }) => id), threshold: 1 });
      const document = {
        version: this.roots.length + 1,
        expires,
        keys: Object.fromEntries(all.map((key) => [key.id, key.public])),
        roles: { root: role(root), release: role(release), timestamp: role(timestamp) },
      };
      const signers = by ?? [...new Set([...before, ...root])];
      this.parts.root = envelope("root", document, signers);
      this.roots.push(this.parts.root);
      registry.files.set(`/v1/root/${document.version}`, Buffer.from(JSON.stringify(this.parts.root)));
      return this;
    },

    /** Puts the blobs of a model there, and returns its entry. */
    entry(model, version, { deltas = [], share } = {}) {
      const blob = (bytes) => {
        const hash = sha256(bytes);
        registry.files.set(`/v1/blob/${hash}`, bytes);
        return { hash, bytes: bytes.length };
      };
      const sections = sectionsOf(model).map(([kind, bytes, shard]) => ({ kind, ...(shard > 0 && { shard }), ...blob(bytes) }));
      const steps = deltas.map(({ from, bytes }) => ({ from, ...blob(bytes) }));
      return { version, ...(share !== undefined && { share }), sections, ...(steps.length > 0 && { deltas: steps }) };
    },

    /** A release of these models. */
    release(version, models, { expires = Date.now() + 90 * DAY, by = keys.release } = {}) {
      this.models = models;
      this.parts.release = envelope("release", { version, created_at: 1764000000000, expires, models }, by);
      this.version = version;
      return this;
    },

    stamp({ expires = Date.now() + 7 * DAY, by = keys.timestamp, version = ++this.stamps } = {}) {
      const hash = sha256(this.parts.release.signed);
      this.parts.timestamp = envelope("timestamp", { version, expires, release: { version: this.version, hash } }, by);
      return this.show();
    },

    show(parts = this.parts) {
      registry.publishJson({ format: 2, ...parts });
      return this;
    },

    publish(model, version, options) {
      return this.release(version, [this.entry(model, version, options)]).stamp();
    },
  };
  return signed.rotate({ by: keys.root }).publish(first, 1);
}

/** The second version, with what leads to it from the first. */
export const publishSecond = (signed) => signed.publish(second, 2, { deltas: [{ from: 1, bytes: delta }] });

/** A store in memory. `failing` makes calls of these names fail. */
export class MemoryStore {
  blobs = new Map();
  kept;
  failing = new Set();
  #check(name) {
    if (this.failing.has(name)) throw new DOMException("the disk is full", "QuotaExceededError");
  }
  async read() {
    this.#check("read");
    return structuredClone(this.kept);
  }
  async blob(hash) {
    this.#check("blob");
    return this.blobs.get(hash)?.slice();
  }
  async write(kept, blobs) {
    this.#check("write");
    await new Promise((turn) => setImmediate(turn));
    this.kept = structuredClone(kept);
    const named = new Set([...(kept.model?.here ?? []), ...(kept.model?.via ?? [])].map(({ hash }) => hash));
    for (const hash of this.blobs.keys()) if (!named.has(hash)) this.blobs.delete(hash);
    for (const [hash, bytes] of blobs) if (named.has(hash)) this.blobs.set(hash, bytes.slice());
  }
}
