import { open } from "./session.mjs";

globalThis.session = {
  open: (name, folder) => {
    const bytes = async (file) =>
      new Uint8Array(await (await fetch(`/data${folder}/${file}`)).arrayBuffer());
    return open(name, bytes);
  },
  /** What the page's own agent uses, after a collection, in bytes. */
  async used() {
    const { bytes } = await performance.measureUserAgentSpecificMemory();
    return bytes;
  },
};
