// hnswlib-wasm: an approximate index, a graph of near neighbours that a search walks.

/** Links a track, and how many candidates are kept while building and while searching. */
const [LINKS, BUILDING, SEARCHING] = [16, 200, 128];

export async function open({ floats, library, tastes, rows, places, dim }) {
  const { loadHnswlib } = await library("hnswlib");
  const lib = await loadHnswlib();
  const factors = await floats("factors.f32");
  const lift = lifted(factors, rows, dim);
  const index = new lib.HierarchicalNSW("l2", dim + 1, "");
  index.initIndex(rows, LINKS, BUILDING, 100);
  for (let row = 0; row < rows; row++) {
    const point = new Float32Array(dim + 1);
    point.set(factors.subarray(row * dim, (row + 1) * dim));
    point[dim] = lift[row];
    index.addPoint(point, row, false);
  }
  index.setEfSearch(SEARCHING);
  const queries = tastes.map((taste) => unit(Float32Array.from([...taste, 0])));
  return {
    top: (listener) => index.searchKnn(queries[listener], places, undefined).neighbors,
    note: `${LINKS} links, ${BUILDING} candidates to build, ${SEARCHING} to search`,
  };
}

/**
 * One more component for each row, so that all are equally long: then the nearest are those of the
 * largest inner product (Bachrach et al., 2014), which serves a graph better than the product does.
 */
function lifted(factors, rows, dim) {
  const squares = new Float64Array(rows);
  for (let at = 0; at < rows * dim; at++) squares[Math.floor(at / dim)] += factors[at] ** 2;
  const longest = squares.reduce((most, square) => Math.max(most, square), 0);
  return squares.map((square) => Math.sqrt(longest - square));
}

function unit(vector) {
  const length = Math.hypot(...vector);
  return vector.map((x) => x / length);
}
