// A contender in a Node process of its own; asked and answering by messages.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as host from "../host.mjs";

const root = new URL("../../../", import.meta.url);
const modules = new URL("bench/node_modules/", root);
const vendor = new URL(`${process.env.SEGUE_BENCH_VENDOR}`, "file:///");

/** A copy with a buffer of its own: small files lie in one that Node shares. */
const read = (path) => Uint8Array.from(readFileSync(path));

const assetAt = (path) =>
  path.startsWith("vendor/") ? new URL(path.slice(7), vendor) : new URL(path, root);

const library = (name) => import(`../vendor/${name}.mjs`);
library.folder = (path, { url } = {}) => {
  const folder = new URL(path, modules);
  return url ? folder.href : fileURLToPath(folder);
};

const requests = {
  open: (entry, catalogue) => {
    const folder = new URL(`${catalogue.folder}/`, "file:///");
    const place = {
      bytes: async (file) => read(new URL(file, folder)),
      asset: async (path) => read(assetAt(path)),
      library,
    };
    return host.open(place, entry, catalogue);
  },
  answers: host.answers,
  turn: host.turn,
};

process.on("message", async ([request, ...given]) => {
  try {
    process.send({ result: (await requests[request](...given)) ?? null });
  } catch (error) {
    process.send({ error: String(error?.message ?? error) });
  }
});
