import type { Segue } from "segue";

import { byId, element } from "./dom.js";

/** Clusters that are shown: as many as are read at a glance. */
const SHOWN = 4;

/** Where the listener's taste lies: the clusters with the largest shares of it. */
export class TasteView {
  readonly #segue: Segue;
  readonly #list = byId<HTMLOListElement>("taste");

  constructor(segue: Segue) {
    this.#segue = segue;
  }

  /** The taste as it is now; nothing of a listener of whom nothing is `known`, or without names. */
  show(known: boolean): void {
    const named = known ? this.#segue.taste().filter(({ name }) => name !== undefined) : [];
    const items = named.slice(0, SHOWN).map(({ name, share }) => {
      const percent = `${Math.round(100 * share)} %`;
      const item = element("li", "", element("bdi", "", name!), element("span", "figure", percent));
      item.style.setProperty("--share", String(share));
      return item;
    });
    this.#list.hidden = items.length === 0;
    this.#list.replaceChildren(...items);
  }
}
