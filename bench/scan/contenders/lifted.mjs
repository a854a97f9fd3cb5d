// Inner products as distances, for indexes that know no others.

/**
 * The rows of `factors` with one more component each, so that all are equally long: the nearest to
 * a taste are then those of the largest inner product (Bachrach et al., RecSys 2014).
 */
export function lifted(factors, rows, dim) {
  const squares = new Float64Array(rows);
  for (let at = 0; at < rows * dim; at++) squares[Math.floor(at / dim)] += factors[at] ** 2;
  const longest = squares.reduce((most, square) => Math.max(most, square), 0);
  return (row) => {
    const point = new Float32Array(dim + 1);
    point.set(factors.subarray(row * dim, (row + 1) * dim));
    point[dim] = Math.sqrt(longest - squares[row]);
    return point;
  };
}

/** `taste` as a point to be near to, as long as the rows are. */
export function target(taste, point) {
  const scale = Math.hypot(...point) / Math.hypot(...taste);
  return Float32Array.from([...taste, 0], (x) => x * scale);
}
