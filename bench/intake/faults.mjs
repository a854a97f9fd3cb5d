// node bench/intake/faults.mjs SEGUE ROUNDS [SEED]: a collector that is killed, and whose disk is full, at any moment.
//
// Four senders post batches without a pause; whoever hears nothing, or that it cannot be stored now, sends the same again.
// The collector moves what it has to its lake every second, and is killed with SIGKILL some time after it started. In a third
// of the rounds intake and lake lie on a small file system (ext4 over a loop device, else tmpfs), which a ballast fills for
// a while. In the end every event that was acknowledged is in the lake, once, and none beside them.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve as absolute } from "node:path";

const [command, count, seed = "1"] = process.argv.slice(2);
const segue = absolute(command);
let state = Number(seed);
const draw = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));

/** A folder to collect in; `small` where it is a file system of its own. */
function house(small) {
  const home = mkdtempSync(join(tmpdir(), "segue-collect-"));
  const disk = join(home, "disk");
  mkdirSync(disk);
  mkdirSync(join(home, "registry"));
  let ends = () => rmSync(home, { recursive: true, force: true });
  if (small) {
    const image = join(home, "image");
    const run = (...command) => spawnSync(command[0], command.slice(1), { stdio: "ignore" }).status === 0;
    const loop = run("truncate", "-s", "256M", image) && run("mkfs.ext4", "-q", image) && run("mount", "-o", "loop", image, disk);
    if (!loop && !run("mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", disk)) {
      ends();
      return undefined;
    }
    ends = () => {
      execFileSync("umount", [disk]);
      rmSync(home, { recursive: true, force: true });
    };
  }
  return { home, disk, ends, acknowledged: new Set() };
}

async function start({ home, disk }) {
  const line = ["serve", "--json", "--registry", "registry", "--listen", "127.0.0.1:0", "--rate", "0"];
  line.push("--collect", join(disk, "intake"), "--lake", join(disk, "lake"), "--move-every", "1");
  const server = spawn(segue, line, { cwd: home, stdio: ["ignore", "pipe", "pipe"] });
  server.said = "";
  server.stderr.on("data", (text) => (server.said = (server.said + text).slice(-2000)));
  const port = await new Promise((listening, failed) => {
    let said = "";
    server.stdout.on("data", (text) => {
      const found = (said += text).match(/127\.0\.0\.1:(\d+)/);
      if (found) listening(Number(found[1]));
    });
    server.on("exit", () => failed(new Error(`the collector did not start: ${server.said}`)));
  });
  return { server, port };
}

/** The receipt; nothing where there was no answer; the status where that is another. */
function post(agent, port, body) {
  return new Promise((resolve) => {
    const headers = { "content-type": "application/json", "content-length": body.length };
    const asked = request({ agent, port, host: "127.0.0.1", path: "/v1/events", method: "POST", headers }, (answer) => {
      let text = "";
      answer.on("data", (part) => (text += part));
      answer.on("end", () => resolve(answer.statusCode === 200 ? JSON.parse(text) : answer.statusCode));
      answer.on("error", () => resolve(undefined));
    });
    asked.setTimeout(20_000, () => asked.destroy());
    asked.on("error", () => resolve(undefined));
    asked.end(body);
  });
}

let [sent, refused, unanswered] = [0, 0, 0];
const batches = new Map();

/** Sends one batch after another until the collector answers no more. */
async function send(agent, port, sender, house) {
  for (let last = 0; ; last++) {
    let ids = batches.get(sender);
    if (!ids) {
      ids = Array.from({ length: 1 + Math.floor(60 * draw()) }, (_, n) => `${sender}-${sent++}-${n}`);
      batches.set(sender, ids);
    }
    const at = Date.now() - Math.floor(3 * 86_400_000 * draw());
    const region = ["DE", "BR", "JP", undefined][Math.floor(4 * draw())];
    const event = (id) => ({ id, user: `u${sender}`, session: "s", track: `t${id.length}`, at, kind: "play", context: { region } });
    const receipt = await post(agent, port, Buffer.from(JSON.stringify(ids.map(event))));
    if (receipt === undefined) return void unanswered++;
    if (typeof receipt === "number") {
      if (receipt !== 503 && receipt !== 429) throw new Error(`answered ${receipt}`);
      refused++;
      await pause(20);
      continue;
    }
    if (receipt.refused > 0 || receipt.accepted + receipt.duplicates !== ids.length) throw new Error(JSON.stringify(receipt));
    ids.forEach((id) => house.acknowledged.add(id));
    batches.delete(sender);
  }
}

