"""Pairs of a listener and a track to train on: drawn, or of the data sets.

pairs.py drawn PAIRS OUT        about PAIRS drawn ones
pairs.py lists TRAIN VALID OUT  files of lines `user item item …`
pairs.py artists PLAYS OUT      listeners and artists of 30Music's plays

OUT is a folder for `train.u32` and `valid.u32`: pairs of 32-bit numbers, by listener, each once.
"""

import sys
from pathlib import Path

import numpy as np

SEED = 1
# Listeners that are drawn at a time, so that memory stays bounded.
CHUNK = 200_000


class World:
    """Circles of tracks; a listener keeps to three of them for most of what they hear."""

    STRAY = 0.15

    def __init__(self, pairs):
        self.users, self.items = max(pairs // 25, 10), min(max(pairs // 20, 50), 1_000_000)
        self.circles = max(self.items // 200, 4)
        rng = np.random.default_rng(SEED)
        popularity = (np.arange(self.items) + 10.0) ** -0.8
        # Tracks by circle, and how far their popularities reach when laid end to end.
        circle = rng.integers(self.circles, size=self.items)
        self.order = np.argsort(circle, kind="stable")
        self.reach = np.concatenate([[0], np.cumsum(popularity[self.order])])
        self.starts = np.searchsorted(circle[self.order], np.arange(self.circles + 1))

    def draw(self, first, rng):
        """Users and items of the listeners from `first` on, sorted, each pair once."""
        users = min(CHUNK, self.users - first)
        met = np.minimum(np.exp(rng.normal(2.95, 1.0, users)) + 2, self.items / 4).astype(int)
        of = np.repeat(np.arange(users), met)
        tastes = self.popular_circle(rng, (users, 3))
        circle = tastes[of, rng.choice(3, size=len(of), p=[0.5, 0.3, 0.2])]
        low, high = self.reach[self.starts[circle]], self.reach[self.starts[circle + 1]]
        strays = rng.random(len(of)) < self.STRAY
        low, high = np.where(strays, 0, low), np.where(strays, self.reach[-1], high)
        at = np.searchsorted(self.reach, low + rng.random(len(of)) * (high - low), "right") - 1
        item = self.order[np.clip(at, 0, self.items - 1)]
        once = np.unique(of * self.items + item)
        return np.stack([first + once // self.items, once % self.items], 1).astype("<u4")

    def popular_circle(self, rng, shape):
        place = np.searchsorted(self.reach, rng.random(shape) * self.reach[-1], "right") - 1
        return np.searchsorted(self.starts, place, "right") - 1


def drawn(pairs):
    world = World(pairs)
    for chunk, first in enumerate(range(0, world.users, CHUNK)):
        yield split(world.draw(first, np.random.default_rng([SEED, chunk])))


def split(pairs):
    """Every tenth pair, drawn, is held out."""
    out = np.random.default_rng(SEED).random(len(pairs)) < 0.1
    return pairs[~out], pairs[out]


def lists(train, valid):
    numbers = {}, {}

    def read(path):
        for line in open(path, encoding="utf-8"):
            user, *items = line.split()
            for item in items:
                yield number(numbers[0], user), number(numbers[1], item)

    return [(distinct(read(train)), distinct(read(valid)))]


def artists(plays):
    numbers = {}, {}

    def read():
        rows = (line.rstrip("\n").split("\t") for line in open(plays, encoding="utf-8"))
        columns = next(rows)
        user, artist = columns.index("user"), columns.index("artist")
        for row in rows:
            yield number(numbers[0], row[user]), number(numbers[1], row[artist])

    return [split(distinct(read()))]


def number(numbers, name):
    return numbers.setdefault(name, len(numbers))


def distinct(pairs):
    return np.array(sorted(set(pairs)), "<u4")


def main():
    kind, *arguments, out = sys.argv[1:]
    make = {"drawn": lambda pairs: drawn(int(pairs)), "lists": lists, "artists": artists}[kind]
    out = Path(out)
    with open(out / "train.u32", "wb") as train, open(out / "valid.u32", "wb") as valid:
        for seen, held_out in make(*arguments):
            seen.tofile(train)
            held_out.tofile(valid)


main()
