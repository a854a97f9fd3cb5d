import { poster } from "./art.js";
import { nameOf, type Track } from "./catalogue.js";
import { byId, clock, element, unheard } from "./dom.js";

/** What the listener did. */
export type Deed = "chosen" | "finished" | "liked" | "played" | "replayed" | "skipped";

const EMPTY = "Nothing yet. What you choose, finish, like and skip turns the queue, and stays in this tab.";

/** What the session knows, newest first. */
export class HistoryView {
  readonly #list = byId<HTMLOListElement>("history");
  readonly #counts = new Map<Deed, number>();

  constructor(onReset: () => void) {
    byId("reset").addEventListener("click", (event) => {
      onReset();
      // The button is gone now, and must not take the keyboard's place on the page with it.
      if (event.detail === 0) byId("play").focus();
    });
    this.#summarise();
  }

  /** How many things are known. */
  get length(): number {
    return this.#list.children.length;
  }

  add(deed: Deed, track: Track, playedMs: number): void {
    const art = unheard(element("span", "art", poster(track.row, track.cluster)));
    const when = deed === "skipped" || deed === "played" ? ` ${clock(playedMs)}` : "";
    const label = element("span", "deed", deed, element("span", "figure", when));
    const item = element("li", deed, art, label, element("bdi", "title", track.title));
    item.title = nameOf(track);
    this.#list.prepend(item);
    this.#list.scrollTo({ left: 0 });
    this.#counts.set(deed, (this.#counts.get(deed) ?? 0) + 1);
    this.#summarise();
  }

  clear(): void {
    this.#list.replaceChildren();
    this.#counts.clear();
    this.#summarise();
  }

  #summarise(): void {
    const counts = [...this.#counts].map(([deed, n]) => `${n} ${deed}`);
    const known = counts.length > 0;
    byId("known-summary").textContent = known
      ? `${counts.join(", ")}. It stays in this tab.`
      : EMPTY;
    byId("reset").hidden = this.#list.hidden = !known;
  }
}
