// Where the WebAssembly module may come from. It loads once a process, so each has one of its own.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs `source` as a module in a new process, and returns what it printed. */
async function script(source) {
  const prelude = `
    import { readFileSync } from "node:fs";
    import { Segue } from "segue";
    const file = new URL("./wasm/segue_wasm_bg.wasm", ${JSON.stringify(new URL("../", import.meta.url))});
    const model = readFileSync(new URL("./test/fixtures/first.segue", ${JSON.stringify(new URL("../", import.meta.url))}));
    const tracks = async (options) => (await Segue.fromModel(model, options)).tracks;
  `;
  const options = { cwd: new URL("../", import.meta.url) };
  const { stdout, stderr } = await run(process.execPath, ["--input-type=module", "-e", prelude + source], options);
  assert.equal(stderr, "");
  return stdout.trim();
}

const SOURCES = {
  "the package's own file": "",
  "a file URL": "{ wasm: file }",
  "a data URL": '{ wasm: "data:application/wasm;base64," + readFileSync(file).toString("base64") }',
  bytes: "{ wasm: readFileSync(file) }",
  "an array buffer": "{ wasm: new Uint8Array(readFileSync(file)).buffer }",
  "a response": '{ wasm: new Response(readFileSync(file), { headers: { "content-type": "application/wasm" } }) }',
  "a response that does not say what it is": "{ wasm: new Response(readFileSync(file)) }",
  "a compiled module": "{ wasm: await WebAssembly.compile(readFileSync(file)) }",
};

for (const [name, options] of Object.entries(SOURCES)) {
  test(`the module may be ${name}`, async () => {
    assert.equal(await script(`console.log(await tracks(${options}));`), "60");
  });
}

test("a module that cannot be loaded is reported, and the next attempt may succeed", async () => {
  const printed = await script(`
    const gone = new Response(null, { status: 404 });
    for (const wasm of [new Uint8Array(8), new URL("nothing.wasm", file), "http://127.0.0.1:1/x.wasm", gone]) {
      await tracks({ wasm }).catch(({ name, code, message }) => console.log(name, code, message));
    }
    console.log(await tracks());
  `);
  const [bytes, missing, unreachable, refused, tracks] = printed.split("\n");
  assert.match(bytes, /^SegueError platform the WebAssembly module cannot be used: /);
  assert.match(missing, /^SegueError platform the WebAssembly module cannot be used: ENOENT/);
  assert.match(unreachable, /^SegueError unreachable http:\/\/127.0.0.1:1\/x.wasm cannot be fetched/);
  assert.match(refused, /^SegueError unreachable .* answers 404$/);
  assert.equal(tracks, "60");
});

test("models that are opened at once share one module", async () => {
  const printed = await script("console.log(...(await Promise.all([tracks(), tracks(), tracks()])));");
  assert.equal(printed, "60 60 60");
});
