import { defineConfig, type Plugin } from "vite";

/** Where `segue serve` listens, for `npm run dev`. */
const SERVER = "http://127.0.0.1:8787";

/** The development server injects styles and opens a socket, which the page's policy forbids. */
const policyOnlyInBuilds: Plugin = {
  name: "policy-only-in-builds",
  apply: "serve",
  transformIndexHtml: (html) =>
    html.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, ""),
};

export default defineConfig({
  base: "./",
  plugins: [policyOnlyInBuilds],
  server: { proxy: { "/v1": SERVER } },
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    // Nothing is inlined: the policy allows no `data:` URLs, and the module must stream.
    assetsInlineLimit: 0,
  },
});
