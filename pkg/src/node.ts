// What a device keeps, in a folder: for Node and whatever else has its file system.

/// <reference types="node" />

import { mkdir, open, readFile, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Kept, Store } from "./types.js";

const STATE = "kept.json";
const BLOB = /^[0-9a-f]{64}$/;

/**
 * A store in a folder, which is made where it is not there: one file a blob, and one that says what is kept, which is put
 * in the place of the one before when everything that it names is on the disk. One process at a time should write to it;
 * where two do, each reads what one of them wrote, or fetches anew.
 */
export function folderStore(folder: string): Store {
  if (typeof folder !== "string" || folder === "") {
    throw new TypeError(`folderStore() takes the path of a folder, not ${String(folder)}`);
  }
  return {
    async read(): Promise<Kept | undefined> {
      const text = await unlessAbsent(readFile(join(folder, STATE), "utf8"));
      return text === undefined ? undefined : (JSON.parse(text) as Kept);
    },

    async blob(hash: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
      return BLOB.test(hash) ? unlessAbsent(readFile(join(folder, hash))) : undefined;
    },

    async write(kept: Kept, blobs: ReadonlyMap<string, Uint8Array>): Promise<void> {
      await mkdir(folder, { recursive: true });
      for (const [hash, bytes] of blobs) await replace(join(folder, hash), bytes);
      await settle(folder);
      await replace(join(folder, STATE), JSON.stringify(kept));
      await settle(folder);
      const { here = [], via = [] } = kept.model ?? {};
      const named = new Set([...here, ...via].map(({ hash }) => hash));
      const gone = (await readdir(folder)).filter((name) => BLOB.test(name) && !named.has(name));
      await Promise.all(gone.map((name) => rm(join(folder, name), { force: true })));
    },
  };
}

async function unlessAbsent<T>(reading: Promise<T>): Promise<T | undefined> {
  return reading.catch((error: unknown) => {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  });
}

/** Puts a file in the place of one, whole and on the disk. */
async function replace(path: string, content: string | Uint8Array): Promise<void> {
  const partial = `${path}.tmp`;
  const file = await open(partial, "w");
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, path);
}

/** Makes the names in a folder durable, where a folder can be opened. */
async function settle(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}
