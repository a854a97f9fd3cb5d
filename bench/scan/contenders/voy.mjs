// voy-search: a k-d tree in WebAssembly. Its package expects a bundler, so it is set up by hand.

import { lifted, target } from "./lifted.mjs";

export async function open({ asset, floats, library, tastes, rows, places, dim }) {
  const voy = await library("voy");
  const binary = await asset("bench/node_modules/voy-search/voy_search_bg.wasm");
  const { instance } = await WebAssembly.instantiate(binary, { "./voy_search_bg.js": voy });
  voy.__wbg_set_wasm(instance.exports);
  const point = lifted(await floats("factors.f32"), rows, dim);
  const embeddings = Array.from({ length: rows }, (_, row) => ({
    id: String(row),
    title: "",
    url: "",
    embeddings: apart(point(row), row),
  }));
  const index = new voy.Voy({ embeddings });
  const targets = tastes.map((taste) => target(taste, point(0)));
  return { top: (listener) => index.search(targets[listener], places).neighbors.map(({ id }) => +id) };
}

/**
 * The tree takes few points that agree in a component, and factors are mostly zeros: each row is
 * moved by less than shows in a ranking.
 */
function apart(point, row) {
  const nudge = Math.hypot(...point) * 1e-12 * (row + 1);
  return Array.from(point, (x) => x + nudge);
}
