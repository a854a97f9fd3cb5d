// What a run found, as a person reads it.

import { digits } from "../lib/stats.mjs";

const SCAN = [
  ["", 34, ({ label }) => label],
  ["in", 9, ({ where }) => where],
  ["min ms", 10, ({ min }) => digits(min)],
  ["median ms", 10, ({ median }) => digits(median)],
  ["ns a track", 11, ({ nanoseconds }) => digits(nanoseconds)],
  ["× Segue", 8, ({ ratio }) => digits(ratio, 2)],
  ["same 50", 8, ({ recall }) => (recall === undefined ? "" : recall.toFixed(3))],
];

/** Prints one catalogue's figures; `ratio` is to the package in the same place. */
export function printScans({ rows, places, listeners, rounds, figures }) {
  const count = rows.toLocaleString("en");
  console.log(`\nTop ${places} of ${count} tracks, ${listeners} listeners, ${rounds} rounds`);
  line(SCAN, SCAN.map(([name]) => name));
  for (const figure of figures) {
    if (figure.left !== undefined) {
      line(SCAN, [figure.label, figure.where, "left out:", figure.left]);
      continue;
    }
    const ours = figures.find(({ key }) => key === `segue@${figure.where}`) ?? browser(figures);
    const ratio = figure.min / ours?.min;
    line(SCAN, SCAN.map(([, , cell]) => cell({ ...figure, ratio })), figure.note);
  }
  for (const where of ["Chromium", "Node", "native"]) share(figures, where);
  const wrong = figures.filter(({ kind, same }) => kind === "exact" && same === false);
  for (const { label, where } of wrong) console.log(`WRONG: ${label} in ${where} ranks otherwise`);
  if (wrong.length > 0) process.exitCode = 1;
}

const browser = (figures) => figures.find(({ key }) => key === "segue@Chromium");

const CALLS = [
  ["", 40, ({ label }) => label],
  ["in", 9, ({ where }) => where],
  ["min µs", 10, ({ min }) => digits(min * 1e3)],
  ["median µs", 10, ({ median }) => digits(median * 1e3)],
];

/** Prints what calls cost that are no scan. */
export function printCalls({ rows, rounds, figures }) {
  console.log(`\nCalls on a model of ${rows.toLocaleString("en")} tracks, ${rounds} rounds`);
  line(CALLS, CALLS.map(([name]) => name));
  for (const figure of figures) {
    const { label, where, left } = figure;
    if (left !== undefined) line(CALLS, [label, where, "left out:", left]);
    else line(CALLS, CALLS.map(([, , cell]) => cell(figure)));
  }
}

function line(columns, cells, note = "") {
  const padded = cells.map((cell, at) =>
    at < 2 ? cell.padEnd(columns[at][1]) : cell.padStart(columns[at][1]),
  );
  console.log(`${padded.join(" ")}   ${note}`.trimEnd());
}

/** How near the scan comes to reading all codes once, which it does not do: it rules most rows out. */
function share(figures, where) {
  const of = (id) => figures.find(({ key }) => key === `${id}@${where}`)?.min;
  const [limit, engine] = [of("limit"), of("engine")];
  if (!limit || !engine) return;
  const percent = digits((100 * limit) / engine, 2);
  console.log(`${where}: to read every code once takes ${percent} % of the module's time`);
}
