// Fetches from a registry, and lets through only what its manifest promises.

import { Manifest as Examined, Parts } from "../wasm/segue_wasm.js";
import { SegueError, messageOf } from "./error.js";

export interface Section {
  readonly kind: string;
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
    // The browser's own insists on being called without a receiver.
    this.#fetch = fetch ?? ((...request) => globalThis.fetch(...request));
  }

  /** The manifest in force. The module must have been loaded. */
  async manifest(): Promise<Manifest> {
    const url = new URL("manifest", this.#base);
    const response = await this.#get(url, "no-cache");
    let json: unknown;
    try {
      json = await response.json();
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
    const url = new URL(`blob/${section.hash}`, this.#base);
    const response = await this.#get(url, "default", signal);
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = new Uint8Array(await response.arrayBuffer());
    } catch (cause) {
      throw new SegueError("unreachable", `${url} broke off: ${messageOf(cause)}`, cause);
    }
    const wrong = (what: string) =>
      new SegueError("hash", `section ${section.kind} at ${url} ${what}: publish it again`);
    if (bytes.length !== section.bytes) {
      throw wrong(`has ${bytes.length} bytes where the manifest promises ${section.bytes}`);
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
      throw new SegueError("unreachable", `${url} cannot be fetched: ${messageOf(cause)}`, cause);
    }
    if (!response.ok) {
      throw new SegueError("unreachable", `${url} answers ${response.status}: check the registry`);
    }
    return response;
  }
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
    for (const { kind, hash, bytes } of sections) examined.section(kind, hash, BigInt(bytes));
    examined.validate();
    return { version, sections: sections.filter(({ kind }) => Parts.reads(kind)) };
  } finally {
    examined.free();
  }
}

function isSection(value: unknown): value is Section {
  const { kind, hash, bytes } = (value ?? {}) as Record<string, unknown>;
  return typeof kind === "string" && typeof hash === "string" && whole(bytes);
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
