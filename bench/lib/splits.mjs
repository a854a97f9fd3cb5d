// Writes the files of `segue evaluate split` for sets that are unlike each other: `node splits.mjs DATA
// OUT`, which makes OUT/<set>.train and OUT/<set>.test, lines of `user item item …` of which a fifth of
// each listener's is held out:
//
// - `30music-artists`: listeners and artists of DATA/30music;
// - `30music-5-core`: its listeners and tracks that have five of each other at least;
// - `ml-100k`: every rating of DATA/ml-100k a yes;
// - `circles`: drawn, 15,000 listeners who keep to a few of 1,500 circles of 20 tracks.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [data, out] = process.argv.slice(2);
mkdirSync(out, { recursive: true });

// Mulberry32: the same files everywhere.
let state = 7;
const random = () => {
  state = (state + 0x6d2b79f5) | 0;
  let x = Math.imul(state ^ (state >>> 15), 1 | state);
  x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
  return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
};
const below = (bound) => Math.floor(random() * bound);

const grouped = (pairs) => {
  const listeners = new Map();
  for (const [listener, item] of pairs) {
    if (!listeners.has(listener)) listeners.set(listener, new Set());
    listeners.get(listener).add(item);
  }
  return listeners;
};

const core = (listeners, least) => {
  for (;;) {
    const plays = new Map();
    for (const items of listeners.values())
      for (const item of items) plays.set(item, (plays.get(item) ?? 0) + 1);
    let dropped = 0;
    for (const [listener, items] of listeners) {
      for (const item of [...items])
        if (plays.get(item) < least) dropped += items.delete(item) ? 1 : 0;
      if (items.size < least) {
        dropped += 1;
        listeners.delete(listener);
      }
    }
    if (dropped === 0) return listeners;
  }
};

const write = (name, listeners) => {
  const [train, test] = [[], []];
  for (const [listener, items] of listeners) {
    const order = [...items];
    for (let last = order.length - 1; last > 0; last--) {
      const pick = below(last + 1);
      [order[pick], order[last]] = [order[last], order[pick]];
    }
    const kept = order.length - Math.floor(order.length / 5);
    train.push(`${[listener, ...order.slice(0, kept)].join(" ")}\n`);
    if (kept < order.length) test.push(`${[listener, ...order.slice(kept)].join(" ")}\n`);
  }
  writeFileSync(join(out, `${name}.train`), train.join(""));
  writeFileSync(join(out, `${name}.test`), test.join(""));
};

const rows = (path) => {
  const file = join(data, path);
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8").trimEnd().split("\n").map((line) => line.split("\t"));
};

const plays = rows("30music/plays.tsv").slice(1);
if (plays.length > 0) {
  write("30music-artists", grouped(plays.map(([user, , , artist]) => [user, artist])));
  write("30music-5-core", core(grouped(plays.map(([user, , track]) => [user, track])), 5));
}
const ratings = rows("ml-100k/u.data");
if (ratings.length > 0) write("ml-100k", grouped(ratings));

const drawn = [];
for (let listener = 0; listener < 15000; listener++) {
  const circles = Array.from({ length: 2 + below(3) }, () => below(1500));
  const heard = 8 + below(17);
  for (let play = 0; play < heard; play++) {
    const circle = circles[below(circles.length)];
    drawn.push([listener, random() < 0.1 ? below(30000) : circle * 20 + below(20)]);
  }
}
write("circles", grouped(drawn));
