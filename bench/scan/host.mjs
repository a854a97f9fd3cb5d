// One contender in one place, Node or a page: opens it, has it answer, and lets it take its turns.
// Where it runs is all in `place`: how bytes and libraries are had there.

import { parse } from "../lib/listeners.mjs";

let contender;
let listeners;

/** Sets `id`, in a `variant`, up on a catalogue; returns what there is to say of how it did so. */
export async function open(place, { id, variant }, catalogue) {
  const { open } = await import(`./contenders/${id}.mjs`);
  const { rows, dim, places } = catalogue;
  const numbers = new Float32Array((await place.bytes("tastes.f32")).buffer);
  const tastes = Array.from({ length: numbers.length / dim }, (_, at) =>
    numbers.slice(at * dim, (at + 1) * dim),
  );
  listeners = [...tastes.keys()];
  const setting = {
    ...place,
    floats: async (file) => new Float32Array((await place.bytes(file)).buffer),
    listeners: parse(new TextDecoder().decode(await place.bytes("listeners.txt"))),
    tastes,
    rows,
    dim,
    places,
    quickest,
  };
  contender = await open(setting, variant);
  return contender.note ?? "";
}

/** The rows of the best for each listener; nothing from what is no ranking. */
export async function answers() {
  if (!contender.top) return null;
  const found = [];
  for (const listener of listeners) {
    contender.prepare?.(listener);
    found.push([...(await contender.top(listener))]);
  }
  return found;
}

/** Milliseconds a call for each of `who`, over as many calls as last at least `ms`. */
export async function turn(ms, who) {
  const call = contender.call ?? contender.top;
  const times = [];
  for (const listener of who) {
    contender.prepare?.(listener);
    times.push(await time(() => call(listener), ms));
  }
  return times;
}

async function time(call, ms) {
  let calls = 0;
  const start = performance.now();
  for (let more = 1; ; more *= 2) {
    for (let n = 0; n < more; n++) {
      const result = call();
      if (result instanceof Promise) await result;
    }
    calls += more;
    const passed = performance.now() - start;
    if (passed >= ms) return passed / calls;
  }
}

/** How long each shape is tried for, in milliseconds. */
const TRIAL = 200;

/** Opens one shape after the other, and settles on the one that answers soonest. */
async function quickest(shapes) {
  let best;
  for (const shape of shapes) {
    const { top, close } = shape.open ? await shape.open() : shape;
    await time(() => top(0), TRIAL / 2);
    const ms = await time(() => top(0), TRIAL);
    await close?.();
    if (!best || ms < best.ms) best = { shape, ms };
  }
  const { shape } = best;
  const { top } = shape.open ? await shape.open() : shape;
  return { top, note: shape.name };
}
