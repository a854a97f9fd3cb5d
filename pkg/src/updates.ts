// How a model is kept current. What that takes is loaded when it is first needed.

import { load } from "./module.js";
import type { Registry } from "./registry.js";
import { Source } from "./source.js";
import type { Deed, Device, Held } from "./sync/device.js";
import type { Following, Look } from "./sync/follow.js";
import { SegueError, attempt } from "./error.js";
import { Engine } from "../wasm/segue_wasm.js";
import type { OpenOptions, SyncStatus, Worse } from "./types.js";

export class Updates {
  readonly #registry: Registry;
  readonly #options: OpenOptions;
  #device: Promise<Device> | undefined;
  #opened: Device | undefined;
  #following: Following | undefined;
  #free = false;
  /** Hears how far an update is. */
  report: (status: SyncStatus) => void = () => {};
  /** Hears that the model in use is worse than the one before. */
  worse: (worse: Worse) => void = () => {};

  constructor(registry: Registry, options: OpenOptions) {
    this.#registry = registry;
    this.#options = options;
  }

  /** The model to start with: the one that was kept, or the one in force. Where that fails nothing is left of this. */
  async start(): Promise<Held> {
    try {
      return await (this.#options.publicKey === undefined ? this.#unsigned() : this.#verified());
    } catch (cause) {
      this.free();
      throw cause;
    }
  }

  async #unsigned(): Promise<Held> {
    const loaded = load(this.#options.wasm);
    const [manifest] = await Promise.all([this.#registry.manifest(loaded), loaded]);
    const source = new Source(this.#registry, manifest);
    const start = source.start();
    const parts = await source.fetch(start);
    source.arrived(start);
    return { engine: attempt("model", () => new Engine(parts)), source };
  }

  async #verified(): Promise<Held> {
    const device = await this.device();
    const kept = await device.kept();
    if (kept) return kept;
    return new Promise((resolve, reject) => {
      const first = async () => {
        const found = (await device.next(false))!;
        resolve(found);
        // It can be used while it is being kept.
        await device.applied(found);
      };
      device.alone(first).catch(reject);
    });
  }

  /** What keeps the model current, of which `held` is in use. */
  async device(held?: Held): Promise<Device> {
    this.#device ??= this.#open(held).catch((cause: unknown) => {
      this.#device = undefined;
      throw cause;
    });
    return this.#device;
  }

  async #open(held: Held | undefined): Promise<Device> {
    const { publicKey, device, syncWasm, wasm } = this.#options;
    const store = publicKey === undefined ? (this.#options.store ?? false) : this.#options.store;
    const report = (status: SyncStatus) => this.report(status);
    const loaded = load(wasm);
    const { Device } = await import("./sync/index.js");
    const opened = await Device.open(this.#registry, loaded, { publicKey, device, store, syncWasm, report });
    if (this.#free) {
      void opened.free();
      throw new SegueError("freed", "this Segue was freed: open another one");
    }
    if (held) opened.use(held);
    this.#opened = opened;
    // What was counted outlives the page, as far as a page that is hidden is given time.
    globalThis.document?.addEventListener("visibilitychange", this.#hidden);
    return opened;
  }

  /** Calls `look` whenever there may be another release, if that is wanted. */
  async follow(look: Look): Promise<void> {
    const { publicKey, follow = publicKey !== undefined && "EventSource" in globalThis } = this.#options;
    if (!follow) return;
    try {
      const { follow } = await import("./sync/index.js");
      if (!this.#free) this.#following = follow(new URL("updates", this.#registry.url).href, look);
    } catch (cause) {
      this.report({ state: "failed", error: cause as Error });
    }
  }

  /** Counts what the listener did, or that something failed, once there is a device to compare models. */
  count(deed: Deed): void {
    const worse = this.#opened?.count(deed);
    if (worse) this.worse(worse);
  }

  /** Keeps what came to the model in use, where anything is kept at all. */
  async keep(): Promise<void> {
    const device = await this.#device;
    await device?.alone(() => device.keep());
  }

  /** The version of the last release that was believed; 0 where none was looked for yet. */
  get seen(): number {
    return this.#opened?.seen ?? 0;
  }

  readonly #hidden = () => {
    if (document.visibilityState === "hidden") this.#opened?.remember().catch(() => {});
  };

  free(): void {
    this.#free = true;
    globalThis.document?.removeEventListener("visibilitychange", this.#hidden);
    this.#following?.stop();
    this.#registry.stop();
    void this.#opened?.free();
    this.#opened = undefined;
  }
}
