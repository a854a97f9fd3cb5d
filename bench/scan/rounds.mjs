// Rounds in which every contender has its turn, each round in another order.

import { mean, median, rotated } from "../lib/stats.mjs";

/**
 * Lets each of `players` ({ id, host }) take a turn in each of so many `rounds`: `ms` for each of
 * `listeners`. Returns id → figures in milliseconds. `min` takes for each listener the best round,
 * and the mean over listeners; `median` is of the rounds' means.
 */
export async function play(players, { rounds, ms, listeners, warmUp }) {
  const everyone = Array.from({ length: listeners }, (_, index) => index);
  for (const { host } of players) await host.turn(warmUp / listeners, everyone);

  const times = new Map(players.map(({ id }) => [id, []]));
  for (let round = 0; round < rounds; round++) {
    // Steps that have no factor in common with the numbers they go round.
    const who = rotated(everyone, round * 5);
    for (const { id, host } of rotated(players, round * 7)) {
      const taken = await host.turn(ms, who);
      const byListener = [];
      who.forEach((listener, at) => (byListener[listener] = taken[at]));
      times.get(id).push(byListener);
    }
  }
  return new Map([...times].map(([id, rounds]) => [id, figures(rounds)]));
}

function figures(rounds) {
  const best = rounds[0].map((_, listener) => Math.min(...rounds.map((times) => times[listener])));
  return { min: mean(best), median: median(rounds.map(mean)) };
}
