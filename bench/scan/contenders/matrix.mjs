/** A dense matrix, row after row. */
export function matrix(rows, columns, at) {
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      values[row * columns + column] = at(row, column);
    }
  }
  return values;
}
