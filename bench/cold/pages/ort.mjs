import * as ort from "onnxruntime-web/wasm";
import { bytes, candidates, places, ranked, taste } from "./page.mjs";

ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = "/ort/";
const [session, ids] = await Promise.all([
  ort.InferenceSession.create("/model.onnx", { executionProviders: ["wasm"] }),
  bytes("/ids.json"),
]);
const names = JSON.parse(new TextDecoder().decode(ids));
const rowOf = new Map(names.map((id, row) => [id, row]));
const rows = BigInt64Array.from(candidates, (id) => BigInt(rowOf.get(id)));
const { places: found } = await session.run({
  taste: new ort.Tensor("float32", Float32Array.from(taste), [taste.length, 1]),
  candidates: new ort.Tensor("int64", rows, [rows.length]),
});
ranked(Array.from(found.data, (at) => candidates[Number(at)]).slice(0, places));
