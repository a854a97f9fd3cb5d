// A registry's documents as the module reads them: fields in a fixed order, with U+0000 between them. What they mean, and
// whether it is sound, is decided there; here only what cannot cross is refused.

import { SegueError } from "../error.js";
import { fields } from "../manifest.js";

type Fields = Record<string, unknown>;

class Tape {
  readonly #fields: string[] = [];

  get written(): string {
    return this.#fields.join("\0");
  }

  text(value: unknown, what: string): void {
    if (typeof value !== "string" || value.includes("\0")) throw refused(what, "text");
    this.#fields.push(value);
  }

  number(value: unknown, what: string): void {
    if (!Number.isSafeInteger(value)) throw refused(what, "a whole number");
    this.#fields.push(String(value));
  }

  /** Of what may be left out. */
  maybe(value: unknown, what: string): void {
    if (value === undefined) this.#fields.push("");
    else this.number(value, what);
  }

  list(values: unknown, what: string, each: (value: Fields, what: string) => void): void {
    if (!Array.isArray(values)) throw refused(what, "a list");
    this.number(values.length, what);
    for (const value of values) each(value, what);
  }

  envelope(value: unknown, what: string): Fields {
    const { signed, signatures } = fields(value);
    this.text(signed, `signed of ${what}`);
    this.list(signatures, `signatures of ${what}`, (signature, what) => {
      const { key, sig } = fields(signature);
      this.text(key, what);
      this.text(sig, what);
    });
    try {
      return fields(JSON.parse(signed as string));
    } catch (cause) {
      throw new SegueError("manifest", `${what} is signed as what is not JSON`, cause);
    }
  }

  root(value: unknown): number {
    const { version, expires, keys, roles } = this.envelope(value, "root");
    this.number(version, "version of root");
    this.number(expires, "expires of root");
    const named = Object.entries(fields(keys));
    this.list(named, "keys of root", (key, what) => {
      const [id, publicKey] = key as unknown as [string, unknown];
      this.text(id, what);
      this.text(publicKey, what);
    });
    for (const role of ["root", "release", "timestamp"]) {
      const { threshold, keys } = fields(fields(roles)[role]);
      this.number(threshold, `threshold of ${role}`);
      this.list(keys, `keys of ${role}`, (key, what) => this.text(key, what));
    }
    return version as number;
  }

  release(value: unknown): Fields {
    const release = this.envelope(value, "release");
    this.number(release["version"], "version of release");
    this.number(release["created_at"], "created_at of release");
    this.maybe(release["expires"], "expires of release");
    this.list(release["models"], "models", (model) => {
      const { version, share, sections, deltas = [] } = fields(model);
      this.number(version, "version of a model");
      this.maybe(share, "share of a model");
      this.list(sections, "sections", (section, what) => {
        const { kind, shard = 0, hash, bytes } = fields(section);
        this.text(kind, what);
        this.#blob(shard, hash, bytes, what);
      });
      this.list(deltas, "deltas", (delta, what) => {
        const { from, to, shard = 0, hash, bytes } = fields(delta);
        this.number(from, what);
        this.maybe(to, what);
        this.#blob(shard, hash, bytes, what);
      });
    });
    return release;
  }

  timestamp(value: unknown): void {
    const { version, expires, release } = this.envelope(value, "timestamp");
    this.number(version, "version of timestamp");
    this.number(expires, "expires of timestamp");
    const { version: of, hash } = fields(release);
    this.number(of, "release of timestamp");
    this.text(hash, "release of timestamp");
  }

  #blob(shard: unknown, hash: unknown, bytes: unknown, what: string): void {
    this.number(shard, what);
    this.text(hash, what);
    this.number(bytes, what);
  }
}

/** A root, and its version. */
export function rootTape(envelope: unknown): string {
  const tape = new Tape();
  tape.root(envelope);
  return tape.written;
}

/** A manifest, of which `hash` is the SHA-256 of the release's text, and what the release says. */
export function offerTape(manifest: unknown, hash: string): { tape: string; release: Fields } {
  const { format, root, release, timestamp } = fields(manifest);
  const tape = new Tape();
  tape.number(format, "format");
  tape.list(root === undefined ? [] : [root], "root", (root) => tape.root(root));
  const said = tape.release(release);
  tape.text(hash, "hash");
  tape.list(timestamp === undefined ? [] : [timestamp], "timestamp", (each) => tape.timestamp(each));
  return { tape: tape.written, release: said };
}

function refused(what: string, wanted: string): SegueError {
  return new SegueError("manifest", `not a manifest: ${what} is not ${wanted}`);
}
