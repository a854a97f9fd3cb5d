// Writes the few fields of an ONNX model that a product with a constant matrix takes. Numbers are
// those of the fields in onnx.proto.

const FLOAT = 1;
const INT64 = 7;

/**
 * A graph from `taste` to `scores`, or, given k, to the `values` and `rows` of the k best. `weights`
 * lie by rows, or `across` "columns" by columns.
 */
export function scorer(across, weights, rows, dim, k) {
  const upright = across === "rows";
  const vector = (length) => (upright ? [length, 1] : [1, length]);
  const shape = across === "columns" ? [dim, rows] : [rows, dim];
  const constants = [tensor("factors", FLOAT, shape, weights)];
  const nodes = [product(across)];
  const outputs = [];
  if (k) {
    constants.push(tensor("k", INT64, [1], BigInt64Array.of(BigInt(k))));
    nodes.push(node("TopK", ["scores", "k"], ["values", "rows"], { axis: upright ? 0 : 1 }));
    outputs.push(value("values", FLOAT, vector(k)), value("rows", INT64, vector(k)));
  } else {
    outputs.push(value("scores", FLOAT, vector(rows)));
  }
  return model(nodes, constants, [value("taste", FLOAT, vector(dim))], outputs);
}

function product(across) {
  if (across === "rows") return node("MatMul", ["factors", "taste"], ["scores"]);
  if (across === "columns") return node("MatMul", ["taste", "factors"], ["scores"]);
  return node("Gemm", ["taste", "factors"], ["scores"], { transB: 1 });
}

/** A graph from `taste` and so many `candidates` to the `values` and `places` of the k best. */
export function ranker(weights, rows, dim, candidates, k) {
  const constants = [
    tensor("factors", FLOAT, [rows, dim], weights),
    tensor("k", INT64, [1], BigInt64Array.of(BigInt(k))),
  ];
  const nodes = [
    node("Gather", ["factors", "candidates"], ["gathered"], { axis: 0 }),
    node("MatMul", ["gathered", "taste"], ["scores"]),
    node("TopK", ["scores", "k"], ["values", "places"], { axis: 0 }),
  ];
  const inputs = [value("taste", FLOAT, [dim, 1]), value("candidates", INT64, [candidates])];
  const outputs = [value("values", FLOAT, [k, 1]), value("places", INT64, [k, 1])];
  return model(nodes, constants, inputs, outputs);
}

function model(nodes, constants, inputs, outputs) {
  const graph = [
    ...nodes.map((node) => field(1, node)),
    field(2, text("scan")),
    ...constants.map((constant) => field(5, constant)),
    ...inputs.map((input) => field(11, input)),
    ...outputs.map((output) => field(12, output)),
  ];
  return joined([number(1, 8), field(7, graph), field(8, [number(2, 17)])]);
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
