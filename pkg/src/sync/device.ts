// A device that follows a registry: the module says what comes next, here it is done. What is fetched is verified before
// it is used, a model is built beside the one in use, and what is kept is kept as a whole; so whatever fails, and whenever,
// there is a model that works, the old one or the new one.

import { Engine, Sync } from "../../wasm/segue_wasm.js";
import { attempt, messageOf, SegueError } from "../error.js";
import { FORMAT, examine, fields, manifestOf, numberOf, type Manifest, type Section } from "../manifest.js";
import { loadLate } from "../module.js";
import { sha256, type Arrived, type Cached, type Registry } from "../registry.js";
import { Source, collect } from "../source.js";
import type { Kept, Store, SyncState, SyncStatus, WasmSource, Worse } from "../types.js";
import { isWelcome } from "./follow.js";
import { indexedStore } from "./store.js";
import { offerTape, rootTape } from "./tape.js";
import { verified } from "./verify.js";

/** What steps answer with, beside the version of a root that is to be fetched. */
const CURRENT = 0;
const VERIFY = -1;
const FETCH = -2;

/** What is counted: that something was heard (0), refused (1) or failed (2). */
export type Deed = 0 | 1 | 2;

/** A model, and what it is made of. */
export interface Held {
  readonly engine: Engine;
  readonly source: Source;
}

export interface DeviceOptions {
  readonly publicKey?: string | undefined;
  readonly device?: string | undefined;
  readonly store?: Store | false | undefined;
  readonly syncWasm?: WasmSource | undefined;
  readonly report: (status: SyncStatus) => void;
}

export class Device {
  readonly #registry: Registry;
  readonly #sync: Sync;
  readonly #store: Store | undefined;
  readonly #options: DeviceOptions;
  /** What this device calls itself; empty where it would be another one each time. */
  readonly #id: string;
  /** What is in use. */
  #held: Held | undefined;
  /** What the store is known to have. */
  #stored: Kept | undefined;
  /** Resolves once nothing more is being done. */
  #busy: Promise<unknown> = Promise.resolve();
  /** The deltas that led to what is in use: another tab may be where this one was. */
  #via: readonly Section[] = [];
  /** What was fetched and is not stored yet, by hash. */
  readonly #fresh = new Map<string, Uint8Array>();
  /** What came from the store. */
  readonly #old = new WeakSet<Uint8Array>();
  #seen = 0;
  #freed = false;

  private constructor(registry: Registry, sync: Sync, store: Store | undefined, id: string, options: DeviceOptions) {
    this.#registry = registry;
    this.#sync = sync;
    this.#store = store;
    this.#id = id;
    this.#options = options;
  }

  /** Opens the store while the module is `loaded`. A store that cannot be read is done without. */
  static async open(registry: Registry, loaded: Promise<void>, options: DeviceOptions): Promise<Device> {
    const store = options.store === false ? undefined : (options.store ?? indexedStore(registry.url));
    const reading = (store?.read() ?? Promise.resolve(undefined)).catch((cause: unknown) => cause);
    // Where nothing is kept, what is needed is asked for while the module loads.
    if (options.publicKey !== undefined) void reading.then((kept) => isKept(kept) || registry.prepare());
    const [kept] = await Promise.all([reading, loadLate(options.syncWasm, loaded)]);
    const sound = isKept(kept) ? kept : undefined;
    const id = options.device ?? sound?.device ?? (store ? globalThis.crypto?.randomUUID?.() : undefined) ?? "";
    const sync = attempt("argument", () => new Sync(options.publicKey ?? "", id));
    const device = new Device(registry, sync, store, id, options);
    if (kept !== undefined && !sound) device.#unkept(kept);
    device.#learn(sound);
    if (Array.isArray(sound?.tallies)) sync.recall(Float64Array.from(sound.tallies));
    return device;
  }

  /** The version of the last release that was believed. */
  get seen(): number {
    return this.#seen;
  }

