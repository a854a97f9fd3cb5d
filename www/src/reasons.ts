import type { Reason } from "segue";

import type { Catalogue } from "./catalogue.js";
import { element } from "./dom.js";

/** Most tracks that one reason names. */
const NAMED = 5;
const UNMOVED =
  "Nothing speaks for this track yet. It is here so that there is something to choose from.";

/**
 * For each track of a queue, given its reasons, the one to show: that by which it differs most from
 * the queue as a whole. A skip moves all tracks a little; only those that it moves more than most
 * should say so.
 */
export function headlines(queue: readonly (readonly Reason[])[]): (Reason | undefined)[] {
  const usual = new Map<Reason["ground"], number>();
  for (const { ground, effect } of queue.flat()) {
    usual.set(ground, (usual.get(ground) ?? 0) + effect / queue.length);
  }
  const excess = ({ ground, effect }: Reason) =>
    Math.abs(effect) - Math.abs(usual.get(ground) ?? 0);
  return queue.map((reasons) => {
    const [first, ...others] = reasons.filter((reason) => excess(reason) > 0);
    const common = reasons.find(({ ground }) => ground === "popular") ?? reasons[0];
    if (first === undefined) return common;
    return others.reduce((most, other) => (excess(other) > excess(most) ? other : most), first);
  });
}

/** All reasons, each with its effect on the score and the tracks that it rests on. */
export function listOf(reasons: readonly Reason[], catalogue: Catalogue): HTMLElement {
  if (reasons.length === 0) return element("p", "", UNMOVED);
  return element("ul", "", ...reasons.map((reason) => lineOf(reason, catalogue)));
}

function lineOf(reason: Reason, catalogue: Catalogue): HTMLLIElement {
  const text = element("p", "", reason.text);
  const named = [...reason.tracks].slice(0, NAMED);
  for (const [index, row] of named.entries()) {
    const { title, artist } = catalogue.track(row);
    const name = element(
      "span",
      "name",
      element("bdi", "", title),
      " by ",
      element("bdi", "", artist),
    );
    text.append(index === 0 ? ": " : ", ", name);
  }
  const more = reason.tracks.length - named.length;
  if (more > 0) text.append(` and ${more} more`);
  return element("li", reason.ground, element("span", "figure", signed(reason.effect)), text);
}

function signed(effect: number): string {
  return (effect < 0 ? "−" : "+") + Math.abs(effect).toFixed(3);
}
