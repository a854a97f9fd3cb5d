"""A trainer in a process of its own, which works when it is told to, and how its factors rank."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
PLACES = 20


class Contender:
    """`settings` are the weight of pairs against all others, the regularisation, and its power of what is known."""

    def __init__(self, name, example, folder, dim, settings, seed):
        self.name, self.dim, self.epochs = name, dim, 0
        own = [example] if name == "segue" else [sys.executable, HERE / "implicit_als.py", name]
        observed, ridge, power = settings
        loss = [1 / observed, ridge, power] if name == "segue" else [observed, ridge]
        self.process = subprocess.Popen(
            [*own, Path(folder) / "train.u32", str(dim), *map(repr, loss), str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # One level of threads: implicit's own advice.
            env=dict(os.environ, OPENBLAS_NUM_THREADS="1", RAYON_NUM_THREADS="2"),
        )

    def ask(self, request):
        print(request, file=self.process.stdin, flush=True)
        return self.process.stdout.readline()

    def epoch(self):
        """Seconds of one more epoch."""
        self.epochs += 1
        return float(self.ask("epoch"))

    def factors(self):
        with tempfile.TemporaryDirectory() as folder:
            self.ask(f"write {folder}")
            read = lambda side: np.fromfile(f"{folder}/{side}.f32", np.float32)
            return [read(side).reshape(-1, self.dim) for side in ("users", "items")]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


class Held:
    """The pairs that are held out of some listeners' training."""

    MOST = 3000

    def __init__(self, folder):
        self.seen, self.wanted = (self.read(folder, part) for part in ("train", "valid"))
        known = [user for user in self.wanted if user in self.seen]
        drawn = np.random.default_rng(1).permutation(len(known))[: self.MOST]
        self.users = np.array(sorted(known[at] for at in drawn))

    def read(self, folder, part):
        pairs = np.fromfile(f"{folder}/{part}.u32", "<u4").reshape(-1, 2)
        users, starts = np.unique(pairs[:, 0], return_index=True)
        return dict(zip(users.tolist(), np.split(pairs[:, 1], starts[1:])))

    def ndcg(self, users, items):
        """NDCG@20, in the mean over listeners, of tracks that training has, without those heard."""
        discount = 1 / np.log2(np.arange(PLACES) + 2)
        total = 0.0
        for some in np.array_split(self.users, -(-len(self.users) // 500)):
            scores = users[some] @ items.T
            for row, user in zip(scores, some.tolist()):
                row[self.seen[user]] = -np.inf
                best = np.argpartition(row, -PLACES)[-PLACES:]
                best = best[np.argsort(-row[best], kind="stable")]
                hits = np.isin(best, self.wanted[user])
                total += hits @ discount / discount[: len(self.wanted[user])].sum()
        return total / len(self.users)