  /** The model that was kept; nothing where there is none, or where it cannot be used. */
  async kept(): Promise<Held | undefined> {
    const model = this.#stored?.model;
    if (!model) return undefined;
    try {
      const source = new Source(this.#registry, manifestOf(model.manifest));
      const parts = await source.fetch(model.here, { cached: this.#cached, fetched: this.#fetched });
      const engine = attempt("model", () => new Engine(parts));
      source.arrived(model.here);
      // What was damaged there was fetched anew.
      if (this.#fresh.size > 0) void this.alone(() => this.#write(model)).catch(() => {});
      return this.use({ engine, source });
    } catch (cause) {
      // The registry has everything.
      this.#unkept(cause);
      return undefined;
    }
  }

  /** What is in use from now on, where it did not come from here. */
  use(held: Held): Held {
    this.#held = held;
    const { version, release } = held.source.manifest;
    this.#sync.resume(version, release, this.#sync.trust());
    this.#sync.change(version);
    return held;
  }

  /**
   * Runs `action` while no other tab does, of those that keep the same registry. Where it fails, what was seen is kept
   * all the same.
   */
  async alone<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#busy.then(() => this.#locked(action));
    this.#busy = turn.catch(() => {});
    return turn;
  }

  async #locked<T>(action: () => Promise<T>): Promise<T> {
    let begun = false;
    const guarded = async (): Promise<T> => {
      begun = true;
      this.#alive();
      try {
        // Another tab may have gone ahead.
        if (this.#store) this.#learn(await this.#store.read().catch(() => this.#stored));
        return await action();
      } catch (cause) {
        this.#alive();
        this.#sync.abandon();
        await this.#remember();
        this.#say("failed", { error: cause as Error });
        throw cause;
      } finally {
        this.#fresh.clear();
      }
    };
    const locks = globalThis.navigator?.locks;
    if (!locks || !this.#store) return guarded();
    try {
      return await locks.request(`segue ${this.#registry.url}`, guarded);
    } catch (cause) {
      // A page that may not lock, such as one in a sandbox, has nobody to lock out.
      if (begun) throw cause;
      return guarded();
    }
  }

  #alive(): void {
    if (this.#freed) throw new SegueError("freed", "this Segue was freed: open another one");
  }

  /**
   * The model in force, built beside the one in use; nothing where that is it. In the `background` nothing is fetched that
   * somebody may have to pay for.
   */
  async next(background: boolean): Promise<Held | undefined> {
    this.#say("looking");
    const json = await this.#registry.json("manifest");
    if (!this.#held) this.#registry.askAhead(json);
    const release = await this.#believe(json);
    this.#seen = release["version"] as number;
    // Before anything else can fail: what was seen must not be unseen.
    await this.#remember();
    const chosen = this.#sync.chosen();
    if (chosen === 0) {
      // What could not be kept before, or was lost since.
      const kept = this.#stored?.model;
      if (!kept || manifestOf(kept.manifest).version !== this.#held?.source.manifest.version) await this.keep();
      this.#say("current");
      return undefined;
    }
    return this.#bring(manifestOf(release, chosen), background);
  }

  /** Goes through the steps from a manifest to what is to be fetched. Returns what its release says. */
  async #believe(json: unknown): Promise<Record<string, unknown>> {
    const { format, root, release } = fields(json);
    // Of another format its rules say what to do.
    if (format !== FORMAT) this.#registry.checked("manifest", () => examine(json));
    const hash = await sha256(new TextEncoder().encode(String(fields(release)["signed"])));
    const offer = this.#registry.checked("manifest", () => offerTape(json, hash));
    const show = () => attempt(root === undefined ? "signature" : "manifest", () => this.#sync.show(offer.tape));
    let step = this.#registry.checked("manifest", show);
    while (step !== CURRENT && step !== FETCH) step = await this.#step(step);
    return offer.release;
  }

  async #step(step: number): Promise<number> {
    try {
      if (step === VERIFY) {
        this.#say("verifying");
        const answers = await verified(this.#sync.questions());
        return attempt("signature", () => this.#sync.answer(answers, Date.now()));
      }
      const path = `root/${step}`;
      const root = await this.#registry.json(path);
      return this.#registry.checked(path, () => this.#sync.root(rootTape(root)));
    } catch (cause) {
      this.#registry.giveUp();
      throw cause;
    }
  }

  async #bring(manifest: Manifest, background: boolean): Promise<Held | undefined> {
    const source = new Source(this.#registry, manifest);
    const { deltas, sections } = this.#plan(source);
    if (deltas.length === 0) return this.#whole(source, background);
    const arrived = this.#announce([...deltas, ...sections], background);
    if (!arrived) return undefined;
    let engine: Engine;
    try {
      const bytes = await this.#registry.blobs(deltas, this.#cached, arrived);
      deltas.forEach(({ hash }, at) => this.#fetched(hash, bytes[at]!));
      // No delta makes `cells`: they come along, from here where they are as they were.
      const beside = source.head().filter((section) => section.kind === "cells" || sections.includes(section));
      const given = { held: this.#held, cached: this.#cached, arrived, fetched: this.#fetched };
      const parts = await source.fetch(beside, given);
      this.#say("applying");
      engine = patched(this.#held!.engine, bytes, parts);
    } catch (cause) {
      // A delta is only a shortcut: what it should have made is there all the same. Where nothing answers, it is not.
      if (isUnanswered(cause)) throw cause;
      return this.#whole(source, background);
    }
    source.arrived(source.head());
    this.#via = deltas;
    return { engine, source };
  }

  /** What ranking starts with, but for what is here already. */
  async #whole(source: Source, background: boolean): Promise<Held | undefined> {
    const start = source.start();
    const arrived = this.#announce(source.missing(start, this.#held), background);
    if (!arrived) return undefined;
    const parts = await source.fetch(start, { held: this.#held, cached: this.#cached, arrived, fetched: this.#fetched });
    this.#say("applying");
    const engine = attempt("model", () => new Engine(parts));
    source.arrived(start);
    this.#via = [];
    return { engine, source };
  }

  /** Says how much will be fetched, and then how much came; nothing where that is more than may come unasked. */
  #announce(blobs: readonly Section[], background: boolean): Arrived | undefined {
    const total = blobs.reduce((sum, { bytes }) => sum + bytes, 0);
    let received = 0;
    if (background && !isWelcome(total)) {
      this.#sync.abandon();
      this.#say("waiting", { received, total });
      return undefined;
    }
    const arrived: Arrived = (bytes) => this.#say("fetching", { received: (received += bytes), total });
    arrived(0);
    return arrived;
  }

  /** The deltas that lead to a model, and the sections that are fetched. */
  #plan(source: Source): { deltas: Section[]; sections: Section[] } {
    const { all, deltas } = source.manifest;
    const held = this.#held;
    if (!held) return { deltas: [], sections: [] };
    const here = Uint8Array.from(all, (section) => Number(held.source.has(section)));
    const whole = held.source.lacking([]).length === 0;
    const plan = attempt("manifest", () => this.#sync.plan(held.engine, here, whole));
    const sections = Array.from(plan.subarray(1, 1 + plan[0]!), (at) => all[at]!);
    return { deltas: Array.from(plan.subarray(2 + plan[0]!), (at) => deltas[at]!), sections };
  }

  /** A model that was brought is in use. */
  async applied(held: Held): Promise<void> {
    attempt("manifest", () => this.#sync.applied());
    this.#held = held;
    this.#sync.change(held.source.manifest.version);
    await this.keep();
    this.#say("current");
  }

  /** Keeps what is in use, as its sections: what a delta made is coded anew, and must be what was published. */
  async keep(): Promise<void> {
    const held = this.#held;
    if (!this.#store || !held) return;
    const { manifest } = held.source;
    const here = manifest.all.filter((section) => held.source.has(section));
    const stored = new Set(this.#stored?.model?.here.map(({ hash }) => hash));
    try {
      for (const section of here) {
        const { hash, shard } = section;
        if (this.#fresh.has(hash) || stored.has(hash)) continue;
        const bytes = held.engine.encoded(numberOf(section), shard) as Uint8Array<ArrayBuffer> | undefined;
        if (!bytes || (await sha256(bytes)) !== hash) throw new Error(`section ${section.kind} is not what was published`);
        this.#fresh.set(hash, bytes);
        // Between two sections a page gets its turn.
        await new Promise((turn) => setTimeout(turn));
      }
      if (this.#held === held) await this.#write({ manifest: manifest.said, here, via: this.#via });
    } catch (cause) {
      this.#unkept(cause);
    }
  }

  /** Counts that something was heard, refused or failed. Returns what shows that the model in use is worse than the one before. */
  count(deed: Deed): Worse | undefined {
    if (!this.#sync.count(deed)) return undefined;
    const numbers = Array.from(this.#sync.tallies());
    const tally = (at: number) => {
      const [version, heard, refused, failed] = numbers.slice(at, at + 4) as [number, number, number, number];
      return { version, heard, refused, failed };
    };
    return { before: tally(0), now: tally(4) };
  }

  /** Stores what was counted, with what is stored already. */
  async remember(): Promise<void> {
    await this.alone(() => this.#write(this.#stored?.model));
  }

  /** Stores what is believed, with what is stored already, where that is news. */
  async #remember(): Promise<void> {
    if (this.#sync.trust() !== this.#stored?.trust) await this.#write(this.#stored?.model, new Map());
  }

  /** Stores a model with what is believed. */
  async #write(model: Kept["model"], blobs = new Map(this.#fresh)): Promise<void> {
    if (!this.#store || this.#freed) return;
    const tallies = Array.from(this.#sync.tallies());
    const kept: Kept = { trust: this.#sync.trust(), device: this.#id, tallies, model };
    try {
      await this.#store.write(kept, blobs);
      this.#stored = kept;
    } catch (cause) {
      this.#unkept(cause);
    }
  }

  /** What another tab saw is believed here too, unless more was seen here; the model in use stays this tab's own. */
  #learn(kept: unknown): void {
    const { version, release } = this.#held?.source.manifest ?? { version: 0, release: 0 };
    const mine = isKept(kept) && this.#sync.resume(version, release, kept.trust);
    this.#stored = mine ? kept : undefined;
  }

  readonly #cached: Cached = async (hash) => {
    const bytes = await this.#store?.blob(hash).catch(() => undefined);
    if (bytes) this.#old.add(bytes);
    return bytes;
  };

  readonly #fetched = (hash: string, bytes: Uint8Array): void => {
    if (this.#store && !this.#old.has(bytes)) this.#fresh.set(hash, bytes);
  };

  #unkept(cause: unknown): void {
    this.#say("unkept", { error: new SegueError("storage", `the model is not kept on this device: ${messageOf(cause)}`, cause) });
  }

  #say(state: SyncState, more: Omit<SyncStatus, "state"> = {}): void {
    this.#options.report({ state, ...more });
  }

  /** Ends it once what is being done is over. */
  async free(): Promise<void> {
    await this.remember().catch(() => {});
    this.#freed = true;
    this.#sync.free();
  }
}

/** What `deltas` make of a model one after the other, with `parts` beside the last. */
function patched(engine: Engine, deltas: readonly Uint8Array[], parts: ReturnType<typeof collect>): Engine {
  let made = engine;
  try {
    deltas.forEach((delta, at) => {
      const step = at + 1 < deltas.length ? collect(() => {}) : parts;
      attempt("model", () => step.add_delta(delta));
      const next = attempt("model", () => made.after(step));
      if (made !== engine) made.free();
      made = next;
    });
    return made;
  } catch (cause) {
    if (made !== engine) made.free();
    throw cause;
  }
}

function isUnanswered(cause: unknown): boolean {
  return cause instanceof SegueError && (cause.code === "freed" || (cause.code === "unreachable" && cause.status === undefined));
}

function isKept(value: unknown): value is Kept {
  const { trust, device } = fields(value);
  return typeof trust === "string" && typeof device === "string";
}
