// node run.mjs OUT FOLDER…: what a session holds in memory, beside one in plain JavaScript.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startBrowser } from "../../tests/browser/support.mjs";
import { serve } from "../lib/server.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const [out, ...folders] = process.argv.slice(2);
const SESSIONS = {
  segue: "Segue, the whole catalogue",
  page: "Segue, a page's part of it",
  plain: "plain JavaScript, f32 factors only",
};

const results = [];
console.log("");
row("MB", ["wasm", "Node, RSS", "peak", "Chromium", "RSS", "peak"]);
for (const folder of folders) {
  const names = existsSync(join(folder, "registry")) ? ["segue", "page"] : ["segue", "plain"];
  for (const name of names) {
    const label = SESSIONS[name];
    const node = inNode(name, folder);
    const page = await inChromium(name, folder);
    const rows = page.here;
    results.push({ name, label, rows, node, page });
    const cells = [page.wasm, node.resident, node.peak, page.used, page.resident, page.peak];
    row(`${label}, ${rows.toLocaleString("en")}`, cells.map((bytes) => (bytes / 1e6).toFixed(1)));
  }
}
writeFileSync(out, JSON.stringify(results, null, 2));

function row(label, cells) {
  console.log(label.padEnd(46) + cells.map((cell) => cell.padStart(10)).join(""));
}

function inNode(name, folder) {
  const child = fileURLToPath(new URL("child.mjs", import.meta.url));
  const command = ["--expose-gc", child, name, folder];
  return JSON.parse(execFileSync(process.execPath, command, { encoding: "utf8" }));
}

/** In a browser of its own, so that the one page has the one renderer that counts. */
async function inChromium(name, folder) {
  const server = await serve({ "/": root, "/data/": "/" });
  const { browser, stop } = await startBrowser(["--enable-blink-features=ForceEagerMeasureMemory"]);
  try {
    const page = await browser.newPage();
    await page.goto(`${server.origin}/bench/memory/page.html`);
    await page.waitForFunction(() => globalThis.session !== undefined);
    const used = await page.evaluate(() => globalThis.session.used());
    const before = await renderer(browser);
    const open = ([name, folder]) => globalThis.session.open(name, folder);
    const { wasm, here } = await page.evaluate(open, [name, folder]);
    // Measuring collects garbage first.
    const usedNow = await page.evaluate(() => globalThis.session.used());
    const after = await renderer(browser);
    return {
      wasm,
      here,
      used: usedNow - used,
      resident: after.resident - before.resident,
      peak: after.peak - before.resident,
    };
  } finally {
    await stop();
    server.stop();
  }
}

/** What the largest renderer has in memory, and had at the most, as the kernel counts it. */
async function renderer(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const renderers = processInfo.filter(({ type }) => type === "renderer");
  const sizes = renderers.map(({ id }) => {
    const status = readFileSync(`/proc/${id}/status`, "utf8");
    const kilobytes = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]);
    return { resident: kilobytes("VmRSS") * 1024, peak: kilobytes("VmHWM") * 1024 };
  });
  return sizes.reduce((a, b) => (b.resident > a.resident ? b : a));
}
