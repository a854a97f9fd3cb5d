// Fetches from a registry, and lets through only what its manifest promises.

import { Manifest as Examined, Parts } from "../wasm/segue_wasm.js";
import { SegueError, messageOf, refused, unanswered } from "./error.js";

export interface Section {
  readonly kind: string;
  /** 0 is the head. */
  readonly shard: number;
  /** SHA-256 in lower-case hexadecimal. */
  readonly hash: string;
  readonly bytes: number;
}

export interface Manifest {
  readonly version: number;
  /** Those that this version of the package reads. */
  readonly sections: readonly Section[];
}

export class Registry {
  readonly #base: URL;
  readonly #fetch: typeof fetch;

  /** `registry` is a folder, relative to the page where there is one. */
  constructor(registry: string | URL, fetch: typeof globalThis.fetch | undefined) {
    this.#base = folder(registry);
    if (fetch !== undefined && typeof fetch !== "function") {
      throw new SegueError("argument", "fetch is not a function: leave it out for the platform's");
    }
    // The browser's own insists on being called without a receiver.
    this.#fetch = fetch ?? ((...request) => globalThis.fetch(...request));
  }

  /** The manifest in force. The module must have been loaded. */
  async manifest(): Promise<Manifest> {
    const url = new URL("manifest", this.#base);
    const response = await this.#get(url, "no-cache");
    let text: string;
    try {
      text = await response.text();
    } catch (cause) {
      throw unanswered(url, "broke off", cause);
    }
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (cause) {
      throw new SegueError("manifest", `${url} is not JSON: ${messageOf(cause)}`, cause);
    }
    try {
      return examine(json);
    } catch (cause) {
      throw new SegueError("manifest", `${url}: ${messageOf(cause)}`, cause);
    }
  }

  /** The bytes of all `sections`, in parallel. Where one fails the others are given up. */
  async sections(sections: readonly Section[]): Promise<Uint8Array[]> {
    const abort = new AbortController();
    try {
      return await Promise.all(sections.map((section) => this.#section(section, abort.signal)));
    } catch (cause) {
      abort.abort();
      throw cause;
    }
  }

  async #section(section: Section, signal: AbortSignal): Promise<Uint8Array> {
    try {
      return await this.#blob(section, "default", signal);
    } catch (cause) {
      const damaged = cause instanceof SegueError && cause.code === "hash";
      if (!damaged || signal.aborted) throw cause;
      // A blob is cached for ever: one that was cached badly would be read from there for ever.
      return this.#blob(section, "reload", signal);
    }
  }

  async #blob(section: Section, cache: RequestCache, signal: AbortSignal): Promise<Uint8Array> {
    const url = new URL(`blob/${section.hash}`, this.#base);
    const response = await this.#get(url, cache, signal);
    let bytes: Uint8Array<ArrayBuffer> | undefined;
    try {
      bytes = await upTo(section.bytes, response);
    } catch (cause) {
      throw unanswered(url, "broke off", cause);
    }
    const wrong = (what: string) =>
      new SegueError("hash", `section ${section.kind} at ${url} ${what}: publish it again`);
    if (bytes?.length !== section.bytes) {
      const held = bytes?.length ?? "more";
      throw wrong(`has ${held} bytes where the manifest promises ${section.bytes}`);
    }
    if ((await sha256(bytes)) !== section.hash) {
      throw wrong("does not have the hash that the manifest promises");
    }
    return bytes;
  }

  async #get(url: URL, cache: RequestCache, signal?: AbortSignal): Promise<Response> {
    const request: RequestInit = signal ? { signal } : {};
    // Not every edge runtime has a cache to be told about.
    if ("cache" in Request.prototype) request.cache = cache;
    let response;
    try {
      response = await this.#fetch(url, request);
    } catch (cause) {
      throw unanswered(url, "cannot be fetched", cause);
    }
    if (typeof response?.arrayBuffer !== "function") {
      throw new SegueError("argument", `fetch answered for ${url} with what is no Response`);
    }
    if (!response.ok) throw refused(url, response.status, ": check the registry");
    return response;
  }
}

/**
 * The body of `response`, or `undefined` where it goes on past `most` bytes, which is as far as it
 * is read: whoever answers does not decide how much memory that takes.
 */
async function upTo(
  most: number,
  response: Response,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  // A runtime without streams, and a body that is empty.
  if (!response.body) return new Uint8Array(await response.arrayBuffer());
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    length += read.value.length;
    if (length > most) {
      // What becomes of the rest is nobody's concern, nor is a failure to stop it.
      reader.cancel().catch(() => {});
      return undefined;
    }
    chunks.push(read.value);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function folder(registry: string | URL): URL {
  const page = globalThis.document?.baseURI ?? globalThis.location?.href;
  let url: URL;
  try {
    url = new URL(registry, page);
  } catch (cause) {
    const message = `registry "${registry}" is not a URL: give a whole one outside of a page`;
    throw new SegueError("argument", message, cause);
  }
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

/** Checks the shape here, and the meaning where the rules are. */
function examine(json: unknown): Manifest {
  const { format, version, created_at, sections } = (json ?? {}) as Record<string, unknown>;
  if (!whole(format, 0xffff_ffff) || !whole(version) || !Number.isSafeInteger(created_at)) {
    throw new SegueError("manifest", "not a manifest: format, version or created_at is missing");
  }
  const examined = new Examined(format, BigInt(version), BigInt(created_at as number));
  try {
    if (!Array.isArray(sections) || !sections.every(isSection)) {
      throw new SegueError("manifest", "sections is not a list of kind, hash and bytes");
    }
    const listed = sections.map((section) => ({ ...section, shard: section.shard ?? 0 }));
    for (const { kind, shard, hash, bytes } of listed) {
      examined.section(kind, shard, hash, BigInt(bytes));
    }
    examined.validate();
    return { version, sections: listed.filter(({ kind }) => Parts.reads(kind)) };
  } finally {
    examined.free();
  }
}

/** The largest number of a shard. */
const LAST_SHARD = 254;

function isSection(value: unknown): value is Omit<Section, "shard"> & { shard?: number } {
  const { kind, shard = 0, hash, bytes } = (value ?? {}) as Record<string, unknown>;
  const named = typeof kind === "string" && typeof hash === "string";
  return named && whole(shard, LAST_SHARD) && whole(bytes);
}

function whole(value: unknown, most = Number.MAX_SAFE_INTEGER): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined) {
    const message = "WebCrypto is missing: serve the page over HTTPS or from localhost";
    throw new SegueError("platform", message);
  }
  const digest = new Uint8Array(await subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
