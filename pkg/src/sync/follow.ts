// When to look for another release: when the registry says so, and from time to time where it does not.

/** What follows a registry. */
export interface Following {
  stop(): void;
}

/** Looks for another release, of which the version is told where it is known; rejects where that fails. */
export type Look = (release?: number) => Promise<void>;

/** Between two looks where nothing is pushed, in milliseconds. */
const POLL = 15 * 60_000;

/** Before something is tried again for the first time, and at most, in milliseconds. */
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 10 * 60_000;

/**
 * Calls `look` at once, when `updates`, the registry's server-sent events, tell of a release, when the device is online
 * again, and from time to time where nothing is told. What fails is tried again after twice as long each time, give or
 * take a half, so that those who lost a server do not all come back to it at once.
 */
export function follow(updates: string, look: Look): Following {
  const over = new AbortController();
  const later = laterUntil(over.signal);
  const [failing, deaf] = [new Backoff(), new Backoff()];
  let source: EventSource | undefined;
  let again: (() => void) | undefined;

  const tryTo = (release?: number) => {
    again?.();
    look(release).then(
      () => failing.reset(),
      () => (again = later(failing.next(), tryTo)),
    );
  };
  const listen = () => {
    const { EventSource } = globalThis;
    if (!EventSource) return;
    source = new EventSource(updates);
    source.addEventListener("release", ({ data }) => {
      deaf.reset();
      const release = Number(data);
      tryTo(Number.isSafeInteger(release) ? release : undefined);
    });
    source.onerror = () => {
      source?.close();
      source = undefined;
      later(deaf.next(), () => whenSeen(listen, over.signal));
    };
  };
  const poll = () => {
    if (!source) tryTo();
    later(POLL, poll);
  };
  tryTo();
  listen();
  later(POLL, poll);
  globalThis.addEventListener?.("online", () => tryTo(), { signal: over.signal });
  return {
    stop() {
      source?.close();
      over.abort();
    },
  };
}

/** Twice as long each time. */
class Backoff {
  #wait = FIRST_WAIT;

  next(): number {
    const wait = this.#wait;
    this.#wait = Math.min(2 * wait, LONGEST_WAIT);
    return wait;
  }

  reset(): void {
    this.#wait = FIRST_WAIT;
  }
}

/** Calls something later, give or take a half, unless it is over by then. What it returns calls it off. */
function laterUntil(over: AbortSignal): (milliseconds: number, action: () => void) => () => void {
  return (milliseconds, action) => {
    const timer = setTimeout(() => over.aborted || action(), milliseconds * (0.5 + Math.random()));
    // Nothing that runs outside of a page is kept running by it.
    (timer as { unref?(): void }).unref?.();
    return () => clearTimeout(timer);
  };
}

/** Calls something once somebody sees the page: a tab that nobody does can wait. */
function whenSeen(action: () => void, over: AbortSignal): void {
  const { document } = globalThis;
  if (document?.visibilityState !== "hidden") return action();
  const seen = () => document.visibilityState !== "hidden" && action();
  document.addEventListener("visibilitychange", seen, { once: true, signal: over });
}

/** What may be fetched in the background where somebody pays for each byte. */
const SPARE_BYTES = 100_000;

/** Whether so many bytes may come without being asked for. */
export function isWelcome(bytes: number): boolean {
  const { connection } = (globalThis.navigator ?? {}) as { connection?: { saveData?: boolean; type?: string } };
  const sparing = connection?.saveData === true || connection?.type === "cellular";
  return !sparing || bytes <= SPARE_BYTES;
}
