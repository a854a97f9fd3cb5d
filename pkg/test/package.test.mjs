// The package as a stranger gets it: packed, installed into a folder of its own, used by name.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const pkg = fileURLToPath(new URL("../", import.meta.url));
const tsc = join(createRequire(import.meta.url).resolve("typescript/package.json"), "../bin/tsc");
let home;
let contents;

/** Runs a program in the stranger's folder; fails with all that it printed. */
function run(program, ...args) {
  try {
    return execFileSync(program, args, { cwd: home, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    assert.fail(`${program} ${args.join(" ")}: ${error.stdout}${error.stderr}`);
  }
}

before(() => {
  home = mkdtempSync(join(tmpdir(), "segue-package-"));
  const [packed] = JSON.parse(run("npm", "pack", pkg, "--json", "--silent"));
  contents = packed.files.map(({ path }) => path).sort();
  writeFileSync(join(home, "package.json"), '{ "private": true, "type": "module" }');
  const quiet = ["--offline", "--no-audit", "--no-fund", "--silent"];
  run("npm", "install", ...quiet, `./${packed.filename}`);
});

after(() => rmSync(home, { recursive: true, force: true }));

test("it holds the module, the compiled client with its types, and what tells of them", () => {
  const folders = new Set(contents.map((path) => path.split("/")[0]));
  const texts = ["LICENSE-APACHE", "LICENSE-MIT", "README.md"];
  assert.deepEqual([...folders].sort(), [...texts, "dist", "package.json", "wasm"]);
  for (const file of ["dist/index.js", "dist/index.d.ts", "wasm/segue_wasm_bg.wasm"]) {
    assert(contents.includes(file), `${file} is missing from ${contents.join(", ")}`);
  }
  assert.deepEqual(readdirSync(join(home, "node_modules")).filter((n) => !n.startsWith(".")), ["segue"]);
});

test("Node imports it by name, and it ranks", () => {
  copyFileSync(join(pkg, "test/fixtures/first.segue"), join(home, "model.segue"));
  const source = `
    import { readFileSync } from "node:fs";
    import { Segue } from "segue";
    const segue = await Segue.fromModel(readFileSync("model.segue"));
    segue.observe({ kind: "skip", track: "jazz:00", played_ms: 4000 });
    console.log(segue.rank(["jazz:01", "folk:01"], { limit: 1, explain: true })[0].track);
  `;
  writeFileSync(join(home, "main.mjs"), source);
  assert.equal(run(process.execPath, "main.mjs").trim(), "folk:01");
});

const CONSUMER = `
import { Segue, SegueError, UNKNOWN_ROW, type Ranking, type RankedTrack, type TrackList } from "segue";

export async function play(candidates: readonly string[]): Promise<readonly RankedTrack[]> {
  const segue = await Segue.open({ registry: new URL("https://music.example/v1/") });
  const known: boolean = segue.observe({ kind: "skip", track: "a", played_ms: 4000 });
  const queue: Ranking = segue.rank(candidates, { limit: 50, explain: known });
  const again: Ranking = segue.rank(queue.map(({ row }) => row));
  segue.top({ limit: 5, exclude: again.map(({ row }) => row) });
  const either: TrackList = Uint32Array.of(1);
  segue.rank(either);
  // @ts-expect-error ids and rows are not mixed
  segue.rank(["a", 7]);
  const best = queue[0];
  if (best && best.row !== UNKNOWN_ROW) console.log(best.track, best.reasons?.[0]?.text);
  const end: () => void = segue.on("update", (version: number) => console.log(version));
  await segue.update().catch((error: SegueError) => {
    const status: number | undefined = error.status;
    console.log(error.code === "hash", status, error.url?.length);
  });
  end();
  // @ts-expect-error there is no such kind
  segue.observe({ kind: "sing", track: "a" });
  // @ts-expect-error a session is opened, not constructed
  new Segue();
  return queue;
}
`;

/** The example that the README begins with. */
const EXAMPLE = /```ts\n(.*?)```/s.exec(readFileSync(join(pkg, "README.md"), "utf8"))[1];

for (const [module, resolution] of [["NodeNext", "NodeNext"], ["ESNext", "Bundler"]]) {
  test(`its types hold under ${resolution} resolution, libraries checked`, () => {
    writeFileSync(join(home, "consumer.ts"), CONSUMER);
    writeFileSync(join(home, "example.ts"), `declare const candidates: string[];\ndeclare const publicKey: string;\n${EXAMPLE}export {};\n`);
    const options = ["--strict", "--noEmit", "--skipLibCheck", "false", "--exactOptionalPropertyTypes"];
    const target = ["--target", "ES2022", "--lib", "ES2022,DOM", "--types", ""];
    const style = ["--module", module, "--moduleResolution", resolution];
    run(process.execPath, tsc, ...options, ...target, ...style, "consumer.ts", "example.ts");
  });
}
