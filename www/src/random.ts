/** Yields numbers from 0 up to 1. */
export type Random = () => number;

/**
 * A generator (splitmix32) whose sequence is given by `seed` alone, so that a track looks and
 * sounds the same each time it is met.
 */
export function random(...seed: readonly number[]): Random {
  let state = seed.reduce((hash, part) => mix((hash ^ part) + 0x9e3779b9), 0x5e90e);
  return () => {
    state = (state + 0x9e3779b9) | 0;
    return mix(state) / 2 ** 32;
  };
}

/** One of `items`, which must not be empty. */
export function pick<T>(draw: Random, items: readonly T[]): T {
  return items[Math.floor(draw() * items.length)] as T;
}

/** An integer from `low` to `high`, both included. */
export function between(draw: Random, low: number, high: number): number {
  return low + Math.floor(draw() * (high - low + 1));
}

function mix(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}
