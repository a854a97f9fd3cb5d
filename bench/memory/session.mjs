// A listener's session in a catalogue, in the package or in plain JavaScript, and what it holds.

import { Segue } from "../../pkg/dist/index.js";

const PLACES = 50;
/** As many are fetched without being asked for. */
const SHARDS = 4;
const DIM = 64;

/** The module's memory, once there is a module. */
let memory;
for (const how of ["instantiate", "instantiateStreaming"]) {
  const instantiate = WebAssembly[how];
  WebAssembly[how] = async (...given) => {
    const made = await instantiate.apply(WebAssembly, given);
    ({ memory } = (made.instance ?? made).exports);
    return made;
  };
}

const OPEN = {
  /** The package, with one event and one ranking, so that whatever is made late is there. */
  async segue(bytes) {
    const segue = await Segue.fromModel(await bytes("trained.segue"));
    segue.observe({ kind: "play", track: 0 });
    segue.top({ limit: PLACES });
    return { held: segue, wasm: memory.buffer.byteLength, here: segue.here };
  },
  /** The package as a page has it: the head of a split catalogue, and the shards near its listener. */
  async page(bytes) {
    const fetch = async (url) => new Response(await bytes(new URL(url).pathname.slice(1)));
    const segue = await Segue.open({ registry: "http://localhost/registry/", fetch });
    segue.observe({ kind: "play", track: 0 });
    await segue.gather(SHARDS);
    segue.top({ limit: PLACES });
    return { held: segue, wasm: memory.buffer.byteLength, here: segue.here };
  },
  /** The least that another page would hold: its factors as floats, and no ids. */
  async plain(bytes) {
    const held = new Float32Array((await bytes("factors.f32")).buffer);
    return { held, wasm: 0, here: held.length / DIM };
  },
};

/** Opens `name` on the files that `bytes` reads, and keeps it. Returns bytes of wasm, and tracks. */
export async function open(name, bytes) {
  const { held, wasm, here } = await OPEN[name](bytes);
  globalThis.held = held;
  return { wasm, here };
}
