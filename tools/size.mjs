// Prints the size of what a page downloads to run Segue, raw and compressed, and fails where one of
// its parts is over the committed budget. Each file is compressed by itself, as a server sends it.
import { readFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const pkg = new URL("../pkg/", import.meta.url);
const parts = JSON.parse(readFileSync(new URL("size-budget.json", pkg), "utf8"));

const encodings = ["raw", "gzip", "brotli"];
const best = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };

function sizesOf(name) {
  const bytes = readFileSync(new URL(name, pkg));
  return {
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotliCompressSync(bytes, best).length,
  };
}

const print = (name, sizes) =>
  console.log(name.padEnd(28) + encodings.map((e) => String(sizes[e] ?? "–").padStart(10)).join(""));
print("bytes", Object.fromEntries(encodings.map((encoding) => [encoding, encoding])));
for (const { what, files, budget } of parts) {
  const total = Object.fromEntries(encodings.map((encoding) => [encoding, 0]));
  for (const name of files) {
    const sizes = sizesOf(name);
    print(name, sizes);
    for (const encoding of encodings) total[encoding] += sizes[encoding];
  }
  print(what, total);
  print("budget", budget);
  for (const encoding of encodings.filter((encoding) => total[encoding] > (budget[encoding] ?? Infinity))) {
    const bytes = total[encoding] - budget[encoding];
    console.error(`segue: what it takes ${what} is ${bytes} ${encoding} bytes over the budget in pkg/size-budget.json`);
    process.exitCode = 1;
  }
}
