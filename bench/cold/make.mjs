// node make.mjs CATALOGUE OUT
//
// The pages whose first ranking is timed, as they would be put on a server: bundled, minified and
// packed by Brotli. CATALOGUE is a folder that `tools/bench.sh` made.

import { build } from "esbuild";
import { cpSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { Segue } from "../../pkg/dist/index.js";
import { ranker } from "../scan/contenders/onnx.mjs";

const DIM = 64;
const [PLACES, CANDIDATES] = [50, 500];

const [catalogue, out] = process.argv.slice(2);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const floats = (file) => new Float32Array(Uint8Array.from(readFileSync(join(catalogue, file))).buffer);

const factors = floats("factors.f32");
const rows = factors.length / DIM;
const segue = await Segue.fromModel(readFileSync(join(catalogue, "trained.segue")));
const idOf = new Map(lines("ids.txt").map((id) => [segue.rows([id])[0], id]));
const ids = Array.from({ length: rows }, (_, row) => idOf.get(row));

const events = lines("listeners.txt")[0].split(";").map((event) => {
  const [kind, row, played, duration] = event.split(" ");
  const known = duration === "0" ? {} : { duration_ms: Number(duration) };
  return { kind, track: ids[row], played_ms: Number(played), ...known };
});
const candidates = Array.from({ length: CANDIDATES }, (_, at) => ids[(at * 7919) % rows]);
const taste = [...floats("tastes.f32").subarray(0, DIM)];
const given = JSON.stringify({ candidates, events, taste, places: PLACES });

mkdirSync(out, { recursive: true });
writeFileSync(join(out, "factors.f32"), new Uint8Array(factors.buffer));
writeFileSync(join(out, "ids.json"), JSON.stringify(ids));
writeFileSync(join(out, "model.onnx"), ranker(factors, rows, DIM, CANDIDATES, PLACES));
for (const folder of ["dist", "wasm"]) {
  cpSync(here(`../../pkg/${folder}`), join(out, "pkg", folder), { recursive: true });
}
copy("@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm", "tfjs");
copy("onnxruntime-web/dist/ort-wasm-simd-threaded.wasm", "ort");
copy("onnxruntime-web/dist/ort-wasm-simd-threaded.mjs", "ort");

// The package as it is, its files where they lie; and as a bundler makes one of them.
await page("segue", "segue", { alias: { segue: "/pkg/dist/index.js" }, external: ["/pkg/*"] });
await page("segue-bundled", "segue");
cpSync(here("../../pkg/wasm/segue_wasm_bg.wasm"), join(out, "wasm/segue_wasm_bg.wasm"));
for (const name of ["plain", "tfjs", "ort"]) await page(name, name);
for (const file of readdirSync(out, { recursive: true })) pack(join(out, file));

function lines(file) {
  return readFileSync(join(catalogue, file), "utf8").trim().split("\n");
}

function copy(file, folder) {
  cpSync(here(`../node_modules/${file}`), join(out, folder, file.split("/").at(-1)));
}

/** One page, with a script of its own. */
async function page(name, source, options = {}) {
  await build({
    entryPoints: [here(`pages/${source}.mjs`)],
    outfile: join(out, name, "main.js"),
    bundle: true,
    minify: true,
    format: "esm",
    logLevel: "error",
    ...options,
  });
  const html = `<!doctype html><title>${name}</title>
<script type="application/json" id="given">${given}</script>
<script type="module" src="main.js"></script>
`;
  writeFileSync(join(out, name, "index.html"), html);
}

function pack(file) {
  if (statSync(file).isDirectory()) return;
  const bytes = readFileSync(file);
  // The best there is takes minutes for the largest module, and gains little.
  const quality = bytes.length > 4e6 ? 9 : 11;
  const params = { [constants.BROTLI_PARAM_QUALITY]: quality };
  writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params }));
}
