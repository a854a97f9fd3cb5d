import { SegueError } from "segue";

import { byId, element } from "./dom.js";

/** Something that keeps the player from starting, and what to do about it. */
export interface Notice {
  title: string;
  text: string;
  /** The message of the error; empty where `text` says it all. */
  detail: string;
  /** What to type into a terminal; empty where that would not help. */
  command: string;
}

const UNSUPPORTED = {
  title: "This browser cannot run the player",
  text: "It needs WebAssembly with SIMD: Chrome or Edge 96, Firefox 89, Safari 16.4, or later.",
  command: "",
};
const UNREACHABLE = {
  title: "The server does not answer",
  text: "Start it, then try again. This trains a model where there is none, and serves it:",
  command: "./build.sh run",
};
const UNPUBLISHED = {
  title: "No model is published here yet",
  text: "Train one on a listening log, publish it and serve it:",
  command: `segue train EVENTS --out model.segue
segue publish model.segue --registry registry
segue serve --registry registry --www www/dist`,
};
const UNUSABLE = {
  title: "The model cannot be used",
  text: "Publish it again, by the version of Segue that this page was built from.",
  command: "segue publish model.segue --registry registry",
};

/** What a failure to open the model means to the person before the screen. */
export function explainFailure(error: unknown): Notice {
  const detail = error instanceof Error ? error.message : String(error);
  if (!canRunModule()) return { ...UNSUPPORTED, detail: "" };
  const code = error instanceof SegueError ? error.code : "platform";
  if (code === "platform")
    return { ...UNSUPPORTED, text: "Another browser, or a later one, may.", detail };
  if (code !== "unreachable") return { ...UNUSABLE, detail };
  // That a server answers, but without a model, has no other error as its cause.
  return (error as Error).cause === undefined
    ? { ...UNPUBLISHED, detail }
    : { ...UNREACHABLE, detail };
}

/** Shows `notice` in the place of the player. */
export function showNotice(notice: Notice): void {
  const again = element("button", "", "Try again");
  again.type = "button";
  again.addEventListener("click", () => location.reload());
  const parts: HTMLElement[] = [element("h2", "", notice.title), element("p", "", notice.text)];
  if (notice.command !== "") parts.push(element("pre", "", element("code", "", notice.command)));
  if (notice.detail !== "") parts.push(element("p", "detail", notice.detail));
  const box = byId("notice");
  box.replaceChildren(...parts, again);
  box.hidden = false;
}

/** Whether WebAssembly is there, with the 128-bit SIMD that the module is compiled for. */
function canRunModule(): boolean {
  // (module (func (drop (i8x16.splat (i32.const 0)))))
  const simd = [
    0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 9, 1, 7, 0, 65, 0, 253, 15, 26,
    11,
  ];
  return typeof WebAssembly === "object" && WebAssembly.validate(Uint8Array.from(simd));
}
