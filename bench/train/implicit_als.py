"""ALS of `implicit` on pairs, an epoch at a time: answers as the example `als` of segue-train does.

implicit_als.py SOLVER PAIRS DIM ALPHA REGULARIZATION SEED
"""

import sys

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix

THREADS = 2


def matrix(path):
    pairs = np.fromfile(path, "<u4").reshape(-1, 2).astype(np.int32)
    return csr_matrix((np.ones(len(pairs), np.float32), (pairs[:, 0], pairs[:, 1])))


class Turns:
    """Lets the fit go on for an epoch whenever it is asked to."""

    def __init__(self, model):
        self.model = model

    def wait(self):
        for line in sys.stdin:
            request, *folder = line.split()
            if request == "epoch":
                return
            self.model.user_factors.tofile(f"{folder[0]}/users.f32")
            self.model.item_factors.tofile(f"{folder[0]}/items.f32")
            print(flush=True)
        sys.exit()

    def after(self, _epoch, seconds, _loss=None):
        print(seconds, flush=True)
        self.wait()


def main():
    solver, pairs, dim, alpha, regularization, seed = sys.argv[1:]
    model = AlternatingLeastSquares(
        factors=int(dim),
        alpha=float(alpha),
        regularization=float(regularization),
        use_cg=solver == "cg",
        num_threads=THREADS,
        random_state=int(seed),
        iterations=1 << 30,
    )
    turns = Turns(model)
    listening = matrix(pairs)
    turns.wait()
    model.fit(listening, show_progress=False, callback=turns.after)


main()
