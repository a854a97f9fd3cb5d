import type { Reason } from "segue";

import { hueOf, poster } from "./art.js";
import type { Catalogue } from "./catalogue.js";
import { element, hiddenText, unheard } from "./dom.js";
import type { Place } from "./ranking.js";
import { listOf } from "./reasons.js";

/** One row of the queue: a button that plays the track, and one that tells why it stands there. */
export class Row {
  readonly item = element("li");
  readonly #catalogue: Catalogue;
  readonly #position = unheard(element("span", "position figure"));
  readonly #choose: HTMLButtonElement;
  readonly #why = element("button", "why");
  readonly #moved = element("span", "moved figure");
  readonly #panel = element("div", "reasons");
  #reasons: readonly Reason[] = [];

  constructor(row: number, catalogue: Catalogue, onChoose: (row: number) => void) {
    this.#catalogue = catalogue;
    const track = catalogue.track(row);
    const art = unheard(element("span", "art", poster(row, track.cluster)));
    const title = element("span", "title", hiddenText("Play "), element("bdi", "", track.title));
    const artist = element(
      "span",
      "artist",
      hiddenText(" by "),
      element("bdi", "", track.artist),
      " ",
    );
    const by = element("span", "by", artist, element("span", "style", track.style));
    this.#choose = element(
      "button",
      "choose",
      this.#position,
      art,
      element("span", "names", title, by),
    );
    this.#choose.type = this.#why.type = "button";
    this.#choose.addEventListener("click", () => onChoose(row));
    this.#why.addEventListener("click", () => this.#toggle());
    this.#why.dataset["testid"] = "reason";
    this.#why.setAttribute("aria-expanded", "false");
    this.#panel.hidden = true;

    this.item.dataset["row"] = String(row);
    this.item.dataset["cluster"] = String(track.cluster);
    this.item.style.setProperty("--own-hue", String(hueOf(track.cluster)));
    this.item.append(this.#choose, this.#why, this.#moved, this.#panel);
  }

  /** Tells the row its place; `index` counts from 0. */
  show(place: Place, index: number): void {
    this.item.dataset["position"] = this.#position.textContent = String(index + 1);
    this.#showMove(place.moved);
    this.#reasons = place.reasons;
    this.#why.textContent = place.headline?.text ?? "picked for variety";
    this.#why.className = `why ${place.headline?.ground ?? ""}`;
    if (!this.#panel.hidden) this.#fillPanel();
  }

  focus(): void {
    this.#choose.focus({ preventScroll: true });
  }

  #showMove(moved: number | null): void {
    if (moved === null || moved === 0) return this.#moved.replaceChildren();
    const places = Math.abs(moved);
    const [arrow, word] = moved > 0 ? ["▲", "up"] : ["▼", "down"];
    this.#moved.className = `moved figure ${word}`;
    this.#moved.replaceChildren(
      unheard(element("span", "", `${arrow} ${places}`)),
      hiddenText(`${word} ${places}`),
    );
  }

  #toggle(): void {
    this.#panel.hidden = !this.#panel.hidden;
    this.#why.setAttribute("aria-expanded", String(!this.#panel.hidden));
    if (!this.#panel.hidden) this.#fillPanel();
  }

  #fillPanel(): void {
    this.#panel.replaceChildren(listOf(this.#reasons, this.#catalogue));
  }
}
