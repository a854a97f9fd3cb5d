// node bench/faults/publish.mjs SEGUE RUNS [SEED]: publishers that are killed at any moment, one or two at once. After each
// the registry is in force as a whole: a device that knows nothing pulls from it what was in force before or what was to be,
// verified; and whoever publishes next completes the work.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [segue, count, seed = "1"] = process.argv.slice(2);
const home = mkdtempSync(join(tmpdir(), "segue-publish-"));
const run = (...args) => execFileSync(segue, args, { cwd: home, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
let state = Number(seed);
const draw = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;

run("simulate", "--listeners", "300", "--tracks", "400", "--days", "10", "--out", "e.jsonl", "--catalogue", "c.jsonl");
const models = [1, 2, 3].map((seed) => {
  run("train", "e.jsonl", "--catalogue", "c.jsonl", "--dim", "16", "--seed", String(seed), "--out", `m${seed}.segue`);
  return `m${seed}.segue`;
});
const key = JSON.parse(run("keys", "new", "--keys", "k", "--json")).public_key;
const publish = (model) => ["publish", model, "--registry", "r", "--keys", "k"];
const pulled = (file) => {
  rmSync(join(home, file), { force: true });
  rmSync(join(home, `${file}.sync`), { force: true });
  run("pull", file, "--registry", "r", "--public-key", key);
  return readFileSync(join(home, file)).toString("base64");
};

// What each model is as a registry has it, and how long publishing takes when nobody ends it.
const files = [];
let longest = 0;
for (const model of [...models, ...models]) {
  const start = performance.now();
  run(...publish(model));
  longest = Math.max(longest, performance.now() - start);
  files.push(pulled("whole.segue"));
}
let before = files.at(-1);
let [killed, completed] = [0, 0];
for (let round = 0; round < Number(count); round++) {
  const two = draw() < 0.3 ? 2 : 1;
  const next = Array.from({ length: two }, () => Math.floor(draw() * models.length));
  await Promise.all(next.map((model) => new Promise((ended) => {
    const publisher = spawn(segue, publish(models[model]), { cwd: home, stdio: "ignore" });
    const end = setTimeout(() => publisher.kill("SIGKILL"), draw() * longest * 0.6);
    publisher.on("exit", (_, signal) => {
      clearTimeout(end);
      if (signal) killed++;
      else completed++;
      ended();
    });
  })));
  const now = pulled("device.segue");
  if (now !== before && !next.some((model) => files[model] === now)) throw new Error(`round ${round}: what is in force is neither what was nor what was to be`);
  before = now;
  if (draw() < 0.2) {
    const model = Math.floor(draw() * models.length);
    run(...publish(models[model]));
    before = pulled("device.segue");
    if (before !== files[model]) throw new Error(`round ${round}: publishing again did not complete`);
  }
}
console.log(`${killed} publishers killed within ${longest.toFixed(0)} ms, ${completed} ended by themselves, in ${count} rounds: a whole registry after each`);
rmSync(home, { recursive: true, force: true });
