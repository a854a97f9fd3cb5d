// A model that is kept current in a real browser: IndexedDB, tabs that share it, server-sent events, workers.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { delta, publishSecond, serveSigned } from "../../pkg/test/signed.mjs";
import { everything, first, listener, order, second, sha256 } from "../../pkg/test/support.mjs";
import { startBrowser, withPackage } from "./support.mjs";

let chromium;
before(async () => (chromium = await startBrowser()));
after(() => chromium?.stop());

/** A signed registry with pages that open it, and what tells them of releases. */
async function site(t) {
  const signed = await serveSigned(t);
  const { registry } = signed;
  withPackage(registry);
  const listeners = new Set();
  signed.hears = listeners;
  signed.tell = () => listeners.forEach((response) => response.write(`event: release\ndata: ${signed.version}\n\n`));
  signed.elsewhere = () => false;
  registry.intercept = (path, response) => {
    if (signed.elsewhere(path, response)) return true;
    if (path !== "/v1/updates") return false;
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`event: release\ndata: ${signed.version}\n\n`);
    listeners.add(response);
    response.on("close", () => listeners.delete(response));
    return true;
  };
  const source = `
    import { Segue } from "/pkg/dist/index.js";
    globalThis.open = async (options) => {
      const segue = await Segue.open({ registry: new URL("/v1/", location.origin), publicKey: "${signed.publicKey}", ...options });
      globalThis.versions = [segue.version];
      globalThis.states = [];
      segue.on("update", (version) => versions.push(version));
      segue.on("sync", ({ state, error }) => states.push(error ? state + ": " + error.message : state));
      globalThis.rank = () => Array.from(segue.rank(${JSON.stringify(everything)}), ({ track }) => track);
    };`;
  registry.files.set("/page.js", Buffer.from(`${source} open().then(() => (globalThis.ready = true), (error) => (globalThis.failed = String(error)));`));
  registry.files.set("/index.html", Buffer.from('<!doctype html><script type="module" src="/page.js"></script>'));
  registry.files.set("/worker.js", Buffer.from(`${source} open().then(() => {
    const tell = () => postMessage({ versions, ranked: rank() });
    tell();
    setInterval(tell, 50);
  });`));
  return signed;
}

async function context(t) {
  const context = await chromium.browser.newContext();
  t.after(() => context.close());
  return context;
}

async function visit(context, signed) {
  const page = await context.newPage();
  await page.goto(`${signed.registry.origin}/index.html`);
  await page.waitForFunction(() => globalThis.ready || globalThis.failed);
  assert.equal(await page.evaluate(() => globalThis.failed), undefined);
  return page;
}

const ranked = async (t, model) => order((await listener(t, model)).rank(everything));
const version = (page, wanted) => page.waitForFunction((wanted) => globalThis.versions.at(-1) === wanted, wanted, { polling: 20 });
const current = (page) => page.waitForFunction(() => globalThis.states.at(-1) === "current", undefined, { polling: 20 });

test("an open page takes up what is published, by a delta, and the next visit starts from it", async (t) => {
  const signed = await site(t);
  const tabs = await context(t);
  const page = await visit(tabs, signed);
  assert.deepEqual(await page.evaluate(() => rank()), await ranked(t, first));
  await current(page);
  signed.registry.asked.length = 0;
  publishSecond(signed).tell();
  await version(page, 2);
  assert.deepEqual(await page.evaluate(() => rank()), await ranked(t, second));
  assert.deepEqual(signed.registry.asked.filter((path) => path.includes("blob")), [`/v1/blob/${sha256(delta)}`]);
  await current(page);
  await page.close();

  // Nothing is left in the registry but what a page is made of.
  for (const path of signed.registry.files.keys()) if (path.startsWith("/v1/")) signed.registry.files.delete(path);
  const next = await visit(tabs, signed);
  assert.deepEqual(await next.evaluate(() => rank()), await ranked(t, second));
  await next.waitForFunction(() => globalThis.states.some((state) => /failed: .*404/.test(state)));
});

test("of two tabs one downloads, and both take it up", async (t) => {
  const signed = await site(t);
  const tabs = await context(t);
  const pages = [await visit(tabs, signed), await visit(tabs, signed)];
  for (const page of pages) await current(page);
  signed.registry.asked.length = 0;
  publishSecond(signed).tell();
  for (const page of pages) {
    await version(page, 2);
    assert.deepEqual(await page.evaluate(() => rank()), await ranked(t, second));
  }
  assert.equal(signed.registry.asked.filter((path) => path.includes("blob")).length, 1);
});

test("a tab that is closed in the middle of an update leaves the others, and the next, with a whole model", async (t) => {
  const signed = await site(t);
  const tabs = await context(t);
  const page = await visit(tabs, signed);
  await current(page);
  let stalled;
  const stalling = new Promise((resolve) => (stalled = resolve));
  signed.elsewhere = (path, response) => {
    if (!path.includes("/v1/blob/")) return false;
    response.writeHead(200, { "content-length": delta.length });
    response.write(delta.subarray(0, 100));
    stalled();
    return true;
  };
  publishSecond(signed).tell();
  await stalling;
  await page.close();
  signed.elsewhere = () => false;
  const next = await visit(tabs, signed);
  await version(next, 2);
  assert.deepEqual(await next.evaluate(() => rank()), await ranked(t, second));
});

test("who lost the server hears of what came meanwhile when it is back", async (t) => {
  const signed = await site(t);
  const page = await visit(await context(t), signed);
  await current(page);
  signed.elsewhere = (path, response) => path.startsWith("/v1/") && (response.destroy(), true);
  for (const response of signed.hears) response.destroy();
  publishSecond(signed);
  await page.waitForTimeout(300);
  assert.deepEqual(await page.evaluate(() => versions), [1]);
  signed.elsewhere = () => false;
  await version(page, 2);
});

test("a worker has a model of its own that is kept current likewise", async (t) => {
  const signed = await site(t);
  const page = await (await context(t)).newPage();
  await page.goto(`${signed.registry.origin}/pkg/dist/index.js`);
  await page.evaluate(() => {
    globalThis.worker = new Worker("/worker.js", { type: "module" });
    globalThis.worker.onmessage = ({ data }) => (globalThis.told = data);
  });
  const told = async (version) => {
    await page.waitForFunction((version) => globalThis.told?.versions.at(-1) === version, version, { polling: 20 });
    return page.evaluate(() => globalThis.told.ranked);
  };
  assert.deepEqual(await told(1), await ranked(t, first));
  publishSecond(signed).tell();
  assert.deepEqual(await told(2), await ranked(t, second));
});

test("where signatures do not hold, the page says so and has nothing of it", async (t) => {
  const signed = await site(t);
  const { release } = signed.parts;
  signed.show({ ...signed.parts, release: { ...release, signatures: [] } });
  const page = await (await context(t)).newPage();
  await page.goto(`${signed.registry.origin}/index.html`);
  await page.waitForFunction(() => globalThis.failed);
  assert.match(await page.evaluate(() => globalThis.failed), /SegueError: .*release/);
});
