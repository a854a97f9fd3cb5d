import type { Catalogue } from "./catalogue.js";
import { byId } from "./dom.js";
import type { Place } from "./ranking.js";
import { Row } from "./row.js";

const MOVE_MS = 620;
const EASE = "cubic-bezier(0.3, 0.9, 0.25, 1)";

/** The queue, whose rows travel to their new places. */
export class QueueView {
  readonly #list = byId<HTMLOListElement>("queue");
  readonly #rows = new Map<number, Row>();
  readonly #catalogue: Catalogue;
  readonly #onChoose: (row: number) => void;

  constructor(catalogue: Catalogue, onChoose: (row: number) => void) {
    this.#catalogue = catalogue;
    this.#onChoose = onChoose;
  }

  /** Shows `places` from top to bottom. */
  show(places: readonly Place[]): void {
    const before = this.#tops();
    const focused = this.#focusedIndex();
    this.#drop(places);
    places.forEach((place, index) => this.#put(place, index));
    if (focused >= 0) this.#focus(places[Math.min(focused, places.length - 1)]);
    this.#animate(before);
  }

  /** Rows have come to mean other tracks: nothing that is shown can be kept. */
  clear(): void {
    this.#rows.clear();
    this.#list.replaceChildren();
  }

  #drop(places: readonly Place[]): void {
    const kept = new Set(places.map(({ row }) => row));
    for (const [number, row] of this.#rows) {
      if (kept.has(number)) continue;
      row.item.remove();
      this.#rows.delete(number);
    }
  }

  #put(place: Place, index: number): void {
    const row = this.#rows.get(place.row) ?? new Row(place.row, this.#catalogue, this.#onChoose);
    this.#rows.set(place.row, row);
    const there = this.#list.children[index] ?? null;
    if (there !== row.item) this.#list.insertBefore(row.item, there);
    row.show(place, index);
  }

  /** Where each row stands on the screen. */
  #tops(): Map<Row, number> {
    return new Map(
      [...this.#rows.values()].map((row) => [row, row.item.getBoundingClientRect().top]),
    );
  }

  /** Lets each row travel from where it stood: measured, re-ordered, then played backwards. */
  #animate(before: ReadonlyMap<Row, number>): void {
    if (before.size === 0 || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    for (const running of this.#list.getAnimations({ subtree: true })) running.cancel();
    for (const [row, to] of this.#tops()) {
      const from = before.get(row);
      if (from === to || !(isNear(from) || isNear(to))) continue;
      const timing = { duration: MOVE_MS, easing: EASE };
      if (from === undefined) {
        row.item.animate([{ opacity: 0 }, { opacity: 1 }], timing);
        continue;
      }
      row.item.animate(travel(from - to), timing);
    }
  }

  #focusedIndex(): number {
    const item = document.activeElement?.closest("#queue > li") ?? null;
    return item === null ? -1 : [...this.#list.children].indexOf(item);
  }

  /** A row that moves or goes loses the focus: what now stands in its place has it next. */
  #focus(place: Place | undefined): void {
    if (place !== undefined) this.#rows.get(place.row)?.focus();
  }
}

/** Frames of a row that stood `by` pixels below its new place; from afar it comes into view late. */
function travel(by: number): Keyframe[] {
  const most = innerHeight / 2;
  const start = Math.max(-most, Math.min(most, by));
  // Those that rise pass over those that fall.
  const zIndex = by > 0 ? 2 : 1;
  return [
    { transform: `translateY(${start}px)`, opacity: start === by ? 1 : 0, zIndex },
    { transform: "none", opacity: 1, zIndex },
  ];
}

/** Whether a row at `top` is on the screen, or close enough to travel across it. */
function isNear(top: number | undefined): boolean {
  return top !== undefined && top > -innerHeight / 2 && top < innerHeight * 1.5;
}
