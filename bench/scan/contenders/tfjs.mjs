// TensorFlow.js on its WebAssembly backend, in the build with SIMD and without threads, in the
// quickest of several shapes.

import { matrix } from "./matrix.mjs";
import { TopK, topOf } from "./topk.mjs";

export async function open({ floats, library, tastes, rows, places, dim, quickest }) {
  const tf = await library("tfjs");
  tf.setWasmPaths(library.folder("@tensorflow/tfjs-backend-wasm/dist/"));
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  await tf.setBackend("wasm");
  await tf.ready();

  const factors = await floats("factors.f32");
  const byColumns = matrix(dim, rows, (k, row) => factors[row * dim + k]);
  const best = new TopK(places);
  const shapes = [];
  for (const columns of [true, false]) {
    for (const inGraph of [true, false]) {
      const way = columns ? "taste × columns" : "taste × rows, transposed";
      shapes.push({
        name: `${way}, top ${places} ${inGraph ? "in the graph" : "in JavaScript"}`,
        open() {
          const table = columns
            ? tf.tensor2d(byColumns, [dim, rows])
            : tf.tensor2d(factors, [rows, dim]);
          const scores = (listener) =>
            tf.matMul(tf.tensor2d(tastes[listener], [1, dim]), table, false, !columns);
          const found = (listener) => [...tf.topk(scores(listener), places, true).indices.dataSync()];
          const sorted = (listener) => topOf(scores(listener).dataSync(), best);
          const top = inGraph ? found : sorted;
          return { top: (listener) => tf.tidy(() => top(listener)), close: () => table.dispose() };
        },
      });
    }
  }
  return quickest(shapes);
}
