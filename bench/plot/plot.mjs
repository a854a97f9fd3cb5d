// node plot.mjs RESULTS OUT: milliseconds against tracks, of every contender in Chromium.

import { readFileSync } from "node:fs";

import { chart } from "./chart.mjs";

const WHERE = "Chromium";
/** Mid tones, which stand out from white and from black. */
const SERIES = [
  ["segue", "Segue, trained", "#0a84ff"],
  ["engine-noise", "Segue, factors of noise", "#6aa9ff"],
  ["ort", "onnxruntime-web", "#d9822b"],
  ["plain", "plain JavaScript", "#8a8f98"],
  ["tfjs", "TensorFlow.js", "#b558d6"],
  ["hnsw", "hnswlib (approximate)", "#2fa866"],
  ["voy", "voy-search", "#d6486a"],
  ["limit", "reading every code", "#8a8f98"],
];
const DASHED = new Set(["hnsw", "limit"]);

const [results, out] = process.argv.slice(2);
const { catalogues, versions } = JSON.parse(readFileSync(results, "utf8"));
const [{ places }] = catalogues;

chart(out, {
  source: `${versions[WHERE]}, top ${places}, 64 dimensions, one thread`,
  about: "Milliseconds against tracks, both on logarithmic axes",
  x: {
    label: "tracks in the catalogue",
    ticks: catalogues.map(({ rows }) => rows),
    format: (rows) => rows.toLocaleString("en"),
  },
  y: {
    label: `milliseconds for the top ${places} in ${versions[WHERE]}, less is better`,
    format: (ms) => String(ms),
  },
  series: SERIES.map(([id, label, colour]) => ({
    label,
    colour,
    dashed: DASHED.has(id),
    points: catalogues.flatMap(({ rows, figures }) => {
      const figure = figures.find(({ key }) => key === `${id}@${WHERE}`);
      return figure?.min ? [{ x: rows, y: figure.min }] : [];
    }),
  })),
});
