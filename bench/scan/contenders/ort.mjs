// ONNX Runtime on its WebAssembly provider, one thread, in the quickest of several graphs.

import { matrix } from "./matrix.mjs";
import { scorer } from "./onnx.mjs";
import { TopK, topOf } from "./topk.mjs";

export async function open({ floats, library, tastes, rows, places, dim, quickest }) {
  const ort = await library("ort");
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = library.folder("onnxruntime-web/dist/", { url: true });
  const factors = await floats("factors.f32");
  const best = new TopK(places);

  const shapes = [];
  for (const { name, across } of GRAPHS) {
    const weights = across === "columns" ? transposed(factors, rows, dim) : factors;
    for (const k of [places, undefined]) {
      shapes.push({
        name: `${name}, top ${places} ${k ? "in the graph" : "in JavaScript"}`,
        // Each in its turn, so that only one copy of the weights is there at a time.
        open: () => session(ort, scorer(across, weights, rows, dim, k), tastes, across, dim, best),
      });
    }
  }
  return quickest(shapes);
}

const GRAPHS = [
  { name: "rows × taste", across: "rows" },
  { name: "taste × columns", across: "columns" },
  { name: "Gemm, transposed", across: "gemm" },
];

async function session(ort, graph, tastes, across, dim, best) {
  const session = await ort.InferenceSession.create(graph, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
  });
  const [output] = session.outputNames.slice(-1);
  const shape = across === "rows" ? [dim, 1] : [1, dim];
  return {
    async top(listener) {
      const taste = new ort.Tensor("float32", tastes[listener], shape);
      const { [output]: found } = await session.run({ taste });
      return output === "rows" ? Array.from(found.data, Number) : topOf(found.data, best);
    },
    close: () => session.release(),
  };
}

const transposed = (factors, rows, dim) => matrix(dim, rows, (k, row) => factors[row * dim + k]);
