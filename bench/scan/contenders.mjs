// Who takes part, where, and up to how many tracks.

const ANYWHERE = ["Chromium", "Node"];

/**
 * `id` is the file's name in `contenders/`, or what the native process calls it. `exact` ones must
 * answer with the very ranking of `exact.mjs`; `floats` ones add up in another arithmetic, in which
 * near ties may fall otherwise. `most` is the most tracks, `because` the reason.
 */
const SCANS = [
  { id: "segue", label: "Segue", hosts: ANYWHERE, kind: "exact" },
  { id: "engine", label: "Segue, module alone", hosts: [...ANYWHERE, "native"], kind: "exact" },
  { id: "segue-event", label: "Segue, one event and top()", hosts: ANYWHERE, kind: "other" },
  { id: "engine", label: "the same, factors of noise", hosts: [...ANYWHERE, "native"], kind: "exact", noise: true },
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
  {
    id: "voy",
    label: "voy-search",
    hosts: ["Chromium"],
    kind: "approximate",
    most: 100_000,
    because: "a list of a million points does not fit its memory",
  },
  { id: "faiss-flat", label: "faiss IndexFlatIP", hosts: ["Python"], kind: "floats" },
  { id: "faiss-sq8", label: "faiss SQ8", hosts: ["Python"], kind: "approximate" },
  { id: "faiss-codes", label: "faiss SQ8, 8-bit query", hosts: ["Python"], kind: "approximate" },
  { id: "numpy", label: "NumPy", hosts: ["Python"], kind: "floats" },
  { id: "limit", label: "reading the codes' bytes", hosts: [...ANYWHERE, "native"], kind: "other" },
];

/** Calls of the package that are no scan: see `contenders/calls.mjs`. */
const CALLS = [
  ["rank ids", "rank(500 ids, 50 places)"],
  ["rank rows", "rank(500 rows, 50 places)"],
  ["rank diverse", "rank(500 rows, 50 places, diversity)"],
  ["module alone", "the module's part of both"],
  ["ids known", "rows(500 ids), met before"],
  ["plain JavaScript", "plain JavaScript, 500 ids, 50 places"],
  ["parsed", "500 ids parsed from JSON"],
  ["rank parsed", "the same, and rank(…, 50 places)"],
  ["ids looked up", "rows of 1,000 ids, never met"],
  ["ids looked up again", "rows(1,000 ids), met before"],
  ["one event", "observe(a skip)"],
].map(([variant, label]) => ({ id: "calls", variant, label, hosts: ANYWHERE, kind: "other" }));

const everywhere = (contenders) =>
  contenders.flatMap((contender) =>
    contender.hosts.map((where) => ({ ...contender, where, key: keyOf(contender, where) })),
  );

const keyOf = ({ id, variant, noise }, where) =>
  `${variant ?? id}${noise ? "-noise" : ""}@${where}`;

/** Every contender in every place, in the order of tables. */
export const SETS = { scan: everywhere(SCANS), calls: everywhere(CALLS) };
