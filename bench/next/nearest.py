"""Nearest-session recommenders and sequential rules, after their papers.

Each is made of a `Log` and settings, and called with the tracks of a session so far, the last one last;
it returns tracks, each once, and their scores. `GRID` names the settings that are searched.
"""

import numpy as np


def by_track(tracks, weights):
    """The sum of the weights of each track."""
    found, at = np.unique(tracks, return_inverse=True)
    return found, np.bincount(at, weights, len(found))


class Rules:
    """Sequential rules (Ludewig and Jannach 2018): what followed a track within `steps`, the g-th counting
    1/g; `steps` of 1 is a Markov chain of the first order. Of the tracks of a session the last one counts,
    and with `decay` the ones before it too, each so many times the one after it."""

    GRID = {"steps": [2, 5, 10, 20], "decay": [0.0, 0.3, 0.6, 0.8]}

    def __init__(self, log, steps, decay=0.0):
        self.decay = decay
        pairs, plays = [], log.plays
        session = np.repeat(np.arange(len(plays)), plays.lengths())
        for gap in range(1, steps + 1):
            same = session[gap:] == session[:-gap]
            x, y = plays.of[:-gap][same], plays.of[gap:][same]
            pairs.append((x * log.tracks + y, np.full(len(x), 1 / gap)))
        keys, self.weights = by_track(*(np.concatenate(each) for each in zip(*pairs)))
        self.after = keys % log.tracks
        self.starts = np.searchsorted(keys // log.tracks, np.arange(log.tracks + 1))

    def bytes(self):
        """4 for each rule and 4 for its weight, and 4 for each track."""
        return 8 * len(self.after) + 4 * len(self.starts)

    def __call__(self, before):
        found, weights, share = [], [], 1.0
        for track in before[::-1]:
            own = slice(self.starts[track], self.starts[track + 1])
            found.append(self.after[own])
            weights.append(self.weights[own] * share)
            share *= self.decay
            if share < 1e-3:
                break
        return by_track(np.concatenate(found), np.concatenate(weights))


class Nearest:
    """What the nearest-session methods share: sessions that have a track of this one, at most the `sample`
    latest, of which the `k` most similar vote for their tracks."""

    def __init__(self, log, k, sample):
        self.log, self.k, self.sample = log, k, sample

    def bytes(self):
        """Both directions of what is in which session, 4 a play each, and where their lists start."""
        return 8 * len(self.log.items.of) + 4 * (self.log.tracks + len(self.log.items))

    def latest(self, rows, sums, *others):
        if len(rows) > self.sample:
            # Sessions are in order of time.
            rows, sums, *others = (each[-self.sample :] for each in (rows, sums, *others))
        return rows, sums, *others

    def nearest(self, similarity):
        if len(similarity) > self.k:
            return np.argpartition(-similarity, self.k)[: self.k]
        return np.arange(len(similarity))

    def matches(self, before):
        """The tracks of a session, each once where it was last, how far back (1 is the last), the sessions
        that have them, and for each of these which of the tracks it is."""
        back = {}
        for step, track in enumerate(before[::-1], 1):
            back.setdefault(track, step)
        tracks, steps = np.array(list(back)), np.array(list(back.values()))
        owners, whose = self.log.holders.of_all(tracks)
        return tracks, steps, owners, whose

    def votes(self, rows, strengths):
        tracks, whose = self.log.items.of_all(rows)
        return by_track(tracks, strengths[whose])


class Sknn(Nearest):
    """S-KNN: cosine of binary sessions."""

    GRID = {"k": [100, 200, 500, 1500], "sample": [500, 1000, 5000, 20000]}

    def __call__(self, before):
        _, steps, owners, _ = self.matches(before)
        rows, shared = np.unique(owners, return_counts=True)
        rows, shared = self.latest(rows, shared)
        similarity = shared / np.sqrt(len(steps) * self.log.lengths[rows])
        near = self.nearest(similarity)
        return self.votes(rows[near], similarity[near])


def decay(form, steps, length):
    """What a track so many steps back counts, of a session of this length."""
    return {
        "same": lambda: np.ones(len(steps)),
        "linear": lambda: np.maximum(1 - 0.1 * (steps - 1), 0.0),
        "share": lambda: (length - steps + 1) / length,
        "div": lambda: 1 / steps,
        "log": lambda: 1 / np.log10(steps + 1.7),
        "quadratic": lambda: 1 / steps**2,
    }[form]()


DECAYS = ["linear", "share", "div", "log", "quadratic"]


class Vsknn(Nearest):
    """V-SKNN (Ludewig and Jannach 2018): later tracks of this session count for more in the similarity and in
    what a neighbour's vote counts, and rare tracks for more."""

    GRID = {
        "k": [100, 200, 500, 1500],
        "sample": [1000, 5000, 20000],
        "weighting": DECAYS,
        "score": ["same"] + DECAYS,
        "idf": [0.0, 1.0, 5.0, 10.0],
    }

    def __init__(self, log, k, sample, weighting, score, idf):
        super().__init__(log, k, sample)
        self.weighting, self.score, self.idf = weighting, score, idf

    def __call__(self, before):
        _, steps, owners, whose = self.matches(before)
        weights = decay(self.weighting, steps, len(before))
        rows, at = np.unique(owners, return_inverse=True)
        similarity = np.bincount(at, weights[whose], len(rows))
        least = np.full(len(rows), len(before) + 1)
        np.minimum.at(least, at, steps[whose])
        rows, similarity, least = self.latest(rows, similarity, least)
        near = self.nearest(similarity)
        counts = decay(self.score, least[near], len(before))
        tracks, scores = self.votes(rows[near], similarity[near] * counts)
        return tracks, scores * (1 + self.idf * self.log.idf[tracks])


class Vmis(Nearest):
    """VMIS-kNN (Kersbergen, Sprangers and Schelter 2022, Serenade): V-SKNN over an index that keeps the
    `sample` latest sessions of each track; votes count by the last track shared, and idf outright."""

    GRID = {
        "k": [50, 100, 500, 1500],
        "sample": [100, 500, 1000, 2500, 5000],
        "length": [2, 4, 9, 50],
        "idf": [0.0, 0.5, 1.0],
    }

    def __init__(self, log, k, sample, length, idf):
        super().__init__(log, k, sample)
        self.length, self.power = length, idf

    def bytes(self):
        """The index as it is kept: 4 for each session of a track, at most the latest `sample`, and the
        sessions themselves."""
        kept = np.minimum(self.log.popularity, self.sample).sum()
        return 4 * (kept + len(self.log.items.of)) + 4 * (self.log.tracks + len(self.log.items))

    def __call__(self, before):
        before = before[-self.length :]
        tracks, steps, owners, whose = self.matches(before)
        held = self.log.popularity[tracks]
        rank = held[whose] - (np.arange(len(owners)) - (np.cumsum(held) - held)[whose])
        recent = rank <= self.sample
        owners, whose = owners[recent], whose[recent]
        weights = decay("share", steps, len(before))
        rows, at = np.unique(owners, return_inverse=True)
        similarity = np.bincount(at, weights[whose], len(rows))
        least = np.full(len(rows), len(before) + 1)
        np.minimum.at(least, at, steps[whose])
        rows, similarity, least = self.latest(rows, similarity, least)
        near = self.nearest(similarity)
        counts = decay("linear", least[near], len(before))
        found, scores = self.votes(rows[near], similarity[near] * counts)
        return found, scores * self.log.idf[found] ** self.power


class Vstan(Nearest):
    """STAN (Garg et al. 2019) and VSTAN (Ludewig et al. 2021): cosine of sessions in which tracks count by
    exp(−steps back / `own`), times exp(−age / `age`), ages as a share of all sessions; a neighbour's
    track counts by exp(−distance from the last track shared / `near`), with idf."""

    GRID = {
        "k": [100, 200, 500, 1500],
        "sample": [1000, 5000, 20000],
        "own": [0.5, 1.0, 2.0, 4.0, 1e9],
        "age": [0.05, 0.2, 1.0, 1e9],
        "near": [0.5, 1.0, 2.0, 5.0, 20.0, 1e9],
        "before": [0.0, 0.3, 1.0],
        "idf": [0.0, 1.0, 5.0],
    }

    def __init__(self, log, k, sample, own, age, near, before, idf):
        super().__init__(log, k, sample)
        self.own, self.age, self.near = own, age, near
        self.before, self.idf = before, idf

    def __call__(self, before):
        tracks, steps, owners, whose = self.matches(before)
        places = self.holder_places(tracks)
        weights = np.exp(-(steps - 1) / self.own)
        order = np.lexsort((steps[whose], owners))
        owners, whose, places = owners[order], whose[order], places[order]
        first = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]])
        rows = owners[first]
        similarity = np.add.reduceat(weights[whose], first)
        # Where the last track shared is.
        anchor = places[first]
        log = self.log
        similarity /= np.sqrt(log.lengths[rows] * len(steps))
        rows, similarity, anchor = self.latest(rows, similarity, anchor)
        if self.age < 1e8:
            similarity = similarity * np.exp(-(1 - rows / len(log.items)) / self.age)
        near = self.nearest(similarity)
        found, whose = log.items.of_all(rows[near])
        places, _ = log.places.of_all(rows[near])
        distance = places - anchor[near][whose]
        weights = np.exp(-np.abs(distance) / self.near) * np.where(distance < 0, self.before, 1.0)
        found, scores = by_track(found, similarity[near][whose] * weights)
        return found, scores * (1 + self.idf * log.idf[found])

    def holder_places(self, tracks):
        """Where the tracks are in the sessions that have them."""
        holders = self.log.holders
        return np.concatenate(
            [self.log.held_at[holders.starts[x] : holders.starts[x + 1]] for x in tracks]
        )
