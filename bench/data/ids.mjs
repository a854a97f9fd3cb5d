// node ids.mjs CATALOGUE MODEL OUT
//
// The ids of a catalogue that a model knows, one a line.

import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Segue, UNKNOWN_ROW } from "../../pkg/dist/index.js";

const [catalogue, model, out] = process.argv.slice(2);
const segue = await Segue.fromModel(readFileSync(model));
const ids = [];
for await (const line of createInterface({ input: createReadStream(catalogue) })) {
  const { track } = JSON.parse(line);
  if (segue.rows([track])[0] !== UNKNOWN_ROW) ids.push(track);
}
writeFileSync(out, ids.map((id) => `${id}\n`).join(""));
