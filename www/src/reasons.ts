import type { Reason } from "segue";

import type { Catalogue } from "./catalogue.js";
import { element } from "./dom.js";

/** Most tracks that one reason names. */
const NAMED = 5;
const UNMOVED =
  "Nothing speaks for this track yet. It is here so that there is something to choose from.";

/**
 * Of a place's reasons, strongest first, the one to show: the strongest that pulls the way the track
 * stands, `above` 0 where its score is above the queue's mean. A track at the end of the queue is
 * not explained by the little that speaks for it.
 */
export function headline(reasons: readonly Reason[], above: number): Reason | undefined {
  return reasons.find(({ effect }) => effect > 0 === above > 0) ?? reasons[0];
}

/** A reason in words; where it rests on one other track, by that track's title. */
export function sentence({ text, tracks }: Reason, catalogue: Catalogue): (Node | string)[] {
  const one = oneOf(text);
  const [row] = tracks;
  if (one === null || row === undefined) return [text];
  return [one.before, quoted(catalogue.track(row).title), one.after];
}

/** All reasons for `row`, each with its effect on the score and the tracks that it rests on. */
export function listOf(
  row: number,
  reasons: readonly Reason[],
  catalogue: Catalogue,
): HTMLElement {
  if (reasons.length === 0) return element("p", "", UNMOVED);
  return element("ul", "", ...reasons.map((reason) => lineOf(row, reason, catalogue)));
}

function lineOf(row: number, reason: Reason, catalogue: Catalogue): HTMLLIElement {
  const text = element("p", "", ...sentence(reason, catalogue));
  if (oneOf(reason.text) === null) text.append(...namesOf(row, reason, catalogue));
  return element("li", reason.ground, element("span", "figure", signed(reason.effect)), text);
}

/** The tracks behind a reason for `row`, but for itself: `: “A” by B; “C” by D; and 3 more`. */
function namesOf(row: number, { tracks }: Reason, catalogue: Catalogue): (Node | string)[] {
  const others = [...tracks].filter((other) => other !== row);
  const parts = others.slice(0, NAMED).flatMap((other, index) => {
    const { title, artist } = catalogue.track(other);
    const by = artist === "" ? [] : [" by ", element("bdi", "", artist)];
    return [index === 0 ? ": " : "; ", element("span", "name", quoted(title), ...by)];
  });
  const more = others.length - NAMED;
  return more > 0 ? [...parts, `; and ${more} more`] : parts;
}

/** `close to 1 track you liked`, taken apart where the track's title goes. */
function oneOf(text: string): { before: string; after: string } | null {
  const found = /^(.* )1 track (you .*)$/.exec(text);
  return found === null ? null : { before: found[1]!, after: `, which ${found[2]!}` };
}

function quoted(title: string): HTMLElement {
  return element("span", "", "“", element("bdi", "", title), "”");
}

function signed(effect: number): string {
  return (effect < 0 ? "−" : "+") + Math.abs(effect).toFixed(3);
}
