// What comes out of the module: whole numbers, and among them the bits of 32-bit floats.

/** The bits of `numbers` as real ones. */
export function reals(numbers: Uint32Array): Float32Array {
  return new Float32Array(numbers.buffer, numbers.byteOffset, numbers.length);
}

/**
 * Calls `place` with each number, the score whose bits follow it, and what comes after, as a whole number and as
 * bits of a real one, and last; `width` in all.
 */
export function placesOf<T>(
  numbers: Uint32Array,
  width: number,
  place: (number: number, score: number, more: number, real: number, last: number) => T,
): T[] {
  const scores = reals(numbers);
  const places: T[] = [];
  for (let at = 0; at < numbers.length; at += width) {
    places.push(place(numbers[at]!, scores[at + 1]!, numbers[at + 2]!, scores[at + 2]!, numbers[at + 3]! | 0));
  }
  return places;
}
