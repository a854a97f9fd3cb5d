// A registry's version, and how much of it is here.

import type { Engine } from "../wasm/segue_wasm.js";
import { Parts } from "../wasm/segue_wasm.js";
import { attempt } from "./error.js";
import { isSplit, numberOf, starting, type Manifest, type Section } from "./manifest.js";
import type { Registry } from "./registry.js";

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

  /** What is not here yet of the head, and of some shards. */
  lacking(shards: Iterable<number>): Section[] {
    return [0, ...new Set(shards)].flatMap((shard) => this.#absent(shard));
  }

  /** Fetches `sections`, but for those that `held` has just as they are, in `engine`. */
  async fetch(sections: readonly Section[], held?: Source, engine?: () => Engine): Promise<Parts> {
    const kept = sections.filter((section) => held !== undefined && held.#here.has(name(section)));
    const missing = sections.filter((section) => !kept.includes(section));
    const fetched = await this.registry.sections(missing);
    return collect((parts) => {
      missing.forEach((section, at) => parts.add(numberOf(section), section.shard, fetched[at]!));
      for (const section of kept) parts.keep(numberOf(section), section.shard, engine!());
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
