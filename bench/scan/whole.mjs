// node whole.mjs MODEL LISTENERS: the best 50 of a catalogue that was split, with every shard here, in
// Node: milliseconds for each listener, the least of some rounds.

import { readFileSync } from "node:fs";
import { Segue } from "../../pkg/dist/index.js";
import { digits, mean } from "../lib/stats.mjs";
import { meet } from "./contenders/segue.mjs";

const [ROUNDS, PLACES] = [15, 50];

const [model, listeners] = process.argv.slice(2);
const segue = await Segue.fromModel(readFileSync(model));
const each = readFileSync(listeners, "utf8").trim().split("\n").map((line) => {
  segue.reset();
  meet(segue, line.split(";").map(event));
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const before = performance.now();
    segue.top({ limit: PLACES });
    // The first also solves for the taste.
    if (round > 0) least = Math.min(least, performance.now() - before);
  }
  return least;
});
const [least, most] = [Math.min(...each), Math.max(...each)].map((ms) => digits(ms));
console.log(`best ${PLACES} of ${segue.here.toLocaleString("en")} tracks, Node: ` +
  `${digits(mean(each))} ms, ${least} to ${most} for one of ${each.length} listeners`);

function event(text) {
  const [kind, row, played, duration] = text.split(" ");
  const known = duration === "0" ? {} : { duration_ms: Number(duration) };
  return { kind, track: Number(row), played_ms: Number(played), ...known };
}
