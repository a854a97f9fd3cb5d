// A headless browser as the system has it: Chromium, or Firefox where BROWSER says so.

import { readFileSync, readdirSync } from "node:fs";
import { chromium, firefox } from "playwright-core";

const browsers = {
  chromium: (args) =>
    chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", ...args],
    }),
  // By WebDriver BiDi: Playwright's own protocol is known only to the Firefox that Playwright builds.
  firefox: () => firefox.launch({ channel: "moz-firefox", executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr" }),
};

/** Which browser the tests of this process are for: "chromium" or "firefox". */
export const browserName = process.env.BROWSER ?? "chromium";

/** Starts a browser, with `more` arguments where it is Chromium, for all tests of a file; `stop` ends it. */
export async function startBrowser(more = []) {
  const browser = await browsers[browserName](more);
  return { browser, stop: () => browser.close() };
}

/** A page of its own for the test `t`, which fails with whatever the page itself reports. */
export async function newPage(t, browser, options) {
  const context = await browser.newContext(options);
  t.after(() => context.close());
  const page = await context.newPage();
  page.reported = [];
  page.on("pageerror", (error) => page.reported.push(String(error)));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) page.reported.push(message.text());
  });
  return page;
}

const pkg = new URL("../../pkg/", import.meta.url);

/** Has a registry's server serve the package too, as it is packed, in /pkg/. */
export function withPackage(registry) {
  for (const folder of ["dist", "wasm"]) {
    for (const name of readdirSync(new URL(folder, pkg))) {
      if (!/\.(js|wasm)$/.test(name)) continue;
      registry.files.set(`/pkg/${folder}/${name}`, readFileSync(new URL(`${folder}/${name}`, pkg)));
    }
  }
  registry.files.set("/favicon.ico", Buffer.alloc(0));
}
