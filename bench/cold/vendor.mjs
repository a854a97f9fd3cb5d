// What the page needs of TensorFlow.js, for the bundler to leave out the rest.

export { env, gather, matMul, setBackend, tensor1d, tensor2d, tidy, topk } from "@tensorflow/tfjs-core";
export { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
