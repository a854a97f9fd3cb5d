import { fileURLToPath } from "node:url";
import { startBrowser } from "../../../tests/browser/support.mjs";
import { serve } from "../../lib/server.mjs";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Headless Chromium, with a context, and so a process, for each contender. */
export async function startChromium({ vendor }) {
  const { browser, stop } = await startBrowser();
  const server = await serve({ "/": root, "/vendor/": vendor, "/data/": "" });
  return {
    version: `Chromium ${browser.version()}`,
    async host() {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(`${server.origin}/bench/scan/page.html`);
      await page.waitForFunction(() => globalThis.host !== undefined);
      const ask = (request, ...given) =>
        page.evaluate(([request, given]) => globalThis.host[request](...given), [request, given]);
      return {
        open: (entry, catalogue) => ask("open", entry, catalogue),
        answers: () => ask("answers"),
        turn: (ms, who) => ask("turn", ms, who),
        close: () => context.close(),
      };
    },
    async stop() {
      await stop();
      server.stop();
    },
  };
}
