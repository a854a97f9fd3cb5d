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

const PUBLISH = "segue publish model.segue --registry registry";

const UNSUPPORTED = {
  title: "This browser cannot run the player",
  text: "It needs WebAssembly with SIMD: Chrome or Edge 96, Firefox 89, Safari 16.4, or later.",
  command: "",
};
const INSECURE = {
  title: "This address is not a secure one",
  text: "Browsers check a model only on pages that come over HTTPS or from localhost.",
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
${PUBLISH}
segue serve --registry registry --www www/dist`,
};
const INCOMPLETE = {
  title: "The model is not all there",
  text: "The manifest names a section that the server does not have. Publish the model again:",
  command: PUBLISH,
};
const DAMAGED = {
  title: "The model came damaged",
  text: "What the server sent is not what its manifest promises. Publish the model again:",
  command: PUBLISH,
};
const UNREADABLE = {
  title: "The manifest cannot be read",
  text: "The server gives something else, or one of a later format. Publish the model again, by the version of Segue that this page was built from:",
  command: PUBLISH,
};
const FORGED = {
  title: "The model is not signed by whom it should be",
  text: "Nothing of it is used. Whoever serves this page can tell which key it was given, and sign the model with it:",
  command: `${PUBLISH} --keys keys`,
};
const UNUSABLE = {
  title: "The model cannot be used",
  text: "Train and publish it again, by the version of Segue that this page was built from:",
  command: `segue train EVENTS --out model.segue
${PUBLISH}`,
};
const MISTAKEN = {
  title: "The player did not start",
  text: "That is a mistake in this page. What it says of it:",
  command: "",
};

/** What a failure to open the model of `registry` means to the person before the screen. */
export function explainFailure(error: unknown, registry: URL): Notice {
  const detail = error instanceof Error ? error.message : String(error);
  if (!canRunModule()) return { ...UNSUPPORTED, detail: "" };
  if (!(error instanceof SegueError)) return { ...MISTAKEN, detail };
  switch (error.code) {
    case "unreachable":
      return { ...unreachable(error, registry), detail };
    case "manifest":
      return { ...UNREADABLE, detail };
    case "signature":
      return { ...FORGED, detail };
    case "hash":
      return { ...DAMAGED, detail };
    case "model":
      return { ...UNUSABLE, detail };
    case "platform":
      if (!isSecureContext) return { ...INSECURE, detail };
      return { ...UNSUPPORTED, text: "Another browser, or a later one, may.", detail };
    default:
      return { ...MISTAKEN, detail };
  }
}

/** A server that does not answer, one that has no model, and one that has other troubles. */
function unreachable({ url, status }: SegueError, registry: URL): Omit<Notice, "detail"> {
  if (status === undefined) return UNREACHABLE;
  if (status === 404 && url === `${registry}manifest`) return UNPUBLISHED;
  if (status === 404 && url?.startsWith(`${registry}blob/`)) return INCOMPLETE;
  const text = "It is there, but does not give what the player needs. Its log may say why.";
  return { title: `The server answers ${status}`, text, command: "" };
}

/** In a few words, why the model in use could not be brought up to date. */
export function whyNotCurrent(error: unknown): string {
  if (!(error instanceof SegueError)) return "A later model could not be taken up";
  switch (error.code) {
    case "unreachable":
      if (error.status === undefined) return "The server does not answer";
      return `The server answers ${error.status}`;
    case "manifest":
      return "The server's manifest cannot be read";
    case "signature":
      return "A later model is not to be believed";
    case "hash":
      return "A later model came damaged";
    default:
      return "A later model cannot be used";
  }
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
