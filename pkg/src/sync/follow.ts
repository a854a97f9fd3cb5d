// When to look for another release: when the registry says so, and from time to time where it does not.

/** What follows a registry. */
export interface Following {
  stop(): void;
}

/** Between two looks where nothing is pushed, in milliseconds. */
const POLL = 15 * 60_000;

/** Before the first try to hear of releases again, and at most, in milliseconds. */
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 10 * 60_000;

/**
 * Calls `look` with the version of a release when `updates`, the registry's server-sent events, tell of one, and without
 * one at times where they do not. What goes wrong there is tried again after twice as long each time, give or take a half,
 * so that those who lost a server do not all come back to it at once.
 */
export function follow(updates: string, look: (release?: number) => void): Following {
  let source: EventSource | undefined;
  let wait = FIRST_WAIT;
  const timers = new Set<ReturnType<typeof setTimeout>>();
  const over = new AbortController();
  const after = (milliseconds: number, action: () => void) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      action();
    }, milliseconds * (0.5 + Math.random()));
    timers.add(timer);
    // Nothing that runs outside of a page is kept running by it.
    (timer as { unref?(): void }).unref?.();
  };
  const listen = () => {
    const { EventSource, document } = globalThis;
    if (!EventSource) return;
    source = new EventSource(updates);
    source.addEventListener("release", ({ data }) => {
      wait = FIRST_WAIT;
      const release = Number(data);
      look(Number.isSafeInteger(release) ? release : undefined);
    });
    source.onerror = () => {
      source?.close();
      source = undefined;
      const again = () => {
        // A tab that nobody sees can wait until somebody does.
        if (document?.visibilityState !== "hidden") return listen();
        document.addEventListener("visibilitychange", again, { once: true, signal: over.signal });
      };
      after(wait, again);
      wait = Math.min(2 * wait, LONGEST_WAIT);
    };
  };
  const ask = () => {
    if (!source) look();
    after(POLL, ask);
  };
  listen();
  after(POLL, ask);
  globalThis.addEventListener?.("online", () => look(), { signal: over.signal });
  return {
    stop() {
      source?.close();
      for (const timer of timers) clearTimeout(timer);
      over.abort();
    },
  };
}

/** What may be fetched in the background where somebody pays for each byte. */
const SPARE_BYTES = 100_000;

/** Whether so many bytes may come without being asked for. */
export function isWelcome(bytes: number): boolean {
  const { connection } = (globalThis.navigator ?? {}) as { connection?: { saveData?: boolean; type?: string } };
  const sparing = connection?.saveData === true || connection?.type === "cellular";
  return !sparing || bytes <= SPARE_BYTES;
}
