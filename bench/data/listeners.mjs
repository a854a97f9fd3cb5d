// node listeners.mjs EVENTS MODEL ROWS COUNT OUT
//
// Listeners to rank for: out of a log, the first COUNT who did enough with tracks among the first
// ROWS of a model. One a line, events separated by `;`: `kind row played_ms duration_ms`, 0 for a
// duration that is not known. For EVENTS "-" they are made up: each played ten tracks to the end.

import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Segue } from "../../pkg/dist/index.js";

/** Events that make a listener one, and of whom no more are read. */
const ENOUGH = 40;
/** Listeners who are followed until enough of them have done enough. */
const FOLLOWED = 20;

const [events, model, rows, count, out] = process.argv.slice(2);
const wanted = Number(count);
const listeners = events === "-" ? imagined() : await logged();
writeFileSync(out, listeners.map((listener) => listener.join(";") + "\n").join(""));

async function logged() {
  const segue = await Segue.fromModel(readFileSync(model));
  const met = new Map();
  const done = [];
  for await (const line of createInterface({ input: createReadStream(events) })) {
    const { user, track, kind, played_ms = 0, duration_ms = 0 } = JSON.parse(line);
    if (!met.has(user) && met.size === wanted * FOLLOWED) continue;
    const [row] = segue.rows([track]);
    if (row >= Number(rows)) continue;
    const listener = met.get(user) ?? [];
    met.set(user, listener);
    if (listener.push(`${kind} ${row} ${played_ms} ${duration_ms}`) === ENOUGH) done.push(listener);
    if (done.length === wanted) break;
  }
  if (done.length < wanted) throw new Error(`${events} has ${done.length} listeners who did enough`);
  return done.map((listener) => listener.slice(0, ENOUGH));
}

function imagined() {
  // A multiplier of full period, so that rows are spread and the same each time.
  let state = 1;
  const next = () => (state = (state * 1664525 + 1013904223) % 2 ** 32) % Number(rows);
  return Array.from({ length: wanted }, () =>
    Array.from({ length: 10 }, () => `play ${next()} 1000 1000`),
  );
}
