"""Nearest-session methods beside Segue: `run.py TRAIN TEST OURS [--mask]`, where TRAIN and TEST are files of
`segue evaluate next` and OURS is what it printed of them with `--json`.

Settings are searched on a part of TRAIN held out (`sessions.hold_out`): one setting after the other along
`GRID`, at most twice round, by HR@20 + MRR@20. Prints a table, and the settings. Bytes are those of the
arrays that a method needs, times are of NumPy.
"""

import json
import sys
import time

from nearest import Rules, Sknn, Vmis, Vsknn, Vstan
from sessions import Log, figures, hold_out, read

METHODS = {
    "Markov chain": (Rules, {"steps": 1}),
    "sequential rules": (Rules, {"steps": 10, "decay": 0.6}),
    "S-KNN": (Sknn, {"k": 500, "sample": 5000}),
    "V-SKNN": (
        Vsknn,
        {"k": 500, "sample": 5000, "weighting": "div", "score": "div", "idf": 1.0},
    ),
    "VMIS-kNN": (Vmis, {"k": 500, "sample": 1000, "length": 9, "idf": 1.0}),
    "VSTAN": (
        Vstan,
        {"k": 500, "sample": 5000, "own": 2.0, "age": 1e9, "near": 5.0, "before": 1.0, "idf": 1.0},
    ),
}
# What tracks of the session count, against what the method says of them.
AGAIN = [0.0, 0.3, 1.0, 2.0]
HELD = 1500


def search(make, settings, log, asked, mask):
    """The best settings, `again` among them."""
    grid = {"again": [0.0] if mask else AGAIN}
    grid |= {name: values for name, values in make.GRID.items() if name in settings}
    if settings == {"steps": 1}:
        grid.pop("steps")

    def worth(chosen):
        again = chosen["again"]
        own = {name: value for name, value in chosen.items() if name != "again"}
        return figures(make(log, **own), log, asked, mask, again)[:2].sum()

    best = settings | {"again": grid["again"][-1] if mask else 1.0}
    most, tried = worth(best), 1
    for _ in range(2):
        before = best
        for name, values in grid.items():
            for value in values:
                if value != best[name]:
                    other = best | {name: value}
                    found, tried = worth(other), tried + 1
                    if found > most:
                        best, most = other, found
        if best == before:
            break
    return best, most, tried


def row(name, found, size, took):
    """A line of the table: HR@20, MRR@20, HR@10, NDCG@10, bytes a track, microseconds a query."""
    accuracy = " | ".join(f"{each:.4f}".lstrip("0") for each in found)
    print(f"| {name} | {accuracy} | {size:.1f} | {took:.0f} |", flush=True)


def main(train, test, ours, mask):
    sessions, tracks, queries = read(train, test)
    kept, asked = hold_out(sessions, queries, HELD, 1)
    part, whole = Log(kept, tracks), Log(sessions, tracks)
    print("| method | HR@20 | MRR@20 | HR@10 | NDCG@10 | bytes a track | µs a query |")
    print("|---|---|---|---|---|---|---|")
    with open(ours) as file:
        segue = json.load(file)
    figure = [segue[name] for name in ("p@20", "mrr@20", "hr@10", "ndcg@10")]
    row("Segue", figure, segue["bytes_per_item"], segue["p50_us"])
    chosen = {}
    for method, (make, start) in METHODS.items():
        best, most, tried = search(make, start, part, asked, mask)
        own = {name: value for name, value in best.items() if name != "again"}
        made = make(whole, **own)
        began = time.perf_counter()
        found = figures(made, whole, queries, mask, best["again"])
        took = (time.perf_counter() - began) / len(queries) * 1e6
        row(method, found, made.bytes() / tracks, took)
        chosen[method] = {"settings": best, "tried": tried, "on held-out": round(most, 4)}
    print(json.dumps(chosen))


if __name__ == "__main__":
    files = [each for each in sys.argv[1:] if each != "--mask"]
    main(*files, "--mask" in sys.argv)
