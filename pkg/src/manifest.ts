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
  /** Counts up with whatever changes in the registry. */
  readonly release: number;
  /** That of the model. */
  readonly version: number;
  /** Those that this version of the package reads. */
  readonly sections: readonly Section[];
  /** All of them, as they are listed. */
  readonly all: readonly Section[];
  /** Those that are listed, of kind "delta". */
  readonly deltas: readonly Section[];
  /** What the release says, to be kept. */
  readonly said: unknown;
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
  const { format, release } = fields(json);
  if (format !== FORMAT) return [];
  const { sections } = fields(everybodys(parsed(release)));
  if (!Array.isArray(sections) || !sections.every(isSection)) return [];
  const read = starting(sections.map(inHead).filter(isRead));
  const hashes = [...new Set(read.map(({ hash }) => hash))];
  return hashes.length <= KINDS.length && hashes.every((hash) => HASH.test(hash)) ? hashes : [];
}

/** Checks the shape here, and the meaning where the rules are. */
export function examine(json: unknown): Manifest {
  const { format, release } = fields(json);
  if (!whole(format, 0xffff_ffff)) throw new SegueError("manifest", "not a manifest: format is missing");
  // Of another format the module says what to do.
  if (format !== FORMAT) check_manifest(format, 0, "", new Uint32Array());
  const document = parsed(release);
  const { version: released, created_at } = fields(document);
  const { version, sections } = fields(everybodys(document));
  if (!whole(released) || !whole(version) || !Number.isSafeInteger(created_at)) {
    throw new SegueError("manifest", "not a manifest: version, created_at or the model is missing");
  }
  if (!Array.isArray(sections) || !sections.every(isSection)) {
    throw new SegueError("manifest", "sections is not a list of kind, hash and bytes");
  }
  const all = sections.map(inHead);
  const texts = all.flatMap(({ kind, hash }) => [kind, hash]).join("\n");
  const numbers = Uint32Array.from(all.flatMap(({ shard, bytes }) => [shard, bytes]));
  check_manifest(format, version, texts, numbers);
  return manifestOf(document, version);
}

/** The model of this version, or everybody's, of a release whose shape and meaning were checked. */
export function manifestOf(said: unknown, chosen?: number): Manifest {
  const { version: release, models } = said as { version: number; models: Listing[] };
  const { version, sections, deltas = [] } = models.find(({ version }) => version === chosen) ?? models[0]!;
  const all = sections.map(inHead);
  const steps = deltas.map((delta) => inHead({ ...delta, kind: "delta" }));
  return { release, version, sections: all.filter(isRead), all, deltas: steps, said: { version: release, models: [{ version, sections }] } };
}

interface Listing {
  readonly version: number;
  readonly sections: readonly Listed[];
  readonly deltas?: readonly Omit<Listed, "kind">[];
}

/** What an envelope's text says; nothing where it is none. */
function parsed(envelope: unknown): unknown {
  const { signed } = fields(envelope);
  try {
    return typeof signed === "string" ? JSON.parse(signed) : undefined;
  } catch {
    return undefined;
  }
}

/** The model of a release that is for every device. */
function everybodys(release: unknown): unknown {
  const { models } = fields(release);
  return Array.isArray(models) ? models[0] : undefined;
}

export function fields(value: unknown): Record<string, unknown> {
  return (value ?? {}) as Record<string, unknown>;
}

/** The format whose manifests can be foreseen: the module's, before it is here to be asked. */
export const FORMAT = 2;

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
  const { kind, shard = 0, hash, bytes } = fields(value);
  const line = (text: unknown) => typeof text === "string" && !text.includes("\n");
  return line(kind) && line(hash) && whole(shard, LAST_SHARD) && whole(bytes, 0xffff_ffff);
}

function whole(value: unknown, most = Number.MAX_SAFE_INTEGER): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most;
}
