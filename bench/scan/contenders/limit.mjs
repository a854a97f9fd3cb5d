// No contender: the time in which WebAssembly reads as many bytes as the table of codes has.

export async function open({ asset, rows, dim }) {
  const { instance } = await WebAssembly.instantiate(await asset("vendor/limit.wasm"));
  const { memory, sum } = instance.exports;
  const length = rows * dim;
  memory.grow(Math.ceil(length / 65536));
  // Pages that nothing was ever written to would all be the same one.
  new Uint8Array(memory.buffer).fill(1);
  return { call: () => sum(length) };
}
