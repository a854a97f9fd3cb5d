// The module without the client: what remains of the package's time is what its TypeScript costs.

import * as glue from "../../../pkg/wasm/segue_wasm.js";
import { KINDS } from "../../lib/kinds.mjs";
import { connect } from "../../lib/module.mjs";

const NOTHING = new Uint32Array();

export async function open({ bytes, asset, listeners, places }) {
  await connect(glue, await WebAssembly.compile(await asset("pkg/wasm/segue_wasm_bg.wasm")));
  const parts = new glue.Parts();
  parts.add_file(await bytes("model.segue"));
  const engine = new glue.Engine(parts);
  return {
    prepare(listener) {
      engine.reset();
      for (const { kind, track, played_ms, duration_ms } of listeners[listener]) {
        engine.observe(KINDS.indexOf(kind), track, played_ms, duration_ms);
      }
      engine.rank(new Uint32Array(1), 1);
    },
    top: () => [...engine.top(places, NOTHING)].filter((_, at) => at % 4 === 0),
    call: () => engine.top(places, NOTHING),
  };
}
