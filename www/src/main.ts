import { Segue } from "segue";

import { App } from "./app.js";
import { byId, count } from "./dom.js";
import { explainFailure, showNotice, whyNotCurrent } from "./notice.js";

const UPDATE_EVERY_MS = 60_000;

async function main(): Promise<void> {
  const registry = new URL("/v1/", location.href);
  let segue: Segue;
  try {
    segue = await Segue.open({ registry });
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

/** Takes up new versions of the model, and says which one is in force. */
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
  const update = () =>
    segue.update().then(current, (error: unknown) => {
      if (navigator.onLine) notCurrent(whyNotCurrent(error), String(error));
      else offline();
    });
  segue.on("update", () => {
    app.updated();
    current();
  });
  segue.on("arrival", () => {
    if (navigator.onLine) current();
  });
  addEventListener("online", () => void update());
  addEventListener("offline", offline);
  setInterval(() => void update(), UPDATE_EVERY_MS);
  if (navigator.onLine) current();
  else offline();
}

void main();
