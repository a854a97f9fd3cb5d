// Loads the WebAssembly module, once for all of a page.

import * as glue from "../wasm/segue_wasm.js";
import { SegueError, messageOf, refused, unanswered } from "./error.js";
import type { WasmSource } from "./types.js";

let loading: Promise<void> | undefined;

/** Resolves once the module can be used. After a failure the next call tries again. */
export function load(source: WasmSource | undefined): Promise<void> {
  loading ??= instantiate(source).catch((cause: unknown) => {
    loading = undefined;
    throw explained(cause);
  });
  return loading;
}

function explained(cause: unknown): SegueError {
  if (cause instanceof SegueError) return cause;
  return new SegueError("platform", `the WebAssembly module cannot be used: ${messageOf(cause)}`, cause);
}

let loadingLate: Promise<void> | undefined;

/** The same of the part that keeps a model current, once the rest is `loaded`. */
export function loadLate(source: WasmSource | undefined, loaded: Promise<void>): Promise<void> {
  loadingLate ??= instantiateLate(source, loaded).catch((cause: unknown) => {
    loadingLate = undefined;
    throw explained(cause);
  });
  return loadingLate;
}

async function instantiateLate(source: WasmSource | undefined, loaded: Promise<void>): Promise<void> {
  source ??= new URL("../wasm/segue_wasm_late.wasm", import.meta.url);
  const [module] = await Promise.all([compile(source), loaded]);
  const { exports } = await WebAssembly.instantiate(module, { segue: first, "./segue_wasm_bg.js": { ...glue } });
  glue.__wbg_set_wasm({ ...first, ...exports });
}

/** What the first part exports. */
let first: WebAssembly.Exports = {};

async function instantiate(source: WasmSource | undefined): Promise<void> {
  // Bundlers look for this very expression and bring the file along.
  source ??= new URL("../wasm/segue_wasm_bg.wasm", import.meta.url);
  const module = await compile(source);
  const { exports } = await WebAssembly.instantiate(module, { "./segue_wasm_bg.js": { ...glue } });
  first = exports;
  glue.__wbg_set_wasm(exports);
  (exports as { __wbindgen_start(): void }).__wbindgen_start();
}

async function compile(source: WasmSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof URL || typeof source === "string") return compile(await read(source));
  if (!(source instanceof Response)) return WebAssembly.compile(source);
  if (!source.ok) throw refused(source.url, source.status);
  // While it arrives, where the server says what it is.
  if (source.headers.get("content-type") === "application/wasm") {
    return WebAssembly.compileStreaming(source);
  }
  return WebAssembly.compile(await source.arrayBuffer());
}

async function read(source: URL | string): Promise<Response | BufferSource> {
  const file = fileSystem();
  if (file !== undefined && source instanceof URL && source.protocol === "file:") {
    return file.readFileSync(source);
  }
  try {
    return await fetch(source);
  } catch (cause) {
    throw unanswered(source, "cannot be fetched", cause);
  }
}

interface FileSystem {
  readFileSync(path: URL): Uint8Array<ArrayBuffer>;
}

/** Node's file system, without an import that bundlers would follow. */
function fileSystem(): FileSystem | undefined {
  const host = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  return host.process?.getBuiltinModule?.("node:fs") as FileSystem | undefined;
}
