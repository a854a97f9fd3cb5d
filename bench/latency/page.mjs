import { measure } from "./measure.mjs";

globalThis.measure = (folder, rounds) =>
  measure(async (file) => new Uint8Array(await (await fetch(`/data${folder}/${file}`)).arrayBuffer()), rounds);