/** Everything is in the lake once. */
function check(house) {
  const at = ["--intake", join(house.disk, "intake"), "--lake", join(house.disk, "lake")];
  execFileSync(segue, ["compact", ...at], { stdio: "ignore" });
  const lines = execFileSync(segue, ["export", "--everyone", ...at], { maxBuffer: 1 << 30, stdio: ["ignore", "pipe", "ignore"] });
  const ids = lines.toString().split("\n").filter(Boolean).map((line) => JSON.parse(line).id);
  const once = new Set(ids);
  const lost = [...house.acknowledged].filter((id) => !once.has(id));
  const doubled = ids.length - once.size;
  if (lost.length > 0 || doubled > 0) throw new Error(`${lost.length} lost, ${doubled} doubled of ${house.acknowledged.size}`);
  return ids.length;
}

let [killed, filled, events] = [0, 0, 0];
const large = house(false);
const PER_DISK = 8;
let small;
for (let round = 0; round < Number(count); round++) {
  const full = round % 3 === 2;
  if (full && !small) small = Object.assign(house(true) ?? {}, { rounds: 0 });
  const here = full && small.disk ? small : large;
  const agent = new Agent({ keepAlive: true });
  const { server, port } = await start(here);
  const ended = new Promise((done) => server.on("exit", done));
  server.removeAllListeners("exit").on("exit", () => {});
  const senders = [0, 1, 2, 3].map((sender) => send(agent, port, `${here === small ? "s" : "l"}${sender}`, here));
  const life = 50 + 1500 * draw();
  if (here === small) {
    await pause(life * draw());
    const ballast = join(here.disk, "ballast");
    const { bavail, bsize } = statfsSync(here.disk);
    // As good as full, or a little less: it ends in the middle of a transaction, or of a file of the lake.
    try {
      writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - Math.floor(draw() * 400_000))));
    } catch {
      // As full as it gets.
    }
    filled++;
    await pause(400 + 1200 * draw());
    if (draw() < 0.5) {
      rmSync(ballast, { force: true });
      await pause(life * draw());
    }
  } else {
    await pause(life);
  }
  server.kill("SIGKILL");
  killed++;
  await Promise.all(senders);
  agent.destroy();
  if (here === small) {
    rmSync(join(here.disk, "ballast"), { force: true });
    if (++here.rounds === PER_DISK) {
      await settle(here, "s");
      events += check(here);
      here.ends();
      small = undefined;
    }
  }
  void ended;
}

/** Nobody is left who does not know what became of their batch. */
async function settle(here, name) {
  const { server, port } = await start(here);
  const agent = new Agent({ keepAlive: true });
  server.removeAllListeners("exit");
  for (const sender of [0, 1, 2, 3]) {
    const ids = batches.get(`${name}${sender}`);
    if (!ids) continue;
    const event = (id) => ({ id, user: `u${name}${sender}`, session: "s", track: "t", at: Date.now(), kind: "play" });
    const receipt = await post(agent, port, Buffer.from(JSON.stringify(ids.map(event))));
    if (receipt?.accepted + receipt?.duplicates !== ids.length) throw new Error(`the last batch: ${JSON.stringify(receipt)}`);
    ids.forEach((id) => here.acknowledged.add(id));
    batches.delete(`${name}${sender}`);
  }
  agent.destroy();
  server.kill("SIGTERM");
  await new Promise((done) => server.on("exit", done));
}

for (const [here, name] of [[large, "l"], [small, "s"]]) {
  if (!here?.disk) continue;
  await settle(here, name);
  events += check(here);
  here.ends();
}
console.log(`${killed} times killed, ${filled} times with a full disk: ${events} events, each once in the lake`);
console.log(`  ${unanswered} batches without an answer and ${refused} turned away were sent again`);
