// A contender in a page of its own; Playwright calls what is put into the global scope.

import * as host from "./host.mjs";

async function bytes(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

const library = (name) => import(`/vendor/${name}.js`);
library.folder = (path) => new URL(`/bench/node_modules/${path}`, location).href;

globalThis.host = {
  ...host,
  open: (entry, catalogue) => {
    const place = {
      bytes: (file) => bytes(`/data${catalogue.folder}/${file}`),
      asset: (path) => bytes(`/${path}`),
      library,
    };
    return host.open(place, entry, catalogue);
  },
};
