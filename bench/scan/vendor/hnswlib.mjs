export { loadHnswlib } from "hnswlib-wasm";
