// node --expose-gc child.mjs NAME FOLDER: prints what a session adds to a Node process, in bytes.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { open } from "./session.mjs";

const [name, folder] = process.argv.slice(2);
const bytes = async (file) => Uint8Array.from(readFileSync(join(folder, file)));

const before = resident();
const { wasm } = await open(name, bytes);
// What is free after the first collection is given back after the next.
for (let n = 0; n < 3; n++) {
  global.gc();
  await new Promise((later) => setTimeout(later, 200));
}
console.log(JSON.stringify({ wasm, resident: resident() - before, peak: peak() - before }));

function resident() {
  global.gc();
  return process.memoryUsage.rss();
}

function peak() {
  return process.resourceUsage().maxRSS * 1024;
}
