// Fetches from a registry, and lets through only what its manifest promises.

import { SegueError, messageOf, refused, unanswered } from "./error.js";
import { examine, foreseen, type Manifest, type Section } from "./manifest.js";

interface Asked {
  readonly response: Promise<Response>;
  readonly abort: AbortController;
}

export class Registry {
  readonly #base: URL;
  readonly #fetch: typeof fetch;
  /** Blobs that were asked for before the manifest was examined, by hash. */
  readonly #ahead = new Map<string, Asked>();

  /** `registry` is a folder, relative to the page where there is one. */
  constructor(registry: string | URL, fetch: typeof globalThis.fetch | undefined) {
    this.#base = folder(registry);
    if (fetch !== undefined && typeof fetch !== "function") {
      throw new SegueError("argument", "fetch is not a function: leave it out for the platform's");
    }
    // The browser's own insists on being called without a receiver.
    this.#fetch = fetch ?? ((...request) => globalThis.fetch(...request));
  }

  /**
   * The manifest in force, examined once the module is `loaded`. Until then the blobs that it seems
   * to name are asked for; they are read when they have proved to be what is wanted.
   */
  async manifest(loaded?: Promise<void>): Promise<Manifest> {
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
    if (loaded) this.#askAhead(foreseen(json));
    try {
      await loaded;
      return examine(json);
    } catch (cause) {
      this.#giveUp();
      if (cause instanceof SegueError && cause.code !== "manifest") throw cause;
      throw new SegueError("manifest", `${url}: ${messageOf(cause)}`, cause);
    }
  }

  #askAhead(hashes: readonly string[]): void {
    for (const hash of hashes) {
      const abort = new AbortController();
      const response = this.#get(this.#blobOf(hash), "default", abort.signal);
      // Whoever takes it will see how it fails, and perhaps nobody will.
      response.catch(() => {});
      this.#ahead.set(hash, { response, abort });
    }
  }

  /** Stops the answers that nobody has taken. */
  #giveUp(): void {
    for (const { abort } of this.#ahead.values()) abort.abort();
    this.#ahead.clear();
  }

  /** The bytes of all `sections`, in parallel. Where one fails the others are given up. */
  async sections(sections: readonly Section[]): Promise<Uint8Array[]> {
    // One each: whoever listens to one signal for all of them is told that these are too many.
    const aborts = sections.map(() => new AbortController());
    try {
      const all = sections.map((section, at) => this.#section(section, aborts[at]!.signal));
      this.#giveUp();
      return await Promise.all(all);
    } catch (cause) {
      aborts.forEach((abort) => abort.abort());
      throw cause;
    }
  }

  async #section(section: Section, signal: AbortSignal): Promise<Uint8Array> {
    try {
      return await this.#blob(section, this.#take(section, signal));
    } catch (cause) {
      const damaged = cause instanceof SegueError && cause.code === "hash";
      if (!damaged || signal.aborted) throw cause;
      // A blob is cached for ever: one that was cached badly would be read from there for ever.
      const again = this.#get(this.#blobOf(section.hash), "reload", signal);
      return this.#blob(section, again);
    }
  }

  /** The answer for a section, which may have been asked for already. */
  #take(section: Section, signal: AbortSignal): Promise<Response> {
    const asked = this.#ahead.get(section.hash);
    if (!asked) return this.#get(this.#blobOf(section.hash), "default", signal);
    this.#ahead.delete(section.hash);
    // It was asked for before there was anything to give it up with.
    signal.addEventListener("abort", () => asked.abort.abort());
    return asked.response;
  }

  async #blob(section: Section, answer: Promise<Response>): Promise<Uint8Array> {
    const url = this.#blobOf(section.hash);
    const response = await answer;
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

  #blobOf(hash: string): URL {
    return new URL(`blob/${hash}`, this.#base);
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

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined) {
    const message = "WebCrypto is missing: serve the page over HTTPS or from localhost";
    throw new SegueError("platform", message);
  }
  const digest = new Uint8Array(await subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
