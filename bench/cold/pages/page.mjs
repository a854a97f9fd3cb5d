// What every page has in itself, and how it says that it has ranked.

const given = JSON.parse(document.querySelector("#given").textContent);

/** The ids to rank, what the listener did, and the same as a vector for those who cannot tell. */
export const { candidates, events, taste, places } = given;

/** `queue` is the first ranking, ids best first. Times are counted from the start of navigation. */
export function ranked(queue) {
  globalThis.ranked = { ms: performance.now(), queue: Array.from(queue) };
}

export async function bytes(path) {
  const response = await fetch(path);
  return response.arrayBuffer();
}

/** Factors by row, and a map from id to row. */
export async function table() {
  const [factors, ids] = await Promise.all([bytes("/factors.f32"), bytes("/ids.json")]);
  const names = JSON.parse(new TextDecoder().decode(ids));
  return { factors: new Float32Array(factors), rowOf: new Map(names.map((id, row) => [id, row])) };
}
