// When to look for another release: when the registry says so, and from time to time where it does not.

/** What follows a registry. */
export interface Following {
  stop(): void;
}

/**
 * Looks for another release, whether or not it is known that there is one: `told` is the latest that was told of, 0 where
 * none was. Rejects where that fails, or where what was told of is not there yet.
 */
export type Look = (told: number) => Promise<void>;

/** Between two looks, in milliseconds; where releases are told of, each fourth. */
const POLL = 15 * 60_000;
const EACH = 4;

/** Before something is tried again for the first time, and at most, in milliseconds. */
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 10 * 60_000;

/**
 * Calls `look` at once, when `updates`, the registry's server-sent events, tell of a release, when the device is online
 * again or its connection is another, and from time to time. What fails is tried again after twice as long each time, give
 * or take a half, so that those who lost a server do not all come back to it at once.
 */
export function follow(updates: string, look: Look): Following {
  const over = new AbortController();
  const { signal } = over;
  const later = laterUntil(signal);
  const [failing, deaf] = [new Backoff(), new Backoff()];
  let source: EventSource | undefined;
  let told = 0;
  let looking = false;
  let again = false;
  let retry: (() => void) | undefined;

  // One at a time, and one more where something happened meanwhile.
  const tryTo = async (): Promise<void> => {
    again = true;
    if (looking) return;
    looking = true;
    retry?.();
    let failed = false;
    while (again && !failed && !signal.aborted) {
      again = false;
      await look(told).catch(() => (failed = true));
    }
    looking = false;
    if (failed) retry = later(failing.next(), () => void tryTo());
    else failing.reset();
  };
  const listen = () => {
    const { EventSource } = globalThis;
    if (!EventSource) return;
    source = new EventSource(updates);
    source.addEventListener("release", ({ data }) => {
      deaf.reset();
      const release = Number(data);
      if (!(release > told)) return;
      told = release;
      void tryTo();
    });
    source.onerror = () => {
      source?.close();
      source = undefined;
      later(deaf.next(), () => whenSeen(listen, signal));
    };
  };
  let polled = 0;
  const poll = () => {
    // Who is told of releases asks too, if less often: nobody says that nothing is told any more.
    if (++polled % EACH === 0 || source?.readyState !== globalThis.EventSource?.OPEN) void tryTo();
    later(POLL, poll);
  };
  const changed = () => void tryTo();
  void tryTo();
  listen();
  later(POLL, poll);
  globalThis.addEventListener?.("online", changed, { signal });
  connection()?.addEventListener?.("change", changed, { signal });
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
  const { saveData, type } = connection() ?? {};
  return (saveData !== true && type !== "cellular") || bytes <= SPARE_BYTES;
}

/** The connection, where the platform tells of it (Network Information API). */
function connection(): (Partial<EventTarget> & { saveData?: boolean; type?: string }) | undefined {
  return (globalThis.navigator as { connection?: EventTarget } | undefined)?.connection;
}
