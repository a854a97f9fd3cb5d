// node training.mjs RESULTS SECONDS MEMORY: what training takes against the size of what it is of, time
// and memory, an SVG each.

import { readFileSync } from "node:fs";

import { chart } from "./chart.mjs";

const [results, seconds, memory] = process.argv.slice(2);
const { epochs, whole } = JSON.parse(readFileSync(results, "utf8"));

const line = (label, colour, rows, x, y) => ({
  label,
  colour,
  points: rows.map((row) => ({ x: row[x], y: row[y] })),
});
const x = {
  label: "interactions",
  ticks: Array.from({ length: 4 }, (_, at) => 10 ** (at + 5)),
  format: (count) => count.toLocaleString("en"),
};

chart(seconds, {
  source: "64 dimensions, two threads",
  about: "Seconds against interactions, both on logarithmic axes",
  x,
  y: { label: "seconds, less is better", format: String },
  series: [
    line("segue train", "#0a84ff", whole, "events", "seconds"),
    line("an epoch of ALS", "#d9822b", epochs, "pairs", "seconds"),
  ],
});

chart(memory, {
  source: "64 dimensions, two threads; the most memory that was resident",
  about: "Gigabytes against interactions, both on logarithmic axes",
  x,
  y: { label: "GB at most, less is better", format: String },
  series: [
    line("segue train", "#0a84ff", whole, "events", "gigabytes"),
    line("ALS alone", "#d9822b", epochs, "pairs", "gigabytes"),
  ],
});
