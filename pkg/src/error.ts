/**
 * What went wrong, for code to branch on:
 *
 * - `argument`: a call was given something that it cannot take
 * - `unreachable`: the registry or the module could not be fetched
 * - `manifest`: what the registry gives as its manifest is not one that this version reads
 * - `signature`: the manifest is not signed by whom it should be, has expired, or is older than one that was seen
 * - `hash`: a section is not the one that the manifest promises
 * - `model`: bytes are not a model that this version reads
 * - `platform`: the WebAssembly module or WebCrypto cannot be used here
 * - `storage`: what is fetched cannot be kept on this device
 * - `freed`: the object was used after `free()`
 */
export type ErrorCode =
  | "argument"
  | "unreachable"
  | "manifest"
  | "signature"
  | "hash"
  | "model"
  | "platform"
  | "storage"
  | "freed";

/** What was asked for over HTTP, and what was answered. */
export interface Answer {
  readonly url: string;
  /** Left out where nothing answered. */
  readonly status?: number;
}

/** Every error that this package throws. The message says what is wrong, where, and what to do. */
export class SegueError extends Error {
  override readonly name = "SegueError";
  readonly code: ErrorCode;
  /** What could not be fetched, where `code` is `unreachable`. */
  readonly url: string | undefined;
  /** The HTTP status that was answered in its place; `undefined` where nothing answered. */
  readonly status: number | undefined;

  constructor(code: ErrorCode, message: string, cause?: unknown, answer?: Answer) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.url = answer?.url;
    this.status = answer?.status;
  }
}

/** That `url` gave nothing, not even an answer, because of `cause`. */
export function unanswered(url: URL | string, what: string, cause: unknown): SegueError {
  const message = `${url} ${what}: ${messageOf(cause)}`;
  return new SegueError("unreachable", message, cause, { url: String(url) });
}

/** That `url` was answered with a status which is not one of success. */
export function refused(url: URL | string, status: number, advice = ""): SegueError {
  const answer = { url: String(url), status };
  return new SegueError("unreachable", `${url} answers ${status}${advice}`, undefined, answer);
}

/** Runs `action`; what it throws becomes a `SegueError` with this code. */
export function attempt<T>(code: ErrorCode, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw cause instanceof SegueError ? cause : new SegueError(code, messageOf(cause), cause);
  }
}

export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
