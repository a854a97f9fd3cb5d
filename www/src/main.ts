import { Segue } from "segue";

import { App } from "./app.js";
import { byId, count } from "./dom.js";
import { explainFailure, showNotice } from "./notice.js";

const UPDATE_EVERY_MS = 60_000;

async function main(): Promise<void> {
  let segue: Segue;
  try {
    segue = await Segue.open({ registry: new URL("/v1/", location.href) });
  } catch (error) {
    byId("status").textContent = "";
    showNotice(explainFailure(error));
    return;
  }
  const app = new App(segue);
  app.start();
  keepCurrent(segue, app);
  document.documentElement.dataset["ready"] = "true";
}

/** Takes up new versions of the model, and says which one is in force. */
function keepCurrent(segue: Segue, app: App): void {
  const say = (reachable: boolean) => {
    const model = `model ${segue.version}, ${count(segue.tracks, "track")}`;
    byId("status").textContent = reachable
      ? `Ranked in this tab by ${model}`
      : `Offline: still ranked in this tab, by ${model}`;
  };
  const update = () =>
    segue.update().then(
      () => say(true),
      () => say(false),
    );
  segue.on("update", () => {
    app.updated();
    say(true);
  });
  addEventListener("online", () => void update());
  addEventListener("offline", () => say(false));
  setInterval(() => void update(), UPDATE_EVERY_MS);
  say(navigator.onLine);
}

void main();
