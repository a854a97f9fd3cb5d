// node tools/bundle.mjs OUT: the client and its glue as one minified module in the folder OUT, with
// a source map. Apart they compress worse, and a page waits for one after the other.
//
// Rolldown bundles and leaves out what nothing calls. Terser minifies: it keeps the module's URL a
// plain string, which is what the bundlers of a page look for.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { minify } from "terser";

const out = process.argv[2];
const src = fileURLToPath(new URL("../pkg/src/", import.meta.url));

const bundle = await rolldown({
  input: join(src, "index.ts"),
  platform: "neutral",
  transform: { target: "es2022" },
  onLog: (_level, { message }) => {
    throw new Error(message);
  },
});
const options = { format: "esm", sourcemap: true, dir: join(src, "../dist") };
const [{ code, map }] = (await bundle.generate(options)).output;

const { code: small, map: mapped } = await minify(code, {
  module: true,
  ecma: 2020,
  // The classes of the glue are nobody's to dispose of: they do not leave the package.
  compress: { passes: 3, pure_getters: true, unsafe_methods: true, global_defs: { "@Symbol.dispose": "undefined" } },
  // What the glue keeps for itself.
  mangle: { properties: { regex: /^(__destroy_into_raw|__wbg_ptr)$/ } },
  sourceMap: { content: map, includeSources: true, url: "index.js.map" },
});
writeFileSync(join(out, "index.js"), small);
writeFileSync(join(out, "index.js.map"), mapped);
