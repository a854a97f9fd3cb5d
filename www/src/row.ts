import type { Reason } from "segue";

import { poster } from "./art.js";
import type { Catalogue, Track } from "./catalogue.js";
import { element, hiddenText, unheard } from "./dom.js";
import type { Place } from "./ranking.js";
import { listOf, sentence } from "./reasons.js";

/** One row of the queue: a button that plays the track, and one that tells why it stands there. */
export class Row {
  readonly item = element("li");
  readonly #row: number;
  readonly #catalogue: Catalogue;
  readonly #position = unheard(element("span", "position"));
  readonly #arrow = unheard(element("span", "moved"));
  /** What the arrow says. */
  readonly #moved = hiddenText("");
  readonly #choose: HTMLButtonElement;
  readonly #why = element("button", "why");
  readonly #panel = element("div", "reasons");
  #reasons: readonly Reason[] = [];

  constructor(row: number, catalogue: Catalogue, onChoose: (row: number) => void) {
    this.#row = row;
    this.#catalogue = catalogue;
    const track = catalogue.track(row);
    const art = unheard(element("span", "art", poster(row, track.cluster)));
    const place = element("span", "place figure", this.#position, this.#arrow);
    const names = element("span", "names", ...namesOf(track), this.#moved);
    this.#choose = element("button", "choose", place, art, names);
    this.#choose.type = this.#why.type = "button";
    this.#choose.addEventListener("click", () => onChoose(row));
    this.#why.addEventListener("click", () => this.#toggle());
    this.#why.dataset["testid"] = "reason";
    this.#why.setAttribute("aria-expanded", "false");
    this.#panel.hidden = true;

    this.item.dataset["row"] = String(row);
    this.item.dataset["cluster"] = String(track.cluster);
    this.item.append(this.#choose, this.#why, this.#panel);
  }

  /** Tells the row its place; `index` counts from 0. */
  show(place: Place, index: number): void {
    this.item.dataset["position"] = this.#position.textContent = String(index + 1);
    this.#showMove(place.moved);
    this.#reasons = place.reasons;
    this.#showReason(place.headline);
    if (!this.#panel.hidden) this.#fillPanel();
  }

  focus(): void {
    this.#choose.focus({ preventScroll: true });
  }

  #showReason(reason: Reason | undefined): void {
    const words = reason === undefined ? ["picked for variety"] : sentence(reason, this.#catalogue);
    this.#why.replaceChildren(...words);
    const pull = reason === undefined ? "" : reason.effect > 0 ? "up" : "down";
    this.#why.className = `why ${reason?.ground ?? ""} ${pull}`;
  }

  #showMove(moved: number | null): void {
    const places = Math.abs(moved ?? 0);
    const [arrow, word] = (moved ?? 0) > 0 ? ["▲", "up"] : ["▼", "down"];
    this.#arrow.className = `moved ${word}`;
    this.#arrow.textContent = places === 0 ? "" : `${arrow}${places}`;
    this.#moved.textContent = places === 0 ? "" : `, ${word} ${places}`;
  }

  #toggle(): void {
    this.#panel.hidden = !this.#panel.hidden;
    this.#why.setAttribute("aria-expanded", String(!this.#panel.hidden));
    if (!this.#panel.hidden) this.#fillPanel();
  }

  #fillPanel(): void {
    this.#panel.replaceChildren(listOf(this.#row, this.#reasons, this.#catalogue));
  }
}

/** Title and artist, to be read as one sentence; no line for an artist who is not known. */
function namesOf({ title, artist }: Track): HTMLElement[] {
  const line = element("span", "title", hiddenText("Play "), element("bdi", "", title));
  if (artist === "") return [line];
  return [line, element("span", "artist", hiddenText(" by "), element("bdi", "", artist))];
}
