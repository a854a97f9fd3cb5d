import { hueOf, poster } from "./art.js";
import type { Deck } from "./deck.js";
import { byId, clock, element } from "./dom.js";
import { nameOf, type Track } from "./catalogue.js";

/** What the listener can do with the track that is on. */
export interface Controls {
  toggle(): void;
  skip(): void;
  like(): void;
  replay(): void;
}

/** The card of the track that is on, with its buttons and keys. */
export class NowView {
  readonly #deck: Deck;
  readonly #play = byId<HTMLButtonElement>("play");
  readonly #like = byId<HTMLButtonElement>("like");
  readonly #progress = byId<HTMLProgressElement>("progress");

  constructor(deck: Deck, controls: Controls) {
    this.#deck = deck;
    press(this.#play, () => controls.toggle());
    press(byId("skip"), () => controls.skip());
    press(this.#like, () => controls.like());
    press(byId("replay"), () => controls.replay());
    listenToKeys(controls);
    wireVolume(deck);
  }

  /** Another track is on. */
  show(track: Track): void {
    document.documentElement.style.setProperty("--hue", String(hueOf(track.cluster)));
    byId("poster").replaceChildren(poster(track.row, track.cluster));
    say("cluster-name", track.clusterName);
    byId("now-cluster").hidden = track.clusterName === "";
    byId("now-title").replaceChildren(element("bdi", "", track.title));
    byId("now-title").classList.toggle("long", track.title.length > 22);
    say("now-artist", track.artist);
    say("duration", track.durationMs > 0 ? clock(track.durationMs) : "");
    this.#like.setAttribute("aria-pressed", "false");
    this.tick();
  }

  /** Marks the track as liked; false where it was before. */
  like(): boolean {
    const was = this.#like.getAttribute("aria-pressed") === "true";
    this.#like.setAttribute("aria-pressed", "true");
    return !was;
  }

  /** Time has passed, or playing has started or stopped. */
  tick(): void {
    const { track, position, playing } = this.#deck;
    if (track === null) return;
    this.#progress.value = position / track.playsMs;
    byId("elapsed").textContent = clock(position);
    const label = playing ? "Pause" : "Play";
    if (this.#play.textContent?.trim() === label) return;
    this.#play.querySelector("span")?.replaceChildren(label);
    this.#play.classList.toggle("playing", playing);
    document.title = playing ? nameOf(track) : "Segue";
  }
}

/** Shows `text` in the element `id`, which takes no room without one. */
function say(id: string, text: string): void {
  byId(id).hidden = text === "";
  byId(id).replaceChildren(element("bdi", "", text));
}

/** Calls `action` on each press; one by pointer leaves the keys to the page, not to the button. */
function press(button: HTMLButtonElement, action: () => void): void {
  button.addEventListener("click", (event) => {
    if (event.detail > 0) button.blur();
    action();
  });
}

function listenToKeys(controls: Controls): void {
  const keys = new Map([
    [" ", () => controls.toggle()],
    ["n", () => controls.skip()],
    ["ArrowRight", () => controls.skip()],
    ["l", () => controls.like()],
  ]);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const action = keys.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (action === undefined || isTakenBy(event.target, event.key)) return;
    event.preventDefault();
    action();
  });
}

/** Whether the element that has the focus makes something of the key by itself. */
function isTakenBy(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest("input, textarea, select") !== null) return true;
  if (key === "ArrowRight") return target.closest("[tabindex]") !== null;
  return key === " " && target.closest("button, summary, a") !== null;
}

function wireVolume(deck: Deck): void {
  const volume = byId<HTMLInputElement>("volume");
  const mute = byId<HTMLButtonElement>("mute");
  const setMuted = (muted: boolean) => {
    deck.sound.muted = muted;
    mute.setAttribute("aria-pressed", String(muted));
  };
  volume.addEventListener("input", () => {
    deck.sound.volume = volume.valueAsNumber;
    setMuted(false);
  });
  press(mute, () => setMuted(mute.getAttribute("aria-pressed") !== "true"));
}
