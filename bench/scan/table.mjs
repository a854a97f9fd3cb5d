// What a run found, as a person reads it.

import { digits } from "../lib/stats.mjs";

const COLUMNS = [
  ["", 34, ({ label }) => label],
  ["in", 9, ({ where }) => where],
  ["min ms", 10, ({ min }) => digits(min)],
  ["median ms", 10, ({ median }) => digits(median)],
  ["ns a track", 11, ({ nanoseconds }) => digits(nanoseconds)],
  ["× Segue", 8, ({ ratio }) => digits(ratio, 2)],
  ["same 50", 8, ({ recall }) => (recall === undefined ? "" : recall.toFixed(3))],
];

/** Prints one catalogue's figures; `ratio` is to the package in the same place. */
export function print({ rows, places, listeners, rounds, figures }) {
  const count = rows.toLocaleString("en");
  console.log(`\nTop ${places} of ${count} tracks, ${listeners} listeners, ${rounds} rounds`);
  line(COLUMNS.map(([name]) => name));
  for (const figure of figures) {
    if (figure.left !== undefined) {
      line([figure.label, figure.where, "left out:", figure.left]);
      continue;
    }
    const ours = figures.find(({ key }) => key === `segue@${figure.where}`) ?? browser(figures);
    line(COLUMNS.map(([, , cell]) => cell({ ...figure, ratio: figure.min / ours?.min })), figure.note);
  }
  for (const where of ["Chromium", "Node", "native"]) share(figures, where);
  const wrong = figures.filter(({ kind, same }) => kind === "exact" && same === false);
  for (const { label, where } of wrong) console.log(`WRONG: ${label} in ${where} ranks otherwise`);
  if (wrong.length > 0) process.exitCode = 1;
}

const browser = (figures) => figures.find(({ key }) => key === "segue@Chromium");

function line(cells, note = "") {
  const padded = cells.map((cell, at) =>
    at < 2 ? cell.padEnd(COLUMNS[at][1]) : cell.padStart(COLUMNS[at][1]),
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
