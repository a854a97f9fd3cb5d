"""Sessions as arrays, and the figures of the next track."""

import numpy as np

FIRST = 20


class Rows:
    """Lists of integers, one after the other: the list of `row` is `of[starts[row]:starts[row + 1]]`."""

    def __init__(self, lists):
        self.starts = np.zeros(len(lists) + 1, np.int64)
        np.cumsum([len(each) for each in lists], out=self.starts[1:])
        self.of = np.fromiter((x for each in lists for x in each), np.int64, self.starts[-1])

    def __getitem__(self, row):
        return self.of[self.starts[row] : self.starts[row + 1]]

    def __len__(self):
        return len(self.starts) - 1

    def lengths(self):
        return np.diff(self.starts)

    def of_all(self, rows):
        """The lists of `rows` in one, and for each entry which of `rows` it is of."""
        starts, lengths = self.starts[rows], self.starts[rows + 1] - self.starts[rows]
        whose = np.repeat(np.arange(len(rows)), lengths)
        first = np.cumsum(lengths) - lengths
        return self.of[starts[whose] + np.arange(lengths.sum()) - first[whose]], whose


class Log:
    """Sessions in order of time, the last one last: what follows, and which tracks are in which."""

    def __init__(self, sessions, tracks):
        self.tracks, self.plays = tracks, Rows(sessions)
        # Each track once, where it was last played.
        last = [{track: place for place, track in enumerate(each)} for each in sessions]
        self.items, self.places = Rows([list(x) for x in last]), Rows([list(x.values()) for x in last])
        self.lengths = self.items.lengths()
        owner = np.repeat(np.arange(len(sessions)), self.lengths)
        order = np.argsort(self.items.of, kind="stable")
        self.holders = Rows([[]] * tracks)
        self.popularity = np.bincount(self.items.of, minlength=tracks)
        self.holders.starts = np.concatenate([[0], np.cumsum(self.popularity)])
        self.holders.of = owner[order]
        # Where the track is in the session, in the order of `holders`.
        self.held_at = self.places.of[order]
        self.idf = np.log(max(len(sessions), 1) / np.maximum(self.popularity, 1))
        self.most_played = np.argsort(-self.popularity, kind="stable")[: 4 * FIRST]


def read(train, test):
    """Sessions and queries, numbered; −1 is a track that no session of `train` has."""
    numbers = {}
    with open(train) as lines:
        sessions = [[numbers.setdefault(x, len(numbers)) for x in line.split()] for line in lines]
    with open(test) as lines:
        parts = [line.rstrip("\n").split("\t") for line in lines]
    queries = [
        ([numbers[x] for x in before.split() if x in numbers], numbers.get(after, -1))
        for before, after in parts
    ]
    return sessions, len(numbers), queries


def hold_out(sessions, queries, most, seed):
    """What is left of `sessions`, and queries on what is not, asked for as `queries` are: the last track of
    each where these go on from sessions of the training file, else the last tenth of all sessions."""
    whole = {tuple(each) for each in sessions}
    rng = np.random.default_rng(seed)
    if 2 * sum(tuple(before) in whole for before, _ in queries) > len(queries):
        kept = [each[:-1] if len(each) > 1 else each for each in sessions]
        asked = [(each[:-1], each[-1]) for each in sessions if len(each) > 1]
    else:
        end = len(sessions) - max(len(sessions) // 10, 1)
        kept = sessions[:end]
        asked = [(each[:at], each[at]) for each in sessions[end:] for at in range(1, len(each))]
    chosen = rng.permutation(len(asked))[:most]
    present = {track for each in kept for track in each}
    asked = [asked[at] for at in sorted(chosen)]
    return kept, [
        ([track for track in before if track in present], after if after in present else -1)
        for before, after in asked
    ]


def figures(method, log, queries, mask, again=1.0):
    """HR@20, MRR@20, HR@10 and NDCG@10 of what `method` says for each query: tracks, each once, and
    scores. What it leaves empty is filled with the most played. Tracks of the session count `again`
    times, and with `mask` not at all."""
    total = np.zeros(4)
    for before, after in queries:
        found, scores = method(before) if before else (np.zeros(0, np.int64), np.zeros(0))
        heard = np.isin(found, before)
        scores = np.where(heard, scores * again, scores)
        keep = (scores > 0) & ~(heard & mask)
        found, scores = found[keep], scores[keep]
        if len(found) > FIRST:
            best = np.argpartition(-scores, FIRST)[:FIRST]
            found, scores = found[best], scores[best]
        found = list(found[np.lexsort((found, -scores))])
        if len(found) < FIRST:
            have = set(found) | (set(before) if mask else set())
            found += [track for track in log.most_played if track not in have]
        found = found[:FIRST]
        if after in found:
            place = found.index(after)
            total += [1, 1 / (place + 1), place < 10, (place < 10) / np.log2(place + 2)]
    return total / max(len(queries), 1)
