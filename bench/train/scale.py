"""scale.py EXAMPLE SEGUE FOLDER OUT SIZE…: what training takes of each SIZE, time and memory.

FOLDER has, for each SIZE, `pairs-SIZE/train.u32` (bench/lib/pairs.py) and `events-SIZE.jsonl.zst`.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

DIM, EPOCHS = 64, 4
# Of a pair that was not met, of the factors, the power of what is known of a row; the seed.
LOSS, SEED = ["0.03", "0.03", "1"], "1"


def measured(command, **options):
    """What it printed, seconds, and the gigabytes that were resident at most."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command[0]} failed")
    return printed, time.perf_counter() - start, usage.ru_maxrss / 1e6


def epochs(example, folder, size):
    pairs = folder / f"pairs-{size}" / "train.u32"
    requests = folder / "requests"
    requests.write_text("epoch\n" * EPOCHS)
    with requests.open() as asked:
        command = [example, pairs, str(DIM), *LOSS, SEED]
        printed, _, gigabytes = measured(command, stdin=asked)
    seconds = statistics.median(map(float, printed.split()))
    return {"pairs": pairs.stat().st_size // 8, "seconds": seconds, "gigabytes": gigabytes}


def whole(segue, folder, size):
    log, model = folder / f"events-{size}.jsonl.zst", folder / "model.segue"
    printed, seconds, gigabytes = measured([segue, "train", log, "--out", model, "--json"])
    events = sum(kind["events"] for kind in json.loads(printed)["responses"])
    return {"events": events, "seconds": seconds, "gigabytes": gigabytes}


def main():
    example, segue, folder, out, *sizes = sys.argv[1:]
    results = {"epochs": [], "whole": []}
    print("| what | interactions | seconds | GB at most | bytes each |\n|---|---|---|---|---|")
    for name, measure, program, count in [
        ("an epoch of ALS", epochs, example, "pairs"),
        ("segue train", whole, segue, "events"),
    ]:
        for size in sizes:
            row = measure(program, Path(folder), size)
            results["epochs" if count == "pairs" else "whole"].append(row)
            each = row["gigabytes"] * 1e9 / row[count]
            print(f"| {name} | {row[count]:,} | {row['seconds']:.3g} | {row['gigabytes']:.3f} | {each:.0f} |", flush=True)
    Path(out).write_text(json.dumps(results))


main()
