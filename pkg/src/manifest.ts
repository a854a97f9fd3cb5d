// What a registry's manifest says, as far as a page needs it.

import { check_manifest } from "../wasm/segue_wasm.js";
import { SegueError } from "./error.js";

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

/** The sections that ranking starts with: all of them, where the catalogue is not split. */
export function starting(sections: readonly Section[]): Section[] {
  const late = isSplit(sections) ? ["cells", "text", "albums"] : [];
  return sections.filter(({ shard, kind }) => shard === 0 && !late.includes(kind));
}

/** Whether the catalogue is split into shards, of which the head is enough to start. */
export function isSplit(sections: readonly Section[]): boolean {
  return sections.some(({ kind }) => kind === "shards");
}

/** The hashes that `json` seems to start with; none, unless they can be nothing but hashes. */
export function foreseen(json: unknown): string[] {
  const { format, sections } = (json ?? {}) as Record<string, unknown>;
  if (format !== FORMAT || !Array.isArray(sections) || !sections.every(isSection)) return [];
  const read = starting(sections.map(inHead).filter(isRead));
  const hashes = [...new Set(read.map(({ hash }) => hash))];
  return hashes.length <= KINDS.length && hashes.every((hash) => HASH.test(hash)) ? hashes : [];
}

/** Checks the shape here, and the meaning where the rules are. */
export function examine(json: unknown): Manifest {
  const { format, version, created_at, sections } = (json ?? {}) as Record<string, unknown>;
  if (!whole(format, 0xffff_ffff) || !whole(version) || !Number.isSafeInteger(created_at)) {
    throw new SegueError("manifest", "not a manifest: format, version or created_at is missing");
  }
  const listed = Array.isArray(sections) && sections.every(isSection);
  if (format === FORMAT && !listed) {
    throw new SegueError("manifest", "sections is not a list of kind, hash and bytes");
  }
  const all = listed ? sections.map(inHead) : [];
  const texts = all.flatMap(({ kind, hash }) => [kind, hash]).join("\n");
  const numbers = Uint32Array.from(all.flatMap(({ shard, bytes }) => [shard, bytes]));
  check_manifest(format, version, texts, numbers);
  return { version, sections: all.filter(isRead) };
}

/** The format whose manifests can be foreseen: the module's, before it is here to be asked. */
const FORMAT = 1;

/** What the module reads, likewise, by the number that each crosses as; a later version may add other kinds. */
const KINDS = ["ids", "factors", "taste", "clusters", "text", "shards", "cells", "neighbours", "transitions", "finished", "rates", "ranker", "albums", "tags", "context"];

/** The number of the kind of a section that is read. */
export function numberOf({ kind }: Section): number {
  return KINDS.indexOf(kind);
}

function isRead({ kind }: Section): boolean {
  return KINDS.includes(kind);
}

const HASH = /^[0-9a-f]{64}$/;

type Listed = Omit<Section, "shard"> & { readonly shard?: number };

/** A section that names no shard is of the head. */
function inHead(section: Listed): Section {
  return { ...section, shard: section.shard ?? 0 };
}

/** The largest number of a shard. */
const LAST_SHARD = 254;

function isSection(value: unknown): value is Listed {
  const { kind, shard = 0, hash, bytes } = (value ?? {}) as Record<string, unknown>;
  const line = (text: unknown) => typeof text === "string" && !text.includes("\n");
  return line(kind) && line(hash) && whole(shard, LAST_SHARD) && whole(bytes, 0xffff_ffff);
}

function whole(value: unknown, most = Number.MAX_SAFE_INTEGER): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most;
}
