/** The one element with this id. The page is ours: a missing one is a mistake in it. */
export function byId<E extends HTMLElement>(id: string): E {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`index.html has no element with the id ${id}`);
  return element as E;
}

/** A new element with a class and children; strings become text, never markup. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className = "",
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  if (className !== "") made.className = className;
  made.append(...children);
  return made;
}

/** `decoration`, kept from screen readers. */
export function unheard<E extends Element>(decoration: E): E {
  decoration.setAttribute("aria-hidden", "true");
  return decoration;
}

/** Text that only screen readers meet. */
export function hiddenText(text: string): HTMLElement {
  return element("span", "hidden-text", text);
}

/** Milliseconds as `3:07`. */
export function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** `1 track`, `2 tracks`. */
export function count(n: number, noun: string): string {
  return `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
}
