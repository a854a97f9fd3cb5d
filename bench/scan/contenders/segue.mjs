// The package as it ships, called as a page calls it.

import { Segue } from "../../../pkg/dist/index.js";

export async function open({ bytes, listeners, places }) {
  const segue = await Segue.fromModel(await bytes("model.segue"));
  return {
    // To settle a listener is no part of a scan: `segue-event` measures the two together.
    prepare(listener) {
      meet(segue, listeners[listener]);
      segue.rank([0], { limit: 1 });
    },
    top: () => segue.top({ limit: places }).map(({ row }) => row),
    call: () => segue.top({ limit: places }),
  };
}

/** Forgets who came before, and takes in what this listener did. */
export function meet(segue, events) {
  segue.reset();
  for (const event of events) segue.observe(event);
}
