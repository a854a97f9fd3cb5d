// A page without any library: a loop over 32-bit floats and a heap.

import { TopK } from "./topk.mjs";

export async function open({ floats, tastes, places, dim }) {
  const factors = await floats("factors.f32");
  const best = new TopK(places);
  return { top: (listener) => scan(factors, tastes[listener], dim, best) };
}

/** Four sums at a time, of numbers as JavaScript has them: the fastest of the shapes tried. */
function scan(factors, taste, dim, best) {
  best.clear();
  for (let at = 0, row = 0; at < factors.length; at += dim, row++) {
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let k = 0; k < dim; k += 4) {
      a += factors[at + k] * taste[k];
      b += factors[at + k + 1] * taste[k + 1];
      c += factors[at + k + 2] * taste[k + 2];
      d += factors[at + k + 3] * taste[k + 3];
    }
    const score = a + b + (c + d);
    if (score > best.threshold) best.push(score, row);
  }
  return best.sorted();
}
