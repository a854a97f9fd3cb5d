import { Segue } from "segue";

import { App } from "./app.js";
import { byId, count } from "./dom.js";
import { explainFailure, showNotice, whyNotCurrent } from "./notice.js";

async function main(): Promise<void> {
  const registry = new URL("/v1/", location.href);
  let segue: Segue;
  try {
    segue = await Segue.open({ registry, publicKey: publicKey(), follow: true });
  } catch (error) {
    byId("status").textContent = "";
    showNotice(explainFailure(error, registry));
    return;
  }
  // Names, where a large catalogue keeps them for later; without them tracks are numbers.
  await segue.gather(0).catch(() => {});
  const app = new App(segue);
  app.start();
  keepCurrent(segue, app);
  document.documentElement.dataset["ready"] = "true";
}

/** The key that models must be signed by, where the page was given one. */
function publicKey(): string | undefined {
  const meta = document.querySelector<HTMLMetaElement>("meta[name=segue-public-key]");
  return meta?.content || undefined;
}

/** Says which model is in force, and why it is not a later one. */
function keepCurrent(segue: Segue, app: App): void {
  const status = byId("status");
  const here = () => (segue.here < segue.tracks ? `${segue.here.toLocaleString("en")} of ` : "");
  const model = () => `model ${segue.version}, ${here()}${count(segue.tracks, "track")}`;
  const current = () => {
    status.textContent = `Ranked in this tab by ${model()}`;
    status.title = "";
  };
  const notCurrent = (why: string, detail: string) => {
    status.textContent = `${why}: still ranked in this tab, by ${model()}`;
    status.title = detail;
  };
  const offline = () => notCurrent("Offline", "");
  segue.on("update", () => {
    app.updated();
    current();
  });
  segue.on("arrival", () => {
    if (navigator.onLine) current();
  });
  segue.on("sync", ({ state, error }) => {
    if (state === "current") current();
    else if (state === "waiting") notCurrent("A later model waits for a connection that is not paid for by the byte", "");
    else if (state === "failed" && navigator.onLine) notCurrent(whyNotCurrent(error), String(error));
    else if (state === "failed") offline();
  });
  addEventListener("offline", offline);
  if (navigator.onLine) current();
  else offline();
}

void main();
