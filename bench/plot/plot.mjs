// node plot.mjs RESULTS OUT: milliseconds against tracks, of every contender in Chromium, as an SVG
// that is legible on a light page and on a dark one.

import * as Plot from "@observablehq/plot";
import { readFileSync, writeFileSync } from "node:fs";
import { parseHTML } from "linkedom";

const WHERE = "Chromium";
/** Mid tones, which stand out from white and from black. The first is drawn bold. */
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
const points = catalogues.flatMap(({ rows, figures }) =>
  SERIES.flatMap(([id, label, colour], at) => {
    const figure = figures.find(({ key }) => key === `${id}@${WHERE}`);
    return figure?.min ? [{ id, label, colour, at, rows, ms: figure.min }] : [];
  }),
);

const times = points.map(({ ms }) => ms);
const domain = [Math.min(...times), Math.max(...times)];
const powers = Array.from({ length: 12 }, (_, at) => Number(`1e${at - 6}`));
const decades = powers.filter((ms) => ms >= domain[0] && ms <= domain[1]);

const [width, height] = [840, 520];
const { document } = parseHTML("<html><body></body></html>");
const svg = Plot.plot({
  document,
  width,
  height,
  marginLeft: 56,
  marginRight: 176,
  marginBottom: 48,
  marginTop: 36,
  style: { background: "none", fontSize: "14px", fontFamily: "system-ui, sans-serif" },
  x: { type: "log", label: null },
  y: { type: "log", label: null, domain },
  marks: [
    Plot.axisX(catalogues.map(({ rows }) => rows), {
      text: (rows) => rows.toLocaleString("en"),
      label: "tracks in the catalogue",
      labelAnchor: "center",
      labelArrow: "none",
    }),
    Plot.axisY(decades, {
      tickFormat: (ms) => String(ms),
      tickSize: 0,
      label: `milliseconds for the top ${catalogues[0].places} in ${versions[WHERE]}, less is better`,
      labelArrow: "none",
    }),
    Plot.gridY(decades, { strokeOpacity: 0.2 }),
    ...SERIES.map(([id, , colour], at) => {
      const style = { x: "rows", y: "ms", stroke: colour, strokeWidth: at === 0 ? 4 : 2 };
      const dashes = DASHED.has(id) ? { strokeDasharray: "5 4" } : {};
      return Plot.lineY(points.filter((point) => point.id === id), { ...style, ...dashes });
    }),
    Plot.dot(points, { x: "rows", y: "ms", fill: "colour", r: 3.5 }),
    Plot.text(labels(), {
      x: "rows",
      y: "place",
      text: "label",
      fill: "colour",
      textAnchor: "start",
      dx: 9,
      fontWeight: ({ at }) => (at === 0 ? 700 : 500),
    }),
  ],
});

svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
svg.setAttribute("role", "img");
svg.setAttribute("aria-label", "Milliseconds against tracks, both on logarithmic axes");
const style = document.createElement("style");
style.textContent = "svg{color:#1f2328}@media(prefers-color-scheme:dark){svg{color:#e6edf3}}";
svg.prepend(style);
const source = `${versions[WHERE]}, top ${catalogues[0].places}, 64 dimensions, one thread`;
writeFileSync(out, `<!-- ${source} -->\n${svg.outerHTML}\n`);

/** The last point of each series, its label moved up where it would lie on another. */
function labels() {
  const last = SERIES.flatMap(([id]) => points.filter((point) => point.id === id).slice(-1));
  // What a line of text takes on the axis, as a factor.
  const line = (domain[1] / domain[0]) ** (17 / (height - 80));
  const placed = [];
  for (const point of last.sort((a, b) => a.ms - b.ms)) {
    const below = placed.filter(({ rows }) => rows === point.rows).at(-1)?.place ?? 0;
    placed.push({ ...point, place: Math.max(point.ms, below * line) });
  }
  return placed;
}
