// voy-search: a k-d tree in WebAssembly. Its package expects a bundler, so it is set up by hand.


export async function open({ asset, floats, library, tastes, rows, places, dim }) {
  const voy = await library("voy");
  const binary = await asset("bench/node_modules/voy-search/voy_search_bg.wasm");
  const { instance } = await WebAssembly.instantiate(binary, { "./voy_search_bg.js": voy });
  voy.__wbg_set_wasm(instance.exports);
  const factors = await floats("factors.f32");
  const embeddings = Array.from({ length: rows }, (_, row) => ({
    id: String(row),
    title: "",
    url: "",
    embeddings: [...factors.subarray(row * dim, (row + 1) * dim)],
  }));
  const index = new voy.Voy({ embeddings });
  return { top: (listener) => index.search(tastes[listener], places).neighbors.map(({ id }) => +id) };
}
