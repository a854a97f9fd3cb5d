// node tools/split.mjs MODULE LATE EXPORTS FEATURE…: moves what only EXPORTS, a regular expression, reach out of MODULE and into
// LATE, a module that imports the rest from MODULE: one memory, one table, one set of globals. A page then loads LATE
// when it calls one of them, and not before. FEATURE is a flag of Binaryen's, for what MODULE needs of an engine.
//
// Binaryen reads and writes the modules; what is done here is to its text, item by item.
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const [module, late, exports, ...features] = process.argv.slice(2);
const LATE = new RegExp(`^(${exports})$`);
const bin = (name) => fileURLToPath(new URL(`../node_modules/.bin/${name}`, import.meta.url));

const text = disassembled(module);
const items = itemsOf(text);
const of = (kind) => items.filter((item) => item.kind === kind);
const functions = new Map(of("func").map((item) => [item.name, item]));
if (items.some(({ text }) => /\b(call_indirect|ref\.func|return_call)\b/.test(text))) {
  throw new Error("split: functions that are called by their place in a table cannot be told apart");
}

const isLate = ({ text }) => LATE.test(text.match(/^\(export "([^"]+)"/)[1]);
const kept = reached(of("export").filter((item) => !isLate(item)));
const wanted = reached(of("export").filter(isLate));
const moved = new Set([...wanted].filter((name) => functions.has(name) && !kept.has(name)));
const isMoved = (item) => (item.kind === "export" ? isLate(item) : item.kind === "func" && moved.has(item.name));

// What the late part takes from the rest: what its own functions name.
const taken = new Set([...moved].flatMap((name) => used(functions.get(name).text)));
const from = "segue";
const shared = [];
const imports = [];
for (const item of items.filter((item) => taken.has(keyOf(item)) && !moved.has(item.name))) {
  const name = `${from}${shared.length}`;
  shared.push(`(export "${name}" (${item.of} ${item.name}))`);
  imports.push(`(import "${from}" "${name}" ${signature(item)})`);
}

const types = of("type").map(({ text }) => text);
const rest = items.filter((item) => item.kind !== "type");
const [memory] = of("memory");
assemble(module, [...types, ...rest.filter((item) => !isMoved(item)).map(({ text }) => text), ...shared]);
assemble(late, [
  ...types,
  `(import "${from}" "memory" ${memory.text})`,
  ...imports,
  ...rest.filter(isMoved).map(({ text }) => text),
]);

function disassembled(path) {
  const out = `${path}.wat`;
  execFileSync(bin("wasm-dis"), [...features, path, "-o", out]);
  const text = readFileSync(out, "latin1");
  rmSync(out);
  return text;
}

function assemble(path, items) {
  const wat = `${path}.wat`;
  writeFileSync(wat, `(module\n${items.join("\n")}\n)\n`, "latin1");
  execFileSync(bin("wasm-as"), [...features, wat, "-o", path]);
  rmSync(wat);
}

/** The items of a module's text: what kind each is of, its name, and its own text. */
function itemsOf(text) {
  const items = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const c = text[at];
    if (c === '"') {
      for (at++; text[at] !== '"'; at++) if (text[at] === "\\") at++;
    } else if (c === ";" && text[at + 1] === ";") {
      at = text.indexOf("\n", at);
    } else if (c === "(") {
      if (++depth === 2) start = at;
    } else if (c === ")" && depth-- === 2) {
      items.push(item(text.slice(start, at + 1)));
    }
  }
  return items;
}

function item(text) {
  const kind = text.match(/^\(([a-z]+)/)[1];
  if (kind !== "import") return { kind, of: kind, name: text.match(/^\([a-z]+ (\$\S+)/)?.[1], text };
  const [, of, name] = text.match(/^\(import "[^"]*" "[^"]*" \(([a-z]+) (\$[^\s)]+)/);
  return { kind, of, name, text };
}

function keyOf({ of, name }) {
  return `${of} ${name}`;
}

/** What a function uses, by kind and name. */
function used(text) {
  const uses = text.matchAll(/\((call|global|table)(?:\.\w+)? (\$[^\s()]+)/g);
  return [...uses].map(([, what, name]) => `${what === "call" ? "func" : what} ${name}`);
}

/** The names of the functions that `exported` reach. */
function reached(exported) {
  const seen = new Set();
  const next = exported.flatMap(({ text }) => text.match(/\(func (\$[^\s()]+)/)?.[1] ?? []);
  for (let name = next.pop(); name !== undefined; name = next.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const calls = functions.get(name)?.text.matchAll(/\(call (\$[^\s()]+)/g) ?? [];
    next.push(...[...calls].map(([, name]) => name));
  }
  return seen;
}

/** How an item is imported. */
function signature({ kind, of, name, text }) {
  if (kind === "import") return text.match(/^\(import "[^"]*" "[^"]*" (\(.*\))\)$/s)[1];
  if (of === "global") return `(global ${name} ${text.match(/^\(global \S+ (\(mut \w+\)|\w+)/)[1]})`;
  if (of === "table") return text;
  const head = text.match(/^\(func \S+((?: \((?:type|param|result)[^()]*\))*)/)[1];
  return `(func ${name}${head.replace(/\(param \$\S+ /g, "(param ")})`;
}
