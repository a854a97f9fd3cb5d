// A registry's version, and how much of it is here.

import type { Engine } from "../wasm/segue_wasm.js";
import { Parts } from "../wasm/segue_wasm.js";
import { attempt } from "./error.js";
import { isSplit, numberOf, starting, type Manifest, type Section } from "./manifest.js";
import type { Arrived, Cached, Registry } from "./registry.js";

export interface Fetching {
  /** A model that may have some of it. */
  readonly held?: { readonly engine: Engine; readonly source: Source } | undefined;
  readonly cached?: Cached | undefined;
  readonly arrived?: Arrived | undefined;
  /** Is told what was fetched. */
  readonly fetched?: ((hash: string, bytes: Uint8Array) => void) | undefined;
}

export class Source {
  readonly registry: Registry;
  readonly manifest: Manifest;
  readonly #here = new Set<string>();

  constructor(registry: Registry, manifest: Manifest) {
    this.registry = registry;
    this.manifest = manifest;
  }

  /** Whether the catalogue is split into shards, of which the head is enough to start. */
  get split(): boolean {
    return isSplit(this.manifest.sections);
  }

  /** What ranking needs to start: all there is, where the catalogue is not split. */
  start(): Section[] {
    return starting(this.manifest.sections);
  }

  /** All of the head. */
  head(): Section[] {
    return this.manifest.sections.filter(({ shard }) => shard === 0);
  }

  /** What is not here yet of the head, and of some shards. */
  lacking(shards: Iterable<number>): Section[] {
    return [0, ...new Set(shards)].flatMap((shard) => this.#absent(shard));
  }

  /** Whether a section of this content is here. */
  has(section: Section): boolean {
    return this.#here.has(name(section));
  }

  /** Those of `sections` that what is held has not got just as they are. */
  missing(sections: readonly Section[], held: Fetching["held"]): Section[] {
    const has = (section: Section) =>
      held !== undefined && held.source.has(section) && held.engine.holds(numberOf(section), section.shard);
    return sections.filter((section) => !has(section));
  }

  /** Fetches `sections`, but for those that what is held has just as they are. */
  async fetch(sections: readonly Section[], given: Fetching = {}): Promise<Parts> {
    const { held, cached, arrived, fetched } = given;
    const missing = this.missing(sections, held);
    const bytes = await this.registry.blobs(missing, cached, arrived);
    missing.forEach(({ hash }, at) => fetched?.(hash, bytes[at]!));
    return collect((parts) => {
      missing.forEach((section, at) => parts.add(numberOf(section), section.shard, bytes[at]!));
      for (const section of sections) {
        if (!missing.includes(section)) parts.keep(numberOf(section), section.shard, held!.engine);
      }
    });
  }

  /** Remembers that these are here. */
  arrived(sections: readonly Section[]): void {
    for (const section of sections) this.#here.add(name(section));
  }

  #absent(shard: number): Section[] {
    const of = (section: Section) => section.shard === shard && !this.#here.has(name(section));
    return this.manifest.sections.filter(of);
  }
}

function name({ kind, shard, hash }: Section): string {
  return `${kind} ${shard} ${hash}`;
}

/** Fills new parts; where that fails, nothing of them stays allocated. */
export function collect(fill: (parts: Parts) => void): Parts {
  const parts = new Parts();
  try {
    attempt("model", () => fill(parts));
    return parts;
  } catch (error) {
    parts.free();
    throw error;
  }
}
