// node reliability.mjs OUT NAME=RESULT…: the reliability diagram of what foretells a yes, an SVG: of each result, what
// `segue train` or `segue evaluate feedback` printed as JSON, how often a yes came against how probable it was. What
// each signal is worth is printed.

import * as Plot from "@observablehq/plot";
import { readFileSync, writeFileSync } from "node:fs";
import { parseHTML } from "linkedom";

const [out, ...given] = process.argv.slice(2);
const COLOURS = ["#0a84ff", "#d9822b", "#2f9e44"];

const results = given.map((named, at) => {
  const [, name, file] = /^(.*?)=(.*)$/.exec(named);
  const { ranker } = JSON.parse(readFileSync(file, "utf8"));
  return { name, ranker, colour: COLOURS[at % COLOURS.length] };
});

for (const { name, ranker } of results) {
  const { auc, auc_by_taste, auc_without, calibration_error, listeners, verdicts, ships } = ranker;
  console.log(`${name}: ${listeners} listeners, ${verdicts} verdicts; ${ships ? "it ships" : "none of it ships"}`);
  const rows = [["all signals", auc], ["taste alone", auc_by_taste]];
  for (const [signal, left] of Object.entries(auc_without)) rows.push([`without ${signal}`, left]);
  for (const [what, figure] of rows) console.log(`  ${what.padEnd(18)}${figure.toFixed(4)}`);
  console.log(`  expected calibration error ${calibration_error.toFixed(4)}`);
}

const points = results.flatMap(({ name, colour, ranker }) =>
  ranker.reliability.map(({ foretold, came, verdicts }) => ({
    name, colour, foretold, came,
    // Two standard errors of a share.
    off: 2 * Math.sqrt((came * (1 - came)) / verdicts),
  })),
);
const { document } = parseHTML("<html><body></body></html>");
const axis = { domain: [0, 1], label: null };
const svg = Plot.plot({
  document,
  width: 560,
  height: 520,
  marginLeft: 56,
  marginBottom: 48,
  marginTop: 36,
  style: { background: "none", fontSize: "14px", fontFamily: "system-ui, sans-serif" },
  x: axis,
  y: axis,
  marks: [
    Plot.axisX({ label: "probability of a yes, as foretold", labelAnchor: "center", labelArrow: "none" }),
    Plot.axisY({ label: "share of yes that came", labelArrow: "none" }),
    Plot.gridY({ strokeOpacity: 0.2 }),
    Plot.line([[0, 0], [1, 1]], { stroke: "currentColor", strokeDasharray: "5 4", strokeOpacity: 0.5 }),
    Plot.ruleX(points, { x: "foretold", y1: ({ came, off }) => came - off, y2: ({ came, off }) => came + off, stroke: "colour" }),
    Plot.line(points, { x: "foretold", y: "came", z: "name", stroke: "colour", strokeWidth: 2 }),
    Plot.dot(points, { x: "foretold", y: "came", fill: "colour", r: 3.5 }),
    Plot.text(results, {
      x: 0.03,
      y: (_, at) => 0.97 - 0.05 * at,
      text: "name",
      fill: "colour",
      textAnchor: "start",
      fontWeight: 600,
    }),
  ].flat(),
});
svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
svg.setAttribute("role", "img");
svg.setAttribute("aria-label", "Share of yes that came against its probability, near the diagonal");
const style = document.createElement("style");
style.textContent = "svg{color:#1f2328}@media(prefers-color-scheme:dark){svg{color:#e6edf3}}";
svg.prepend(style);
writeFileSync(out, `<!-- ten bins of equal size, two standard errors up and down -->\n${svg.outerHTML}\n`);
