// What the scan needs of TensorFlow.js, for the bundler to leave out the rest.

export { env, matMul, ready, setBackend, tensor2d, tidy, topk } from "@tensorflow/tfjs-core";
export { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
