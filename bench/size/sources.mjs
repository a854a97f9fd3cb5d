// node sources.mjs FILE: what each source of a minified FILE takes of it, in bytes before compression,
// as the source map beside it tells.

import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { basename } from "node:path";

const file = process.argv[2];
const map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, "utf8")));
const sizes = new Map();
for (const [line, text] of readFileSync(file, "utf8").split(/(?<=\n)/).entries()) {
  for (const [column, character] of text.split("").entries()) {
    const { originalSource } = map.findEntry(line, column);
    const source = originalSource ? basename(originalSource) : "neither";
    sizes.set(source, (sizes.get(source) ?? 0) + Buffer.byteLength(character));
  }
}
for (const [source, size] of [...sizes].sort((a, b) => b[1] - a[1])) {
  console.log(source.padEnd(38) + String(size).padStart(8));
}
