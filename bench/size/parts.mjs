// node parts.mjs MODULE: what each part of a WebAssembly module that has kept its names takes, in
// bytes before compression.

import { readFileSync } from "node:fs";
import { sum } from "../lib/stats.mjs";

/** The first that a function's name fits has it. What is called from one place lies in its caller. */
const PARTS = [
  ["reasons", /reason|engine_explain|^grounds/],
  ["ranking and search", /segue_core::(kernel|rank)|segue_wasm::rank|engine_(rank|top|nearest|list)/],
  ["entropy code of factors", /segue_core::codec/],
  ["ids: fingerprints, look-up, cells", /segue_core::(ids|model::ids|retrieval)|xxh|engine_rows?_of/],
  ["text of errors and numbers", /\bfmt\b|Display|flt2dec/],
  ["manifest", /manifest/],
  ["tastes: shares, lists, artists", /segue_core::(membership|artists)|model::finished|engine_(membership|also|artists)/],
  ["names: titles, artists, clusters", /model::(text|clusters)|engine_(title|artist|duration|cluster)/],
  ["sections, shards and their checks", /segue_core::(model|bytes)|^parts_|engine_(new|add|replace|keep)/],
  ["listener: session, fold-in, algebra", /segue_core::(session|fold_in|linalg|event)|libm|segue_wasm::session|engine_(observe|evidence|reset)|^(check_)?kinds?\b/],
  ["sorting and selection", /slice::(sort|select)|is_sorted/],
  ["memory: allocator, vectors, maps", /rlsf|hashbrown|alloc\b|mem(cpy|move|set|cmp)|__rust|drop_in_place/],
  ["other bindings", /segue_wasm|wasm_bindgen|js_sys|^(engine|parts)_|__wb|__externref/],
];

const [CUSTOM, CODE, DATA, FUNCTION_NAMES] = [0, 10, 11, 1];
const IMPORT = 2;

const module = readFileSync(process.argv[2]);
const sections = [...read(module)];
const imported = sections.filter(({ id }) => id === IMPORT).map(functionsImported)[0] ?? 0;
const bodies = sections.filter(({ id }) => id === CODE).flatMap(({ bytes }) => functions(bytes));
const names = sections.filter(({ id }) => id === CUSTOM).map(({ bytes }) => namesOf(bytes)).find(Boolean);
if (names === undefined) throw new Error(`${process.argv[2]} has no names: build it with them`);

const named = bodies.map((size, at) => ({ size, name: names.get(at + imported) ?? "" }));
const part = ({ name }) => PARTS.find(([, fits]) => fits.test(name))?.[0] ?? "everything else";
const sizes = new Map(PARTS.map(([name]) => [name, 0]));
for (const each of named) sizes.set(part(each), (sizes.get(part(each)) ?? 0) + each.size);
const data = sum(sections.filter(({ id }) => id === DATA).map(({ bytes }) => bytes.length));
sizes.set("data: tables and messages", data);
const all = module.length - sum(sections.filter(({ id, bytes }) => id === CUSTOM && namesOf(bytes)).map(({ whole }) => whole));
sizes.set("types, imports, exports, framing", all - sum([...sizes.values()]));

const row = (name, size) =>
  console.log(name.padEnd(38) + String(size).padStart(8) + `${((100 * size) / all).toFixed(1)} %`.padStart(9));
for (const [name, size] of [...sizes].sort((a, b) => b[1] - a[1])) row(name, size);
row("module", all);
if (process.env.SEGUE_SIZE_FUNCTIONS) {
  named.sort((a, b) => b.size - a.size);
  for (const each of named.slice(0, 60)) console.log(each.size, part(each), "|", each.name);
}

function* read(module) {
  const cursor = { bytes: module, at: 8 };
  while (cursor.at < module.length) {
    const from = cursor.at;
    const id = module[cursor.at++];
    const length = number(cursor);
    yield { id, bytes: module.subarray(cursor.at, (cursor.at += length)), whole: cursor.at - from };
  }
}

/** A number in LEB128. */
function number(cursor) {
  for (let value = 0, shift = 1; ; shift *= 128) {
    const byte = cursor.bytes[cursor.at++];
    value += (byte & 127) * shift;
    if (byte < 128) return value;
  }
}

function functions(bytes) {
  const cursor = { bytes, at: 0 };
  return Array.from({ length: number(cursor) }, () => {
    const from = cursor.at;
    const length = number(cursor);
    cursor.at += length;
    return cursor.at - from;
  });
}

function functionsImported({ bytes }) {
  const cursor = { bytes, at: 0 };
  let found = 0;
  for (let left = number(cursor); left > 0; left--) {
    for (const _ of ["module", "field"]) {
      const length = number(cursor);
      cursor.at += length;
    }
    const kind = bytes[cursor.at++];
    if (kind !== 0) throw new Error(`an import of kind ${kind}, which this does not read`);
    found++;
    number(cursor);
  }
  return found;
}

/** The names of functions by index, where this is the section of names. */
function namesOf(bytes) {
  const cursor = { bytes, at: 0 };
  const text = () => {
    const length = number(cursor);
    return bytes.toString("utf8", cursor.at, (cursor.at += length));
  };
  if (text() !== "name") return undefined;
  const found = new Map();
  while (cursor.at < bytes.length) {
    const kind = bytes[cursor.at++];
    const end = number(cursor) + cursor.at;
    if (kind === FUNCTION_NAMES) {
      for (let left = number(cursor); left > 0; left--) {
        const index = number(cursor);
        found.set(index, text());
      }
    }
    cursor.at = end;
  }
  return found;
}
