// hnswlib-wasm: an approximate index, a graph of near neighbours that a search walks.

import { lifted, target } from "./lifted.mjs";

/** Links a track, and how many candidates are kept while building and while searching. */
const [LINKS, BUILDING, SEARCHING] = [16, 200, 128];

export async function open({ floats, library, tastes, rows, places, dim }) {
  const { loadHnswlib } = await library("hnswlib");
  const lib = await loadHnswlib();
  const point = lifted(await floats("factors.f32"), rows, dim);
  // Distances serve a graph better than products do.
  const index = new lib.HierarchicalNSW("l2", dim + 1, "");
  index.initIndex(rows, LINKS, BUILDING, 100);
  for (let row = 0; row < rows; row++) index.addPoint(point(row), row, false);
  index.setEfSearch(SEARCHING);
  const targets = tastes.map((taste) => target(taste, point(0)));
  return {
    top: (listener) => index.searchKnn(targets[listener], places, undefined).neighbors,
    note: `${LINKS} links, ${BUILDING} candidates to build, ${SEARCHING} to search`,
  };
}
