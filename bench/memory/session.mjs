// A listener's session in a catalogue, in the package or in plain JavaScript, and what it holds.

import init from "../../pkg/wasm/segue_wasm.js";
import { Segue } from "../../pkg/dist/index.js";

const PLACES = 50;

const OPEN = {
  /** The package, with one event and one ranking, so that whatever is made late is there. */
  async segue(bytes) {
    const segue = await Segue.fromModel(await bytes("trained.segue"));
    segue.observe({ kind: "play", track: 0 });
    segue.top({ limit: PLACES });
    const { memory } = await init();
    return { held: segue, wasm: memory.buffer.byteLength };
  },
  /** The least that another page would hold: its factors as floats, and no ids. */
  async plain(bytes) {
    return { held: new Float32Array((await bytes("factors.f32")).buffer), wasm: 0 };
  },
};

/** Opens `name` on the files that `bytes` reads, and keeps it. Returns the bytes of the memory of wasm. */
export async function open(name, bytes) {
  const { held, wasm } = await OPEN[name](bytes);
  globalThis.held = held;
  return wasm;
}
