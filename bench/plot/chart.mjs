// Lines on two logarithmic axes, as an SVG that is legible on a light page and on a dark one.

import * as Plot from "@observablehq/plot";
import { writeFileSync } from "node:fs";
import { parseHTML } from "linkedom";

const [width, height] = [840, 520];
const powers = Array.from({ length: 24 }, (_, at) => Number(`1e${at - 9}`));

/**
 * Writes `out`. `series` are `{ label, colour, dashed, points: [{ x, y }] }`, the first of them bold;
 * `x` and `y` are `{ label, format }`, and x has a tick at each of `ticks`.
 */
export function chart(out, { source, about, x, y, series }) {
  const points = series.flatMap(({ points, ...of }, at) => points.map((p) => ({ ...of, ...p, at })));
  const values = points.map((point) => point.y);
  const domain = [Math.min(...values), Math.max(...values)];
  const decades = powers.filter((value) => value >= domain[0] && value <= domain[1]);
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
      Plot.axisX(x.ticks, {
        text: x.format,
        label: x.label,
        labelAnchor: "center",
        labelArrow: "none",
      }),
      Plot.axisY(decades, { tickFormat: y.format, tickSize: 0, label: y.label, labelArrow: "none" }),
      Plot.gridY(decades, { strokeOpacity: 0.2 }),
      ...series.map(({ colour, dashed, points }, at) => {
        const style = { x: "x", y: "y", stroke: colour, strokeWidth: at === 0 ? 4 : 2 };
        return Plot.lineY(points, { ...style, ...(dashed ? { strokeDasharray: "5 4" } : {}) });
      }),
      Plot.dot(points, { x: "x", y: "y", fill: "colour", r: 3.5 }),
      Plot.text(labels(series, points, domain), {
        x: "x",
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
  svg.setAttribute("aria-label", about);
  const style = document.createElement("style");
  style.textContent = "svg{color:#1f2328}@media(prefers-color-scheme:dark){svg{color:#e6edf3}}";
  svg.prepend(style);
  writeFileSync(out, `<!-- ${source} -->\n${svg.outerHTML}\n`);
}

/** The last point of each series, its label moved up where it would lie on another. */
function labels(series, points, domain) {
  const last = series.flatMap((_, at) => points.filter((point) => point.at === at).slice(-1));
  // What a line of text takes on the axis, as a factor.
  const line = (domain[1] / domain[0]) ** (17 / (height - 80));
  const placed = [];
  for (const point of last.sort((a, b) => a.y - b.y)) {
    const below = placed.filter(({ x }) => x === point.x).at(-1)?.place ?? 0;
    placed.push({ ...point, place: Math.max(point.y, below * line) });
  }
  return placed;
}
