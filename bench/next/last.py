"""The last item but one of each listener, the one before it, and so on, each in turn: `last.py SEGUE LISTS`; the
peers on the last one too.

LISTS has `user item item …` in order of time. Settings are chosen by Segue on what it is given; those of the
peers, EASE alone and with a Markov chain beside it, are the best of a few **on what is measured**, so that the
comparison flatters them. Items of a listener's own are masked.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import scipy.sparse as sp

PLACES = range(2, 7)
RIDGES = [50, 150, 400]
# Steps that a chain counts, and what each further one counts.
CHAINS = [1, 5]
SHARES = [0.1, 0.2, 0.3, 0.5]
# What is left of a list is no shorter.
SHORTEST = 3


def read(path):
    lines = Path(path).read_text().splitlines()
    return [[int(item) for item in line.split()[1:]] for line in lines]


def spread(scores):
    """Of unit deviation for each listener, so that two can be added."""
    return scores / (scores.std(axis=1, keepdims=True) + 1e-9)


def binary(lists, items):
    rows = np.repeat(np.arange(len(lists)), [len(items) for items in lists])
    seen = sp.csr_matrix((np.ones(len(rows)), (rows, np.concatenate(lists))), shape=(len(lists), items))
    seen.data[:] = 1
    return seen


def ease(seen, ridge):
    """Steck, "Embarrassingly Shallow Autoencoders for Sparse Data" (2019)."""
    gram = (seen.T @ seen).toarray() + ridge * np.eye(seen.shape[1])
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return seen @ weights


def chain(lists, items, steps):
    """Successors within `steps`, those before counting half, from the latest items of each list on."""
    pairs = []
    for of in lists:
        for step in range(1, steps + 1):
            for a, b in zip(of, of[step:]):
                pairs.append((a, b, 1 / step))
                if steps > 1:
                    pairs.append((b, a, 0.5 / step))
    a, b, weights = zip(*pairs)
    counts = sp.csr_matrix((weights, (a, b)), shape=(items, items))
    plays = np.asarray(binary(lists, items).sum(axis=0)).ravel() + 1
    weighted = sp.diags(plays**-0.75) @ counts @ sp.diags(plays**-0.25)
    fade = 0.8 if steps > 1 else 0.0
    rows = np.repeat(np.arange(len(lists)), [len(of) for of in lists])
    recency = np.concatenate([fade ** np.arange(len(of))[::-1] for of in lists])
    latest = sp.csr_matrix((recency, (rows, np.concatenate(lists))), shape=(len(lists), items))
    return (latest @ weighted).toarray()


def figures(scores, lists, wanted):
    """HR@10 and NDCG@10."""
    found = np.zeros(2)
    for row, of, target in zip(scores, lists, wanted):
        row = row.copy()
        row[of] = -np.inf
        rank = (row > row[target]).sum()
        if rank < 10:
            found += [1, 1 / np.log2(rank + 2)]
    return found / len(lists)


def segue(binary, lists, wanted):
    with tempfile.TemporaryDirectory() as folder:
        train, test = Path(folder, "train.txt"), Path(folder, "test.txt")
        lines = [" ".join(map(str, of)) for of in lists]
        train.write_text("".join(f"{line}\n" for line in lines))
        test.write_text("".join(f"{line}\t{target}\n" for line, target in zip(lines, wanted)))
        command = [binary, "evaluate", "next", "--mask", "--train", train, "--test", test, "--json"]
        told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return np.array([told["hr@10"], told["ndcg@10"]]), told["bytes_per_item"]


def peers(lists, wanted, items):
    """The figures of each setting of EASE alone, and with a chain beside it; by name."""
    alone, beside = {}, {}
    seen = binary(lists, items)
    chains = {steps: spread(chain(lists, items, steps)) for steps in CHAINS}
    for ridge in RIDGES:
        base = spread(ease(seen, ridge))
        alone[f"ridge {ridge}"] = figures(base, lists, wanted)
        for share in SHARES:
            for steps in CHAINS:
                mixed = (1 - share) * base + share * chains[steps]
                beside[f"ridge {ridge}, {share} of {steps} steps"] = figures(mixed, lists, wanted)
    return alone, beside


def taken(whole, place):
    """What is left of each list before so many of the last, and the item there."""
    long = [of for of in whole if len(of) - place >= SHORTEST]
    return [of[:-place] for of in long], [of[-place] for of in long]


def best(found):
    """By the mean over what is measured; named."""
    name = max(found, key=lambda name: np.sum(found[name]))
    return name, found[name]


def main(binary_of, path):
    whole = read(path)
    items = max(map(max, whole)) + 1
    ours, alone, beside = [], {}, {}
    print("place  queries  Segue HR@10  NDCG@10  bytes an item")
    for place in PLACES:
        lists, wanted = taken(whole, place)
        found, size = segue(binary_of, lists, wanted)
        ours.append(found)
        print(f"{place:>5}  {len(lists):>7}  {found[0]:>11.4f}  {found[1]:.4f}  {size:>14.1f}", flush=True)
        for to, each in zip((alone, beside), peers(lists, wanted, items)):
            for name, hits in each.items():
                to.setdefault(name, []).append(hits)
    for title, found in [("Segue", ("", ours)), ("EASE", best(alone)), ("EASE and a chain", best(beside))]:
        name, each = found
        mean = np.mean(each, axis=0)
        places = " ".join(f"{hits:.3f}/{gain:.3f}" for hits, gain in each)
        print(f"{title:<18} {mean[0]:.4f} {mean[1]:.4f}  by place {places}  {name}")
    last(whole, items)


def last(whole, items):
    for each in peers(*taken(whole, 1), items):
        for name, (hits, gain) in each.items():
            print(f"the last item, EASE, {name}: {hits:.4f} {gain:.4f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
