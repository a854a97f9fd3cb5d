// Headless Chromium, as the system has it.

import { chromium } from "playwright-core";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Starts a browser, with `more` arguments, for all tests of a file; `stop` ends it. */
export async function startBrowser(more = []) {
  const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", ...more];
  const browser = await chromium.launch({ executablePath, args });
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
