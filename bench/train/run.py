"""run.py EXAMPLE OUT FOLDER…: time to the same validation NDCG@20 of `implicit` and of Segue.

Each FOLDER holds the pairs of one set (bench/lib/pairs.py). Settings are those that rank best on the
set's validation pairs, each trainer's own; then trainers take turns, an epoch each, two threads each.
"""

import json
import statistics
import sys
from pathlib import Path

from contender import Contender, Held

NAMES = ["segue", "cg", "cholesky"]
DIMS = [64, 128]
# Weights of a pair that was met against one that was not.
WEIGHTS = [3, 10, 20, 30, 100]
# Regularisations, and the power of what is known of a row that they grow with. What is best of those that do
# moves with the weight, as they count pairs that were not met, and so is a multiple of it.
RIDGES = {
    "segue": lambda weight: [
        *((weight * of, 1) for of in (3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3)),
        *((ridge, 0) for ridge in (0.1, 0.3, 1, 3, 10)),
    ],
    "cg": lambda weight: [(ridge, 0) for ridge in (0.1, 1, 10, 30, 100)],
}
TRIED_FOR, EPOCHS, ROUNDS = 8, 20, 3
# What counts as having arrived, against the best that `implicit` reaches.
ARRIVED = 0.998


def best_settings(name, example, folder, held):
    """The best of the grid, at the lowest dimension."""

    def ndcg(settings):
        with Contender(name, example, folder, DIMS[0], settings, 0) as contender:
            for _ in range(TRIED_FOR):
                contender.epoch()
            found = held.ndcg(*contender.factors())
        print(f"  {name} {told(settings)}: {found:.4f}", file=sys.stderr)
        return found

    grid = ((weight, *ridge) for weight in WEIGHTS for ridge in RIDGES[name](weight))
    return max(grid, key=ndcg)


def told(settings):
    return ", ".join(f"{setting:.3g}" for setting in settings)


def race(example, folder, dim, settings, held):
    """Of each trainer NDCG after each epoch and the seconds of each, by round that it took part in.

    Every round starts from other first factors: these move NDCG as much as a few epochs do.
    """
    runs = {name: {"ndcg": [], "seconds": []} for name in NAMES}
    for turn in range(ROUNDS):
        # Cholesky takes ten times as long as the others: once is enough.
        names = [name for name in NAMES if turn == 0 or name != "cholesky"]
        field = [Contender(name, example, folder, dim, settings[name], turn + 1) for name in names]
        for name in names:
            runs[name]["seconds"].append([])
            runs[name]["ndcg"].append([])
        for _ in range(EPOCHS):
            for contender in field:
                run = runs[contender.name]
                run["seconds"][turn].append(contender.epoch())
                run["ndcg"][turn].append(held.ndcg(*contender.factors()))
        for contender in field:
            contender.__exit__()
    return runs


def by_epoch(run):
    """NDCG after each epoch, in the mean over rounds."""
    return [statistics.mean(rounds) for rounds in zip(*run["ndcg"])]


def arrival(run, target):
    """Epochs and seconds until NDCG is `target`; each epoch's time is the median of the rounds."""
    at = next((epoch for epoch, ndcg in enumerate(by_epoch(run), 1) if ndcg >= target), None)
    each = [statistics.median(times) for times in zip(*run["seconds"])]
    return at, sum(each[:at]) if at else None, statistics.median(each)


def report(folder, dim, settings, runs):
    peers = [name for name in NAMES if name != "segue"]
    target = ARRIVED * max(max(by_epoch(runs[name])) for name in peers)
    print(f"\n{Path(folder).name}, {dim} dimensions: to NDCG@20 {target:.4f}\n")
    print("| trainer | weight, regularisation, power | s an epoch | epochs | seconds | best NDCG@20 |")
    print("|---|---|---|---|---|---|")
    for name, run in runs.items():
        epochs, seconds, each = arrival(run, target)
        arrived = f"{epochs} | {seconds:.3f}" if epochs else "– | –"
        print(f"| {name} | {told(settings[name])} | {each:.4f} | {arrived} | {max(by_epoch(run)):.4f} |", flush=True)


def main():
    example, out, *folders = sys.argv[1:]
    results = []
    for folder in folders:
        held = Held(folder)
        settings = {name: best_settings(name, example, folder, held) for name in RIDGES}
        # The same loss, by another solver.
        settings["cholesky"] = settings["cg"]
        for dim in DIMS:
            runs = race(example, folder, dim, settings, held)
            report(folder, dim, settings, runs)
            results.append({"set": Path(folder).name, "dim": dim, "settings": settings, "runs": runs})
            Path(out).write_text(json.dumps(results))


main()
