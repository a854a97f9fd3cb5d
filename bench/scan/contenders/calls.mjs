// What it costs to hand a player's candidates over and to have them back in order. Not a scan: each
// variant is one call, measured in microseconds.

import * as glue from "../../../pkg/wasm/segue_wasm.js";
import { Segue } from "../../../pkg/dist/index.js";
import { KINDS } from "../../lib/kinds.mjs";
import { connect } from "../../lib/module.mjs";
import { meet } from "./segue.mjs";
import { TopK, topOf } from "./topk.mjs";

/** Candidates, ids that are looked up, and how many such lists there are to choose among. */
const [CANDIDATES, LOOKED_UP, LISTS] = [500, 1000, 16];

export async function open(place, variant) {
  const ids = new TextDecoder().decode(await place.bytes("ids.txt")).trim().split("\n");
  const setting = { ...place, ids, ...(await opened(place)) };
  return VARIANTS[variant](setting);
}

/** The same model in the package, with a listener, and in the module by itself. */
async function opened({ bytes, asset, listeners }) {
  const module = await WebAssembly.compile(await asset("pkg/wasm/segue_wasm_bg.wasm"));
  await connect(glue, module);
  const file = await bytes("trained.segue");
  const segue = await Segue.fromModel(file, { wasm: module });
  meet(segue, listeners[0]);
  const parts = new glue.Parts();
  parts.add_file(file);
  const engine = new glue.Engine(parts);
  for (const { kind, track, played_ms, duration_ms } of listeners[0]) {
    engine.observe(KINDS.indexOf(kind), track, played_ms, duration_ms);
  }
  return { segue, engine };
}

const VARIANTS = {
  "rank ids": ({ segue, ids, places }) =>
    each(listsOf(ids, CANDIDATES), (list) => segue.rank(list, { limit: places })),

  "rank rows": ({ segue, ids, places }) => {
    const lists = listsOf(ids, CANDIDATES).map((list) => segue.rows(list));
    return each(lists, (rows) => segue.rank(rows, { limit: places }));
  },

  "rank diverse": ({ segue, ids, places }) => {
    const lists = listsOf(ids, CANDIDATES).map((list) => segue.rows(list));
    return each(lists, (rows) => segue.rank(rows, { limit: places, diversity: 0.3 }));
  },

  "module alone": ({ segue, engine, ids, places }) => {
    const lists = listsOf(ids, CANDIDATES).map((list) => segue.rows(list));
    return each(lists, (rows) => engine.rank(rows, places));
  },

  parsed: ({ ids }) => each(parsable(ids), (text) => JSON.parse(text)),

  "rank parsed": ({ segue, ids, places }) =>
    each(parsable(ids), (text) => segue.rank(JSON.parse(text), { limit: places })),

  "ids known": ({ segue, ids }) =>
    each(listsOf(ids, CANDIDATES), (list) => segue.rows(list)),

  "ids looked up": ({ engine, ids }) =>
    each(listsOf(ids, LOOKED_UP), (list) => engine.rows_of(list.join("\0"))),

  "ids looked up again": ({ segue, ids }) =>
    each(listsOf(ids, LOOKED_UP), (list) => segue.rows(list)),

  "one event": ({ segue, ids }) => {
    const [list] = listsOf(ids, LISTS);
    return each(list, (track) => segue.observe({ kind: "skip", track, played_ms: 4000 }));
  },

  /** A map from id to row, 32-bit floats and a heap: the same done in plain JavaScript. */
  "plain JavaScript": async ({ floats, ids, segue, tastes, places, dim }) => {
    const factors = await floats("factors.f32");
    const held = factors.length / dim;
    const rowOf = new Map(ids.map((id) => [id, segue.rows([id])[0]]).filter(([, row]) => row < held));
    const known = listsOf([...rowOf.keys()], CANDIDATES);
    const scores = new Float64Array(CANDIDATES);
    const best = new TopK(places);
    return each(known, (list) => {
      list.forEach((id, at) => (scores[at] = product(factors, rowOf.get(id) * dim, tastes[0])));
      return topOf(scores, best).map((at) => ({ track: list[at], index: at, score: scores[at] }));
    });
  },
};

function product(factors, at, taste) {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let k = 0; k < taste.length; k += 4) {
    a += factors[at + k] * taste[k];
    b += factors[at + k + 1] * taste[k + 1];
    c += factors[at + k + 2] * taste[k + 2];
    d += factors[at + k + 3] * taste[k + 3];
  }
  return a + b + (c + d);
}

/** Lists of `length` ids, spread over all of them by a stride that is prime. */
const listsOf = (ids, length) =>
  Array.from({ length: LISTS }, (_, list) =>
    Array.from({ length }, (_, at) => ids[((list * length + at) * 7919) % ids.length]),
  );

const parsable = (ids) => listsOf(ids, CANDIDATES).map((list) => JSON.stringify(list));

/** Calls with one of `values` after the other, so that no list is the one of the call before. */
function each(values, call) {
  let next = 0;
  return { call: () => call(values[next++ % values.length]) };
}
