// What single calls of the package take, in a page as in Node: `open` says where bytes are had.

import { Segue } from "../../pkg/dist/index.js";
import { parse } from "../lib/listeners.mjs";

/** Candidates of each list, places of each queue, and lists that take turns. */
const [CANDIDATES, PLACES, LISTS] = [500, 50, 16];
/** Events of a listener that are measured, half of them in each of two sittings. */
const EVENTS = 40;
/** The moment, of fields that the simulated log has. */
const MOMENT = { at: 1735691384747, tz_offset_min: -180, region: "BR", device: "phone", source: "radio", mood: "calm" };
/** What listeners do, turn by turn. */
const DEEDS = [
  { kind: "play", played_ms: 200_000, duration_ms: 200_000 },
  { kind: "skip", played_ms: 8_000, duration_ms: 200_000 },
  { kind: "play", played_ms: 90_000, duration_ms: 200_000 },
  { kind: "skip", played_ms: 60_000, duration_ms: 200_000 },
  { kind: "like" },
];

/** Milliseconds of each call, over `rounds` of all listeners: call → times. */
export async function measure(bytes, rounds) {
  const text = async (file) => new TextDecoder().decode(await bytes(file));
  const segue = await Segue.fromModel(await bytes("trained.segue"));
  const listeners = parse(await text("listeners.txt"));
  const ids = (await text("ids.txt")).trim().split("\n");
  const lists = listsOf(ids);
  segue.moment(MOMENT);
  const times = { observe: [], rank: [], both: [], again: [] };
  for (let round = 0; round < rounds; round++) {
    for (const history of listeners) listen(segue, history, lists, times);
  }
  return times;
}

/** One listener: their history, and then events each of which is followed by a ranking, and by another one. */
function listen(segue, history, lists, times) {
  segue.reset();
  for (const event of history) segue.observe(event);
  segue.leave();
  for (let n = 0; n < EVENTS; n++) {
    if (n === EVENTS / 2) segue.leave();
    const list = lists[n % LISTS];
    const event = { ...DEEDS[n % DEEDS.length], track: list[(n * 31) % CANDIDATES] };
    const start = performance.now();
    segue.observe(event);
    const observed = performance.now();
    segue.rank(list, { limit: PLACES });
    const ranked = performance.now();
    segue.rank(list, { limit: PLACES });
    const end = performance.now();
    times.observe.push(observed - start);
    times.rank.push(ranked - observed);
    times.both.push(ranked - start);
    times.again.push(end - ranked);
  }
}

/** Lists of ids, spread over all of them by a stride that is prime. */
const listsOf = (ids) =>
  Array.from({ length: LISTS }, (_, list) =>
    Array.from({ length: CANDIDATES }, (_, at) => ids[((list * CANDIDATES + at) * 7919) % ids.length]),
  );
