/**
 * What went wrong, for code to branch on:
 *
 * - `argument`: a call was given something that it cannot take
 * - `unreachable`: the registry or the module could not be fetched
 * - `manifest`: what the registry gives as its manifest is not one that this version reads
 * - `hash`: a section is not the one that the manifest promises
 * - `model`: bytes are not a model that this version reads
 * - `platform`: the WebAssembly module or WebCrypto cannot be used here
 * - `freed`: the object was used after `free()`
 */
export type ErrorCode =
  | "argument"
  | "unreachable"
  | "manifest"
  | "hash"
  | "model"
  | "platform"
  | "freed";

/** Every error that this package throws. The message says what is wrong, where, and what to do. */
export class SegueError extends Error {
  override readonly name = "SegueError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
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
