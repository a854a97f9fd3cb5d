import * as tf from "../vendor.mjs";
import { candidates, places, ranked, table, taste } from "./page.mjs";

tf.setWasmPaths("/tfjs/");
tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
const [{ factors, rowOf }] = await Promise.all([table(), tf.setBackend("wasm")]);
const dim = taste.length;
const found = tf.tidy(() => {
  const all = tf.tensor2d(factors, [rowOf.size, dim]);
  const rows = tf.tensor1d(candidates.map((id) => rowOf.get(id)), "int32");
  const scores = tf.matMul(tf.tensor2d(taste, [1, dim]), tf.gather(all, rows), false, true);
  return tf.topk(scores, places, true).indices.dataSync();
});
ranked(Array.from(found, (at) => candidates[at]));
