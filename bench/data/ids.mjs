// node ids.mjs CATALOGUE MODEL OUT
//
// The ids of a catalogue that a model knows, one a line.

import { readFileSync, writeFileSync } from "node:fs";
import { Segue, UNKNOWN_ROW } from "../../pkg/dist/index.js";

const [catalogue, model, out] = process.argv.slice(2);
const segue = await Segue.fromModel(readFileSync(model));
const lines = readFileSync(catalogue, "utf8").trim().split("\n");
const ids = lines.map((line) => JSON.parse(line).track);
const rows = segue.rows(ids);
writeFileSync(out, ids.filter((_, at) => rows[at] !== UNKNOWN_ROW).join("\n") + "\n");
