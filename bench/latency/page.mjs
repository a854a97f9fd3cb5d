import { measure } from "./measure.mjs";

globalThis.measure = (folder, rounds) => {
  const bytes = async (file) => {
    const response = await fetch(`/data${folder}/${file}`);
    if (!response.ok) throw new Error(`${file} answers ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  };
  return measure(bytes, rounds);
};
