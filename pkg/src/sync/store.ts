// What a device keeps of a registry: what it believes, which model it uses, and the bytes of that.

import type { Kept, Store } from "../types.js";

const BLOBS = "blobs";
const STATE = "state";

/** A store in IndexedDB, apart from those of other registries; nothing where there is no such thing. */
export function indexedStore(registry: string): Store | undefined {
  const { indexedDB } = globalThis;
  return indexedDB ? new IndexedStore(indexedDB, registry) : undefined;
}

class IndexedStore implements Store {
  readonly #factory: IDBFactory;
  readonly #name: string;

  constructor(factory: IDBFactory, registry: string) {
    this.#factory = factory;
    this.#name = `segue ${registry}`;
  }

  read(): Promise<Kept | undefined> {
    return this.#with("readonly", (of) => of(STATE).get(STATE));
  }

  blob(hash: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#with("readonly", (of) => of(BLOBS).get(hash));
  }

  /** One transaction: after a crash it is there as a whole or not at all. */
  async write(kept: Kept, blobs: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const named = new Set([...(kept.model?.here ?? []), ...(kept.model?.via ?? [])].map(({ hash }) => hash));
    await this.#with("readwrite", (of) => {
      const held = of(BLOBS);
      const keys = held.getAllKeys();
      keys.onsuccess = () => {
        for (const key of keys.result) if (!named.has(key as string)) held.delete(key);
      };
      for (const [hash, bytes] of blobs) held.put(bytes, hash);
      return of(STATE).put(kept, STATE);
    });
  }

  async #with<T>(
    mode: IDBTransactionMode,
    action: (of: (name: string) => IDBObjectStore) => IDBRequest,
  ): Promise<T> {
    const database = await this.#open();
    try {
      return await new Promise<T>((resolve, reject) => {
        const transaction = database.transaction([BLOBS, STATE], mode, { durability: "strict" });
        const request = action((name) => transaction.objectStore(name));
        transaction.oncomplete = () => resolve(request.result as T);
        transaction.onabort = () => reject(transaction.error ?? new Error("the store gave up"));
      });
    } finally {
      database.close();
    }
  }

  #open(): Promise<IDBDatabase> {
    return new Promise((resolve, reject) => {
      const request = this.#factory.open(this.#name, 1);
      request.onupgradeneeded = () => {
        for (const name of [BLOBS, STATE]) request.result.createObjectStore(name);
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
      request.onblocked = () => reject(new Error("another tab holds an older store open"));
    });
  }
}
