"""faiss and NumPy, one thread, as a process that takes its turn when it is told to.

peers.py CONTENDER FOLDER ROWS DIM PLACES

Answers as the example `scan` of segue-core does.
"""

import json
import sys
import time

import numpy as np


def numpy_scan(factors, places):
    def top(taste):
        scores = factors @ taste
        best = np.argpartition(scores, -places)[-places:]
        return best[np.argsort(-scores[best])]

    return top


def faiss_scan(index, factors, places):
    import faiss

    faiss.omp_set_num_threads(1)
    if not index.is_trained:
        index.train(factors)
    index.add(factors)
    return lambda taste: index.search(taste[None], places)[1][0]


def flat(factors, places):
    import faiss

    return faiss_scan(faiss.IndexFlatIP(factors.shape[1]), factors, places)


def sq8(factors, places):
    import faiss

    kind = faiss.ScalarQuantizer.QT_8bit
    index = faiss.IndexScalarQuantizer(factors.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
    return faiss_scan(index, factors, places)


CONTENDERS = {"numpy": numpy_scan, "faiss-flat": flat, "faiss-sq8": sq8}


def milliseconds(call, least):
    """Milliseconds a call, over as many calls as last `least`."""
    calls, more, start = 0, 1, time.perf_counter()
    while True:
        for _ in range(more):
            call()
        calls += more
        passed = (time.perf_counter() - start) * 1e3
        if passed >= least:
            return passed / calls
        more *= 2


def versions():
    import faiss

    return f"NumPy {np.__version__}, faiss {faiss.__version__} ({faiss.get_compile_options().strip()})"


def main():
    name, folder, rows, dim, places = sys.argv[1:]
    shape = (int(rows), int(dim))
    factors = np.fromfile(f"{folder}/factors.f32", np.float32).reshape(shape)
    tastes = np.fromfile(f"{folder}/tastes.f32", np.float32).reshape(-1, shape[1])
    top = CONTENDERS[name](factors, int(places))
    for line in sys.stdin:
        request, *given = line.split()
        if request == "open":
            answer = versions()
        elif request == "answers":
            answer = [[int(row) for row in top(taste)] for taste in tastes]
        else:
            least, *who = given
            answer = [milliseconds(lambda: top(tastes[int(i)]), float(least)) for i in who]
        print(json.dumps(answer), flush=True)


main()
