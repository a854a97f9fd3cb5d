// The ranking that every exact contender must give: all products of integers, sorted.

import { readFileSync } from "node:fs";

/** For each listener the rows of the best, best first; of equal ones the lower row comes first. */
export function exact({ folder, dim, places }) {
  const codes = integers(Int8Array, `${folder}/codes.i8`);
  const queries = integers(Int16Array, `${folder}/queries.i16`);
  const points = new Int32Array(codes.length / dim);
  const rankings = [];
  for (let from = 0; from < queries.length; from += dim) {
    const query = queries.subarray(from, from + dim);
    for (let row = 0; row < points.length; row++) {
      let sum = 0;
      for (let k = 0; k < dim; k++) sum += codes[row * dim + k] * query[k];
      points[row] = sum;
    }
    const least = points.slice().sort().at(-places) ?? -Infinity;
    const rows = [];
    points.forEach((sum, row) => sum >= least && rows.push(row));
    rows.sort((a, b) => points[b] - points[a] || a - b);
    rankings.push(rows.slice(0, places));
  }
  return rankings;
}

function integers(Numbers, file) {
  const { buffer } = Uint8Array.from(readFileSync(file));
  return new Numbers(buffer);
}

/** The share of `wanted` that is in `found`, over all listeners; and whether the order is the same. */
export function agreement(found, wanted) {
  let common = 0;
  let all = 0;
  wanted.forEach((rows, listener) => {
    const held = new Set(found[listener]);
    common += rows.filter((row) => held.has(row)).length;
    all += rows.length;
  });
  const same = JSON.stringify(found) === JSON.stringify(wanted);
  return { recall: common / all, same };
}
