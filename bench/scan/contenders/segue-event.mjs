// The package after an event: takes it in, settles the listener's taste anew and scans.

import { Segue } from "../../../pkg/dist/index.js";
import { meet } from "./segue.mjs";

export async function open({ bytes, listeners, places }) {
  const segue = await Segue.fromModel(await bytes("model.segue"));
  let last;
  return {
    prepare(listener) {
      meet(segue, listeners[listener]);
      last = listeners[listener].at(-1);
    },
    top: () => segue.top({ limit: places }).map(({ row }) => row),
    call() {
      segue.observe(last);
      return segue.top({ limit: places });
    },
  };
}
