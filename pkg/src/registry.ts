// Fetches from a registry, and lets through only what its manifest promises.

import { SegueError, messageOf, refused, unanswered } from "./error.js";
import { examine, foreseen, type Manifest, type Section } from "./manifest.js";

/** No manifest is longer: three documents of a megabyte each, in quotes. */
const MOST_MANIFEST_BYTES = 8 << 20;

/** How long an answer may take to begin, and to go on, in milliseconds. */
const PATIENCE = 30_000;

/** How long it may take altogether, and how many bytes must come each millisecond beyond that. */
const WHOLE = 60_000;
const SLOWEST = 1;

/** A root is one document. */
const MOST_ROOT_BYTES = 3 << 20;

/** What is called with each count of bytes as they come. */
export type Arrived = (bytes: number) => void;

/** What is here of blobs already, by hash. */
export type Cached = (hash: string) => Promise<Uint8Array<ArrayBuffer> | undefined>;

interface Asked {
  readonly response: Promise<Response>;
  readonly patience: Patience;
}

export class Registry {
  readonly #base: URL;
  readonly #fetch: typeof fetch;
  /** Blobs that were asked for before the manifest was examined, by hash. */
  readonly #ahead = new Map<string, Asked>();
  /** A manifest that was asked for early, to be taken once. */
  #early: Promise<unknown> | undefined;
  /** With answers that are not whole yet. */
  readonly #waiting = new Set<Patience>();
  #stopped = false;

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
  async manifest(loaded: Promise<void>): Promise<Manifest> {
    const json = await this.json("manifest");
    this.askAhead(json);
    await loaded.catch((cause: unknown) => {
      this.giveUp();
      throw cause;
    });
    return this.checked("manifest", () => examine(json));
  }

  /** Asks for the manifest, and for what it seems to name, while there is nothing yet to examine it with. */
  prepare(): void {
    const asked = this.#json("manifest");
    this.#early = asked;
    // Whoever takes it will see how it fails.
    asked.then((json) => this.askAhead(json)).catch(() => {});
  }

  /** What lies in the registry as `path`, which is JSON and never cached unseen. */
  async json(path: string): Promise<unknown> {
    const early = path === "manifest" ? this.#early : undefined;
    this.#early = undefined;
    return early ?? this.#json(path);
  }

  async #json(path: string): Promise<unknown> {
    const url = new URL(path, this.#base);
    const patience = this.#patience(0);
    const response = await this.#get(url, "no-cache", patience);
    const most = path === "manifest" ? MOST_MANIFEST_BYTES : MOST_ROOT_BYTES;
    const bytes = await this.#read(url, most, response, patience);
    if (!bytes) throw new SegueError("manifest", `${url} goes on past ${most} bytes: that is no ${path}`);
    try {
      return JSON.parse(new TextDecoder().decode(bytes));
    } catch (cause) {
      throw new SegueError("manifest", `${url} is not JSON: ${messageOf(cause)}`, cause);
    }
  }

  /** What `action` makes of `path`; what it throws says where that lies, and ends what was asked ahead. */
  checked<T>(path: string, action: () => T): T {
    try {
      return action();
    } catch (cause) {
      this.giveUp();
      if (cause instanceof SegueError && cause.code !== "manifest") throw cause;
      throw new SegueError("manifest", `${new URL(path, this.#base)}: ${messageOf(cause)}`, cause);
    }
  }

  /** Ends all that is being fetched; nothing more is. */
  stop(): void {
    this.#stopped = true;
    for (const patience of this.#waiting) patience.abort();
  }

  /** With an answer of so many bytes. */
  #patience(bytes: number, arrived?: Arrived): Patience {
    const patience = new Patience(WHOLE + bytes / SLOWEST, arrived);
    this.#waiting.add(patience);
    return patience;
  }

