// node bench/intake/run.mjs SEGUE LOAD [MILLIONS]: events a second that the collector makes durable, how long a batch of a hundred
// waits for its receipt, and whether memory grows over MILLIONS (10) of events, all of which go on to a lake meanwhile.
//
// `fsync` is real: run it on the disk that counts (TMPDIR). Beside it, in turns: the same bytes appended to a file with an
// `fdatasync` a batch, which is what one connection could have of the disk alone.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const [segue, load] = process.argv.slice(2, 4).map((path) => resolve(path));
const millions = Number(process.argv[4] ?? 10);
const ROUNDS = 3;
const SECONDS = 4;
const home = mkdtempSync(join(tmpdir(), "segue-intake-"));
mkdirSync(join(home, "registry"));

async function start(name, ...more) {
  const line = ["serve", "--json", "--registry", "registry", "--listen", "127.0.0.1:0", "--rate", "0", "--collect", name, ...more];
  const server = spawn(segue, line, { cwd: home, stdio: ["ignore", "pipe", "ignore"] });
  const address = await new Promise((listening) => {
    let said = "";
    server.stdout.on("data", (text) => {
      const found = (said += text).match(/127\.0\.0\.1:\d+/);
      if (found) listening(found[0]);
    });
  });
  const stop = () => {
    server.kill("SIGTERM");
    return new Promise((done) => server.on("exit", done));
  };
  const memory = () => Number(readFileSync(`/proc/${server.pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)[1]) / 1024;
  return { address, stop, memory };
}

const run = (address, connections, seconds) =>
  JSON.parse(execFileSync(load, [address, String(connections), String(seconds)], { encoding: "utf8", cwd: home }));
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

try {
  const found = new Map([1, 16, 64].map((connections) => [connections, []]));
  const disk = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [connections, figures] of found) {
      const { address, stop } = await start(`intake-${round}-${connections}`);
      run(address, connections, 1);
      figures.push(run(address, connections, SECONDS));
      await stop();
      rmSync(join(home, `intake-${round}-${connections}`), { recursive: true });
    }
    disk.push(run("disk:appended", 1, SECONDS).events_per_second);
    rmSync(join(home, "appended"));
  }
  console.log(`batches of 100 events, median of ${ROUNDS}: durable events a second, ms that a batch waits p50 / p99`);
  for (const [connections, figures] of found) {
    const of = (name) => median(figures.map((figure) => figure[name]));
    console.log(`  ${connections} connections  ${of("events_per_second")}  ${of("p50_ms")} / ${of("p99_ms")}`);
  }
  console.log(`  the same bytes appended to a file, one fdatasync a batch  ${median(disk)}`);

  const { address, stop, memory } = await start("intake", "--lake", "lake", "--move-every", "5");
  const sizes = [];
  for (let events = 0; events < millions * 1e6; ) {
    const { events_per_second } = run(address, 16, 4);
    events += events_per_second * 4;
    sizes.push(memory());
  }
  console.log(`over ${millions} million events, all moved to a lake meanwhile: ${sizes.map((size) => size.toFixed(0)).join(", ")} MB resident`);
  await stop();
} finally {
  rmSync(home, { recursive: true, force: true });
}
