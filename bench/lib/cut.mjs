// node cut.mjs LOG FOLDER: the log as it was before its latest 3 % of events, before its last day and before its last hour,
// as share, day and hour in FOLDER. JSON Lines, or tab-separated values with a column `at` in seconds.

import { createReadStream, createWriteStream } from "node:fs";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";

const [log, folder] = process.argv.slice(2);
const lines = () => createInterface({ input: createReadStream(log), crlfDelay: Infinity });
const tabs = extname(log) === ".tsv";
let column;
const at = (line) => (tabs ? 1000 * Number(line.split("\t")[column]) : Number(/"at":(\d+)/.exec(line)[1]));

const times = [];
for await (const line of lines()) {
  if (tabs && column === undefined) column = line.split("\t").indexOf("at");
  else times.push(at(line));
}
times.sort((a, b) => a - b);
const last = times.at(-1);
const parts = { share: times[Math.ceil(times.length * 0.97)], day: last - 86_400_000, hour: last - 3_600_000 };
const files = Object.entries(parts).map(([name, until]) => [createWriteStream(join(folder, name + extname(log))), until]);
let head = tabs;
for await (const line of lines()) {
  for (const [file, until] of files) {
    if (head || at(line) < until) if (!file.write(line + "\n")) await new Promise((go) => file.once("drain", go));
  }
  head = false;
}
await Promise.all(files.map(([file]) => new Promise((done) => file.end(done))));
