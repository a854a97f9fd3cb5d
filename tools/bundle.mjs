// node tools/bundle.mjs OUT: the client and its glue as one minified module in the folder OUT, with
// a source map, and beside it what keeps a model current. Apart they would compress worse, and a page would wait for one
// after the other.
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

/** Bundles what starts at one file of the sources, into chunks. */
async function bundled(entry) {
  const bundle = await rolldown({
    input: { [entry]: join(src, `${entry}.ts`) },
    platform: "neutral",
    external: /^node:/,
    transform: { target: "es2022" },
    // What keeps a model current is loaded when it is needed, and takes from here what it shares with the rest.
    preserveEntrySignatures: "allow-extension",
    onLog: (_level, { message }) => {
      throw new Error(message);
    },
  });
  const { output } = await bundle.generate({
    format: "esm",
    sourcemap: true,
    dir: join(src, "../dist"),
    entryFileNames: "[name].js",
    // Rolldown numbers a name that it believes to be taken.
    chunkFileNames: "[name]-.js",
    minifyInternalExports: true,
  });
  return output.filter(({ type }) => type === "chunk");
}

// One for all: what they share has one name.
const nameCache = {};
for (const { name, code, map } of [...(await bundled("index")), ...(await bundled("node"))]) {
  const file = `${name}.js`;
  const { code: small, map: mapped } = await minify(code, {
    module: true,
    ecma: 2020,
    // The classes of the glue are nobody's to dispose of: they do not leave the package.
    compress: { passes: 3, pure_getters: true, unsafe_methods: true, global_defs: { "@Symbol.dispose": "undefined" } },
    // What the glue keeps for itself.
    mangle: { properties: { regex: /^(__destroy_into_raw|__wbg_ptr)$/ } },
    nameCache,
    sourceMap: { content: map, includeSources: true, url: `${file}.map` },
  });
  writeFileSync(join(out, file), small.replaceAll(/"\.\/sync-\d*\.js"/g, '"./sync.js"'));
  writeFileSync(join(out, `${file}.map`), mapped);
}
