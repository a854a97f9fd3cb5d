"""faiss and NumPy, one thread, as a process that takes its turn when it is told to.

peers.py CONTENDER FOLDER DIM PLACES

Answers as the example `scan` of segue-core does.
"""

import json
import sys
import time

import numpy as np


def numpy_scan(catalogue, places):
    factors = catalogue.factors

    def top(taste):
        scores = factors @ taste
        best = np.argpartition(scores, -places)[-places:]
        return best[np.argsort(-scores[best])]

    return top


def faiss_scan(index, rows, places, query=lambda taste: taste):
    import faiss

    faiss.omp_set_num_threads(1)
    if not index.is_trained:
        index.train(rows)
    index.add(rows)
    return lambda taste: index.search(query(taste)[None], places)[1][0]


def quantised(kind, dim):
    import faiss

    kind = getattr(faiss.ScalarQuantizer, kind)
    return faiss.IndexScalarQuantizer(dim, kind, faiss.METRIC_INNER_PRODUCT)


def flat(catalogue, places):
    import faiss

    return faiss_scan(faiss.IndexFlatIP(catalogue.dim), catalogue.factors, places)


def sq8(catalogue, places):
    return faiss_scan(quantised("QT_8bit", catalogue.dim), catalogue.factors, places)


def codes(catalogue, places):
    """The very codes that Segue has, which faiss multiplies by a query that it rounds to 8 bits too."""

    def query(taste):
        scaled = taste * catalogue.steps
        return scaled * (127 / np.abs(scaled).max())

    index = quantised("QT_8bit_direct_signed", catalogue.dim)
    return faiss_scan(index, catalogue.codes, places, query)


CONTENDERS = {"numpy": numpy_scan, "faiss-flat": flat, "faiss-sq8": sq8, "faiss-codes": codes}


class Catalogue:
    def __init__(self, folder, dim):
        self.folder, self.dim = folder, dim
        self.steps = self.read("steps.f32", np.float32)

    def read(self, name, kind):
        return np.fromfile(f"{self.folder}/{name}", kind)

    @property
    def factors(self):
        return self.read("factors.f32", np.float32).reshape(-1, self.dim)

    @property
    def codes(self):
        return self.read("codes.i8", np.int8).reshape(-1, self.dim).astype(np.float32)

    @property
    def tastes(self):
        return self.read("tastes.f32", np.float32).reshape(-1, self.dim)


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
    name, folder, dim, places = sys.argv[1:]
    catalogue = Catalogue(folder, int(dim))
    tastes = catalogue.tastes
    top = CONTENDERS[name](catalogue, int(places))
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
