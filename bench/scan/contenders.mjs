// Who takes part, where, and up to how many tracks.

const ANYWHERE = ["Chromium", "Node"];

/**
 * `id` is the file's name in `contenders/`, or what the native process calls it. `exact` ones must
 * answer with the very ranking of `exact.mjs`; `floats` ones add up in another arithmetic, in which
 * near ties may fall otherwise. `most` is the most tracks, `because` the reason.
 */
export const CONTENDERS = [
  { id: "segue", label: "Segue", hosts: ANYWHERE, kind: "exact" },
  { id: "engine", label: "Segue, module alone", hosts: [...ANYWHERE, "native"], kind: "exact" },
  { id: "segue-event", label: "Segue, one event and top()", hosts: ANYWHERE, kind: "other" },
  { id: "segue", label: "Segue, factors of noise", hosts: ANYWHERE, kind: "exact", noise: true },
  { id: "plain", label: "plain JavaScript", hosts: ANYWHERE, kind: "floats" },
  { id: "tfjs", label: "TensorFlow.js, wasm", hosts: ANYWHERE, kind: "floats" },
  { id: "ort", label: "onnxruntime-web, wasm", hosts: ANYWHERE, kind: "floats" },
  {
    id: "hnsw",
    label: "hnswlib-wasm (approximate)",
    hosts: ["Chromium"],
    kind: "approximate",
    most: 100_000,
    because: "its graph takes many minutes to build",
  },
  { id: "voy", label: "voy-search", hosts: ["Chromium"], kind: "approximate", most: 10_000 },
  { id: "faiss-flat", label: "faiss IndexFlatIP", hosts: ["Python"], kind: "floats" },
  { id: "faiss-sq8", label: "faiss SQ8", hosts: ["Python"], kind: "approximate" },
  { id: "numpy", label: "NumPy", hosts: ["Python"], kind: "floats" },
  { id: "limit", label: "reading the codes' bytes", hosts: [...ANYWHERE, "native"], kind: "other" },
];

/** Every contender in every place, in the order of tables. */
export const entries = CONTENDERS.flatMap((contender) =>
  contender.hosts.map((where) => ({
    ...contender,
    where,
    key: `${contender.id}${contender.noise ? "-noise" : ""}@${where}`,
  })),
);
