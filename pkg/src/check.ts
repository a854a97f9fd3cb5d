// Arguments as callers give them: each is taken as what it must be, or refused by name.

import { SegueError } from "./error.js";
import { KINDS, type Choices, type Kind, type TrackList } from "./types.js";

function refuse(what: string, value: unknown, wanted: string): never {
  const given = typeof value === "string" ? JSON.stringify(value) : String(value);
  throw new SegueError("argument", `${what} is ${given}: ${wanted}`);
}

/** An object, such as options or an event. */
export function record(what: string, value: unknown): void {
  if (typeof value !== "object" || value === null) refuse(what, value, "give an object");
}

/** An object of nothing but such fields: one that is misspelt would be as if it had not been given. */
export function options<T extends object>(value: T, names: readonly (keyof T & string)[], what = "options"): void {
  record(what, value);
  for (const name of Object.keys(value)) {
    if (!(names as readonly string[]).includes(name)) refuse(`a field of ${what}`, name, `there are ${names.join(", ")}`);
  }
}

/** Of this type, where it is given. */
export function typed(what: string, value: unknown, type: "string" | "boolean"): void {
  if (value !== undefined && typeof value !== type) refuse(what, value, `give a ${type}`);
}

/** Something with these methods, where it is given and not `false`. */
export function methods(what: string, value: unknown, names: readonly string[]): void {
  if (value === undefined || value === false) return;
  const has = (name: string) => typeof (value as Record<string, unknown> | null)?.[name] === "function";
  if (!names.every(has)) refuse(what, value, `give an object with ${names.join(", ")}, or false`);
}

/** 32 bytes in hexadecimal, where they are given. */
export function hex(what: string, value: unknown): void {
  if (value === undefined || (typeof value === "string" && /^[0-9a-f]{64}$/.test(value))) return;
  refuse(what, value, "give 64 lower-case hexadecimal digits");
}

/** A whole number from 0 on; all there are, without one. */
export function limit(value: number | undefined, all: number, what = "limit"): number {
  if (value === undefined) return all;
  if (!Number.isInteger(value) || value < 0) {
    refuse(what, value, "give a whole number, 0 or more");
  }
  return Math.min(value, all);
}

/** A number from 0 to `most`, whole where `is` says so; NaN without one. */
function upTo(most: number, what: keyof Choices, given: Choices, is = Number.isFinite): number {
  const value = given[what];
  if (value === undefined) return NaN;
  const whole = is === Number.isInteger ? "whole " : "";
  return is(value) && value >= 0 && value <= most
    ? value
    : refuse(what, value, `give a ${whole}number from 0 to ${most}`);
}

/** The options of a queue, in the order in which they cross. */
export function choices(given: Choices) {
  return [
    upTo(1, "diversity", given),
    upTo(255, "artistGap", given, Number.isInteger),
    upTo(255, "albumGap", given, Number.isInteger),
    upTo(1000, "fatigue", given),
    upTo(1000, "explore", given),
    upTo(0xffff_ffff, "seed", given, Number.isInteger),
  ] as const;
}

const MOST_MILLISECONDS = 0xffff_ffff;

/** Milliseconds, as whole ones that fit 32 bits. */
export function milliseconds(what: string, value: number | undefined): number | undefined {
  const given = time(what, value);
  return given === undefined ? undefined : Math.min(Math.floor(given), MOST_MILLISECONDS);
}

/** The id of an event, of which some thousands are kept. */
export function eventId(value: unknown): string {
  const { length } = text("id", value);
  return length <= 512 ? (value as string) : refuse("id.length", length, "at most 512 are accepted");
}

/** Milliseconds since 1970. */
export function time(what: string, value: number | undefined): number | undefined {
  const sound = value === undefined || (Number.isFinite(value) && value >= 0);
  return sound ? value : refuse(what, value, "give milliseconds, 0 or more");
}

export function text(what: string, value: unknown): string {
  return typeof value === "string" ? value : refuse(what, value, "give a string");
}

/** The number of a kind of event. */
export function kind(value: unknown): number {
  const number = KINDS.indexOf(text("kind", value) as Kind);
  if (number < 0) {
    const message = `unknown kind \`${value}\`: expected one of ${KINDS.join(", ")}`;
    throw new SegueError("argument", message);
  }
  return number;
}

/** A row that the model `has`, or `unknown`. */
export function row(value: number, has: (row: number) => boolean, unknown: number): number {
  const sound = Number.isInteger(value) && value >= 0 && value < unknown && has(value);
  if (!sound && value !== unknown) refuse("row", value, "the model in use has no such row");
  return value;
}

/** The most tracks that a model has, and the most that go to the module at once. */
const MOST_TRACKS = 1 << 24;

/** A list of ids. */
export function ids<T>(what: string, value: T): T {
  if (!Array.isArray(value)) refuse(what, value, "give an array of ids");
  if (value.length > MOST_TRACKS) {
    refuse(`${what}.length`, value.length, `at most ${MOST_TRACKS} are accepted`);
  }
  return value;
}

/** A list of ids or of rows, never of both. */
export function idsOrRows(what: string, value: TrackList): TrackList {
  if (value instanceof Uint32Array) {
    if (value.length > MOST_TRACKS) {
      refuse(`${what}.length`, value.length, `at most ${MOST_TRACKS} are accepted`);
    }
    return value;
  }
  const list: readonly unknown[] = ids(what, value);
  const rows = typeof list[0] === "number";
  for (let index = 1; index < list.length; index++) {
    if ((typeof list[index] === "number") !== rows) {
      const first = rows ? "a row" : "an id";
      refuse(`${what}[${index}]`, list[index], `the first is ${first}: give ids alone or rows alone`);
    }
  }
  return value;
}

/** Whether a list that passed `idsOrRows` holds ids. */
export function areIds(tracks: TrackList): tracks is readonly string[] {
  return !(tracks instanceof Uint32Array) && typeof tracks[0] !== "number";
}

/** What the module can address. */
const MOST_BYTES = 0xffff_ffff;

/** The bytes of a buffer or of a view of one, in place. */
export function bytes(what: string, value: ArrayBuffer | ArrayBufferView): Uint8Array {
  // By its tag, since a buffer may come from another realm.
  const buffer = Object.prototype.toString.call(value) === "[object ArrayBuffer]";
  if (!buffer && !ArrayBuffer.isView(value)) {
    refuse(what, value, "give an ArrayBuffer or a view of one");
  }
  if (value.byteLength > MOST_BYTES) {
    refuse(`${what}.byteLength`, value.byteLength, `at most ${MOST_BYTES} are accepted`);
  }
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  return new Uint8Array(value);
}

/** Text of one line. */
export function line(what: string, value: string): string {
  return text(what, value).includes("\n") ? refuse(what, value, "give text of one line") : value;
}

/** Minutes ahead of UTC. */
export function offset(value: number | undefined): number | undefined {
  const sound = value === undefined || (Number.isInteger(value) && Math.abs(value) <= 1440);
  return sound ? value : refuse("tz_offset_min", value, "give whole minutes, from -1440 to 1440");
}