  get url(): string {
    return String(this.#base);
  }

  /** Asks for the blobs that a manifest seems to name, before it was examined. */
  askAhead(json: unknown): void {
    for (const hash of foreseen(json).filter((hash) => !this.#ahead.has(hash))) {
      const patience = this.#patience(0);
      const response = this.#get(this.#blobOf(hash), "default", patience);
      // Whoever takes it will see how it fails, and perhaps nobody will.
      response.catch(() => {});
      this.#ahead.set(hash, { response, patience });
    }
  }

  /** Stops the answers that nobody has taken. */
  giveUp(): void {
    for (const { patience } of this.#ahead.values()) patience.abort();
    this.#ahead.clear();
  }

  /** The bytes of all `blobs`, in parallel, from what is `cached` where it is. Where one fails the others are given up. */
  async blobs(blobs: readonly Section[], cached?: Cached, arrived?: Arrived): Promise<Uint8Array<ArrayBuffer>[]> {
    // One each: whoever listens to one signal for all of them is told that these are too many.
    const all = blobs.map(({ bytes }) => this.#patience(bytes, arrived));
    try {
      const bytes = blobs.map((blob, at) => this.#blob(blob, all[at]!, cached));
      this.giveUp();
      return await Promise.all(bytes);
    } catch (cause) {
      all.forEach((patience) => patience.abort());
      throw cause;
    }
  }

  async #blob(blob: Section, patience: Patience, cached?: Cached): Promise<Uint8Array<ArrayBuffer>> {
    // Before anything is waited for: else what was asked ahead would be given up.
    const asked = this.#take(blob.hash, patience);
    const here = asked ? undefined : await cached?.(blob.hash);
    // What is kept on a device can be damaged like anything else.
    if (here?.length === blob.bytes && (await sha256(here)) === blob.hash) return here;
    try {
      return await this.#fetched(blob, "default", patience, asked);
    } catch (cause) {
      const damaged = cause instanceof SegueError && cause.code === "hash";
      if (!damaged || patience.aborted) throw cause;
      // A blob is cached for ever: one that was cached badly would be read from there for ever.
      return this.#fetched(blob, "reload", patience);
    }
  }

  /** The answer for a blob that was asked for already. */
  #take(hash: string, patience: Patience): Promise<Response> | undefined {
    const asked = this.#ahead.get(hash);
    this.#ahead.delete(hash);
    if (!asked || asked.patience.aborted) return undefined;
    patience.adopt(asked.patience);
    return asked.response;
  }

  async #fetched(
    blob: Section,
    cache: RequestCache,
    patience: Patience,
    asked?: Promise<Response>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const url = this.#blobOf(blob.hash);
    const response = await (asked ?? this.#get(url, cache, patience));
    const bytes = await this.#read(url, blob.bytes, response, patience);
    const what = blob.kind === "delta" ? "the delta" : `section ${blob.kind}`;
    const wrong = (how: string) =>
      new SegueError("hash", `${what} at ${url} ${how}: publish it again`);
    if (bytes?.length !== blob.bytes) {
      const held = bytes?.length ?? "more";
      throw wrong(`has ${held} bytes where the manifest promises ${blob.bytes}`);
    }
    if ((await sha256(bytes)) !== blob.hash) {
      throw wrong("does not have the hash that the manifest promises");
    }
    return bytes;
  }

  async #read(
    url: URL,
    most: number,
    response: Response,
    patience: Patience,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      return await upTo(most, response, patience);
    } catch (cause) {
      throw unanswered(url, "broke off", patience.reason ?? cause);
    } finally {
      patience.end();
      this.#waiting.delete(patience);
    }
  }

  #blobOf(hash: string): URL {
    return new URL(`blob/${hash}`, this.#base);
  }

  async #get(url: URL, cache: RequestCache, patience: Patience): Promise<Response> {
    const request: RequestInit = { signal: patience.signal };
    // Not every edge runtime has a cache to be told about.
    if ("cache" in Request.prototype) request.cache = cache;
    if (this.#stopped) throw new SegueError("freed", "this Segue was freed: open another one");
    patience.wait();
    let response;
    try {
      response = await this.#fetch(url, request);
    } catch (cause) {
      patience.end();
      this.#waiting.delete(patience);
      throw unanswered(url, "cannot be fetched", patience.reason ?? cause);
    }
    if (typeof response?.arrayBuffer !== "function" || !response.ok) {
      patience.end();
      this.#waiting.delete(patience);
    }
    if (typeof response?.arrayBuffer !== "function") {
      throw new SegueError("argument", `fetch answered for ${url} with what is no Response`);
    }
    if (!response.ok) throw refused(url, response.status, ": check the registry");
    return response;
  }
}

/**
 * Gives up an answer that does not begin, does not go on, or goes on too slowly: whoever answers does not decide how long
 * that takes.
 */
class Patience {
  readonly arrived: Arrived | undefined;
  reason: Error | undefined;
  readonly #most: number;
  #own = new AbortController();
  #pause: ReturnType<typeof setTimeout> | undefined;
  #whole: ReturnType<typeof setTimeout> | undefined;

  constructor(most: number, arrived?: Arrived) {
    this.#most = most;
    this.arrived = arrived;
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  get aborted(): boolean {
    return this.signal.aborted;
  }

  /** From now on, once more. */
  wait(): void {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.#lose(`nothing came for ${PATIENCE / 1000} s`), PATIENCE);
    this.#whole ??= setTimeout(() => this.#lose(`it was not there after ${Math.round(this.#most / 1000)} s`), this.#most);
  }

  #lose(why: string): void {
    this.reason = new Error(why);
    this.abort();
  }

  end(): void {
    clearTimeout(this.#pause);
    clearTimeout(this.#whole);
    this.#whole = undefined;
  }

  abort(): void {
    this.end();
    this.#own.abort();
  }

  /** Takes over what another one began. */
  adopt(other: Patience): void {
    other.end();
    this.#own = other.#own;
    this.wait();
  }
}

/**
 * The body of `response`, or `undefined` where it goes on past `most` bytes, which is as far as it
 * is read: whoever answers does not decide how much memory that takes.
 */
async function upTo(
  most: number,
  response: Response,
  patience: Patience,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  // A runtime without streams, and a body that is empty.
  if (!response.body) return new Uint8Array(await response.arrayBuffer());
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    patience.wait();
    patience.arrived?.(read.value.length);
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

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined) {
    const message = "WebCrypto is missing: serve the page over HTTPS or from localhost";
    throw new SegueError("platform", message);
  }
  const digest = new Uint8Array(await subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
