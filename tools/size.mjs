// Prints the size of what a page downloads to run Segue, raw and compressed, and fails where the
// total is over the committed budget. Each file is compressed by itself, as a server sends it.
import { readFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const pkg = new URL("../pkg/", import.meta.url);
const { files, budget } = JSON.parse(readFileSync(new URL("size-budget.json", pkg), "utf8"));

const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
const rows = files.map((name) => {
  const bytes = readFileSync(new URL(name, pkg));
  return {
    name,
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotliCompressSync(bytes, brotli).length,
  };
});
const encodings = ["raw", "gzip", "brotli"];
const sum = (encoding) => rows.reduce((total, row) => total + row[encoding], 0);
const total = Object.fromEntries(encodings.map((encoding) => [encoding, sum(encoding)]));

const print = (name, sizes) =>
  console.log(name.padEnd(28) + encodings.map((e) => String(sizes[e] ?? "–").padStart(10)).join(""));
print("bytes", Object.fromEntries(encodings.map((encoding) => [encoding, encoding])));
for (const { name, ...sizes } of rows) print(name, sizes);
print("total", total);
print("budget", budget);

const over = encodings.filter((encoding) => total[encoding] > (budget[encoding] ?? Infinity));
for (const encoding of over) {
  const bytes = total[encoding] - budget[encoding];
  console.error(`segue: ${encoding} size is ${bytes} bytes over the budget in pkg/size-budget.json`);
}
process.exitCode = over.length > 0 ? 1 : 0;
