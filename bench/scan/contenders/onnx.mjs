// Writes the few fields of an ONNX model that a product with a constant matrix takes. Numbers are
// those of the fields in onnx.proto.

const FLOAT = 1;
const INT64 = 7;

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

/**
 * A graph from `taste` to `scores`, or, given k, to the `values` and `rows` of the k best. `weights`
 * lie by rows, or `across` "columns" by columns.
 */
export function scorer(across, weights, rows, dim, k) {
  const constants = [tensor("factors", FLOAT, weightsShape(across, rows, dim), weights)];
  const nodes = [product(across)];
  const outputs = [];
  if (k) {
    constants.push(tensor("k", INT64, [1], new BigInt64Array([BigInt(k)])));
    nodes.push(node("TopK", ["scores", "k"], ["values", "rows"], { axis: across === "rows" ? 0 : 1 }));
    const shape = across === "rows" ? [k, 1] : [1, k];
    outputs.push(value("values", FLOAT, shape), value("rows", INT64, shape));
  } else {
    outputs.push(value("scores", FLOAT, across === "rows" ? [rows, 1] : [1, rows]));
  }
  const graph = [
    ...nodes.map((node) => field(1, node)),
    field(2, text("scan")),
    ...constants.map((constant) => field(5, constant)),
    field(11, value("taste", FLOAT, across === "rows" ? [dim, 1] : [1, dim])),
    ...outputs.map((output) => field(12, output)),
  ];
  return joined([number(1, 8), field(7, graph), field(8, [number(2, 17)])]);
}

const weightsShape = (across, rows, dim) => (across === "columns" ? [dim, rows] : [rows, dim]);

function product(across) {
  if (across === "rows") return node("MatMul", ["factors", "taste"], ["scores"]);
  if (across === "columns") return node("MatMul", ["taste", "factors"], ["scores"]);
  return node("Gemm", ["taste", "factors"], ["scores"], { transB: 1 });
}

function node(type, inputs, outputs, attributes = {}) {
  return [
    ...inputs.map((name) => field(1, text(name))),
    ...outputs.map((name) => field(2, text(name))),
    field(4, text(type)),
    ...Object.entries(attributes).map(([name, value]) =>
      field(5, [field(1, text(name)), number(3, value), number(20, 2)]),
    ),
  ];
}

function tensor(name, type, shape, values) {
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const dims = shape.map((length) => number(1, length));
  return [...dims, number(2, type), field(8, text(name)), field(9, [raw])];
}

function value(name, type, shape) {
  const dims = shape.map((length) => field(1, [number(1, length)]));
  return [field(1, text(name)), field(2, [field(1, [number(1, type), field(2, dims)])])];
}

/* A message is a list of pieces, each of them bytes or a list in its turn; the large ones are
   copied once, at the end. */

const text = (value) => [new TextEncoder().encode(value)];
const number = (key, value) => [varint(key << 3), varint(value)];
const field = (key, pieces) => [varint((key << 3) | 2), varint(lengthOf(pieces)), ...pieces];

const lengthOf = (piece) =>
  Array.isArray(piece) ? piece.reduce((sum, part) => sum + lengthOf(part), 0) : piece.length;

function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Uint8Array.from([...bytes, value]);
}

function joined(pieces) {
  const flat = pieces.flat(Infinity);
  const bytes = new Uint8Array(lengthOf(flat));
  let at = 0;
  for (const piece of flat) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
