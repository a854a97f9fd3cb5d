// TensorFlow.js on its WebAssembly backend, in the build with SIMD and without threads.

import { TopK, topOf } from "./topk.mjs";

/** The product by itself is read back and sorted out here where that is faster. */
const SHAPES = { "topk in the graph": inGraph, "top 50 in JavaScript": inJavaScript };

export async function open({ floats, library, tastes, rows, places, dim, quickest }) {
  const tf = await library("tfjs");
  tf.setWasmPaths(library.folder("@tensorflow/tfjs-backend-wasm/dist/"));
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  await tf.setBackend("wasm");
  await tf.ready();
  const factors = tf.tensor2d(await floats("factors.f32"), [rows, dim]);
  const run = { tf, factors, tastes, places, best: new TopK(places) };
  const shapes = Object.entries(SHAPES).map(([name, shape]) => ({ name, top: shape(run) }));
  return quickest(shapes);
}

const product = ({ tf, factors, tastes }, listener) => {
  const taste = tf.tensor2d(tastes[listener], [1, tastes[listener].length]);
  return tf.matMul(taste, factors, false, true);
};

function inGraph(run) {
  const { tf, places } = run;
  return (listener) =>
    tf.tidy(() => [...tf.topk(product(run, listener), places, true).indices.dataSync()]);
}

function inJavaScript(run) {
  const scores = (listener) => run.tf.tidy(() => product(run, listener).dataSync());
  return (listener) => topOf(scores(listener), run.best);
}
