// The package in a page that has no bundler, under a strict policy.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { GOLDEN, sessions } from "../../pkg/test/golden.mjs";
import { second, serve } from "../../pkg/test/support.mjs";
import { newPage, startBrowser, withPackage } from "./support.mjs";

const pkg = new URL("../../pkg/", import.meta.url);
let chromium;
before(async () => (chromium = await startBrowser()));
after(() => chromium?.stop());

const CANDIDATES = '["folk:01", "jazz:01", "nobody:0", "metal:01", "jazz:02"]';

const LISTENER = `
  import { Segue } from "/pkg/dist/index.js";
  const segue = await Segue.open({ registry: new URL("/v1/", location.origin) });
  for (const track of ["jazz:07", "jazz:08", "jazz:09"]) {
    segue.observe({ kind: "skip", track, played_ms: 4000 });
  }
  const queue = segue.rank(${CANDIDATES}, { explain: true });
  const order = queue.map(({ track }) => track);
  const texts = queue.flatMap(({ reasons }) => reasons.map(({ text }) => text));
`;

/** A server with the package as it is packed, a registry, and the file `index.html`. */
async function site(t, html) {
  const registry = await serve(t);
  withPackage(registry);
  registry.files.set("/app/index.html", Buffer.from(html));
  return registry;
}

const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";
const page = (script) =>
  `<!doctype html><meta http-equiv="Content-Security-Policy" content="${POLICY}">${script}`;

async function open(t, registry) {
  const page = await newPage(t, chromium.browser);
  await page.goto(`${registry.origin}/app/index.html`);
  return page;
}

async function result(page) {
  await page.waitForFunction(() => globalThis.result !== undefined);
  assert.deepEqual(page.reported, []);
  return page.evaluate(() => globalThis.result);
}

function check({ order, texts }) {
  assert.equal(order.at(-1), "nobody:0");
  assert.deepEqual(order.slice(2, 4).sort(), ["jazz:01", "jazz:02"]);
  assert(texts.some((text) => /similar to \d tracks? you skipped/.test(text)), texts.join("; "));
}

test("a page loads it from a folder, with no more allowed than to compile WebAssembly", async (t) => {
  const registry = await site(t, page('<script type="module" src="main.js"></script>'));
  const main = `${LISTENER} globalThis.result = { order, texts };`;
  registry.files.set("/app/main.js", Buffer.from(main));
  check(await result(await open(t, registry)));
});

test("golden sessions have the answers that native code gives", async (t) => {
  const registry = await site(t, page('<script type="module" src="main.js"></script>'));
  const file = (path) => readFileSync(new URL(`test/${path}`, pkg));
  registry.files.set("/app/golden.js", file("golden.mjs"));
  for (const name of GOLDEN) registry.files.set(`/app/${name}.segue`, file(`fixtures/${name}.segue`));
  const main = `
    import { Segue } from "/pkg/dist/index.js";
    import { played } from "./golden.js";
    globalThis.played = async (name, sessions) => {
      const model = await (await fetch(\`\${name}.segue\`)).arrayBuffer();
      const listener = () => Segue.fromModel(model);
      return Promise.all(sessions.map(async (lines) => played(await listener(), lines)));
    };
    globalThis.result = true;
  `;
  registry.files.set("/app/main.js", Buffer.from(main));
  const here = await open(t, registry);
  await result(here);
  for (const name of GOLDEN) {
    const each = sessions(file(`fixtures/${name}.txt`).toString());
    const found = await here.evaluate(([name, each]) => globalThis.played(name, each), [name, each]);
    assert.deepEqual(found, each);
  }
});

test("a worker ranks, and the page's own thread never does", async (t) => {
  const registry = await site(t, page('<script type="module" src="main.js"></script>'));
  const main = `
    const worker = new Worker("worker.js", { type: "module" });
    worker.onmessage = ({ data }) => (globalThis.result = data);
  `;
  registry.files.set("/app/main.js", Buffer.from(main));
  registry.files.set("/app/worker.js", Buffer.from(`${LISTENER} postMessage({ order, texts });`));
  check(await result(await open(t, registry)));
});

test("a registry may be given relative to the page", async (t) => {
  const registry = await site(t, page('<script type="module" src="main.js"></script>'));
  const main = LISTENER.replace('new URL("/v1/", location.origin)', '"../v1"');
  registry.files.set("/app/main.js", Buffer.from(`${main} globalThis.result = { order, texts };`));
  check(await result(await open(t, registry)));
});

test("a page takes up a new version while it is open", async (t) => {
  const registry = await site(t, page('<script type="module" src="main.js"></script>'));
  const main = `${LISTENER}
    globalThis.update = () => new Promise((resolve) => {
      segue.on("update", (version) => resolve([version, segue.tracks, segue.evidence().length]));
      segue.update();
    });
    globalThis.result = { order, texts };
  `;
  registry.files.set("/app/main.js", Buffer.from(main));
  const opened = await open(t, registry);
  check(await result(opened));
  registry.publish(second, 2);
  assert.deepEqual(await opened.evaluate(() => globalThis.update()), [2, 63, 3]);
});

test("a server that gives the module no type of its own still serves it", async (t) => {
  const registry = await site(t, page('<script type="module" src="main.js"></script>'));
  registry.files.set("/app/main.js", Buffer.from(`${LISTENER} globalThis.result = { order, texts };`));
  registry.intercept = (path, response) => {
    if (!path.endsWith(".wasm")) return false;
    response.writeHead(200, { "content-type": "text/plain" }).end(registry.files.get(path));
    return true;
  };
  const opened = await open(t, registry);
  await opened.waitForFunction(() => globalThis.result !== undefined);
  check(await opened.evaluate(() => globalThis.result));
});

test("a section that the browser has cached damaged, and for ever, is fetched anew", async (t) => {
  const registry = await site(t, page('<script type="module" src="main.js"></script>'));
  registry.files.set("/app/main.js", Buffer.from(`${LISTENER} globalThis.result = { order, texts };`));
  const path = registry.pathOf("factors");
  let answers = 0;
  registry.intercept = (asked, response) => {
    if (asked !== path) return false;
    const bytes = Buffer.from(registry.files.get(path));
    if (answers++ === 0) bytes[40] ^= 1;
    response.writeHead(200, { "cache-control": "public, max-age=31536000, immutable" }).end(bytes);
    return true;
  };
  const opened = await open(t, registry);
  check(await result(opened));
  assert.equal(answers, 2);
  // The second answer has taken the place of the first.
  await opened.goto(`${registry.origin}/app/index.html`);
  check(await result(opened));
  assert.equal(answers, 2);
});
