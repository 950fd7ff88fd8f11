"""One measured fit in a process of its own: ``python -m benchmarks.worker JOB``, one line of JSON on standard output.

The data are in memory, the libraries imported and a small fit done before the clock starts; the gradient is judged
after it stops. A fit that outlasts its limit is ended by the system's alarm, wherever it is.
"""

from __future__ import annotations

import json
import signal
import statistics
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import memory
from benchmarks.gradient import gradient_norm
from benchmarks.peers import PEERS, Answer, Peer, Problem, Setting, as_set
from benchmarks.shapes import SHAPES, Shape, load

SMALL_FITS = 200  # a shape of a few hundred rows: the median of so many fits


@dataclass(frozen=True)
class Job:
    """What a worker is to do: a peer's name, or "read" for one plain sum over the matrix. Seconds, threads."""

    shape: str
    peer: str
    folder: str
    tol: float | None
    double: bool
    scaled: bool
    threads: int
    limit: float

    @property
    def setting(self) -> Setting:
        return Setting(self.tol, self.double, self.scaled)


@dataclass(frozen=True)
class Measured:
    """What a worker found. Bytes beyond the input; ``loss`` (mean, over all rows) for descent only; ``failed``: why."""

    seconds: float = float("nan")
    memory: int = 0
    gradient: float = float("nan")
    passes: int | None = None
    solver: str | None = None
    loss: float | None = None
    failed: str | None = None


def main() -> None:
    """Do the job that the first argument describes."""
    warnings.simplefilter("ignore")  # a solver that warns is judged by its gradient like the others
    job = Job(**json.loads(sys.argv[1]))
    try:
        measured = work(job)
    except Exception as error:  # a peer's failure is a result, and belongs in the table
        traceback.print_exc()
        measured = Measured(failed=f"{type(error).__name__}: {error}"[:200])
    print(json.dumps(asdict(measured)))


def work(job: Job) -> Measured:
    """Load, warm up, time, judge."""
    shape, folder = SHAPES[job.shape], Path(job.folder)
    if job.peer == "read":
        return Measured(seconds=plain_read(shape, folder, job.threads))
    if shape.kind == "sgd":
        from benchmarks.descent import descend

        return Measured(**descend(job.peer, *load(shape, folder), clock=lambda run: clocked(run, job.limit)))
    (peer,) = (peer for peer in PEERS if peer.name == job.peer)
    if shape.kind in ("frame", "file"):
        return _table(shape, folder, peer, job)
    return _arrays(shape, folder, peer, job)


def clocked(run: Callable[[], Any], limit: float) -> tuple[Any, float, int]:
    """What ``run`` gives, its seconds, and the bytes it took beyond what was resident before."""
    before = memory.resident()
    memory.restart_highest()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, limit)
    began = time.perf_counter()
    found = run()
    seconds = time.perf_counter() - began
    signal.setitimer(signal.ITIMER_REAL, 0)
    return found, seconds, max(0, memory.highest() - before)


def plain_read(shape: Shape, folder: Path, threads: int) -> float:
    """Seconds of one sum over the matrix with all threads: PyTorch's, or where it is missing NumPy's in threads."""
    X, _ = load(shape, folder)
    values = X.data if shape.kind == "sparse" else X
    try:
        import torch

        torch.set_num_threads(threads)
        tensor = torch.from_numpy(values)
        read: Callable[[], Any] = tensor.sum
    except ImportError:
        parts, pool = np.array_split(values, threads), ThreadPoolExecutor(threads)

        def read() -> Any:
            return list(pool.map(np.sum, parts))

    return statistics.median(clocked(read, 60)[1] for _ in range(11))


def _arrays(shape: Shape, folder: Path, peer: Peer, job: Job) -> Measured:
    X, y = load(shape, folder)
    warm = _warm_up(X, job.threads)
    as_set(peer.fit, peer.prepare(warm), warm, Setting())
    problem = Problem(X, y, shape.l2, job.threads)
    prepared = peer.prepare(problem)

    def fit() -> Answer:
        return as_set(peer.fit, prepared, problem, job.setting)

    if shape.kind == "small":
        runs = [clocked(fit, job.limit) for _ in range(SMALL_FITS)]
        answer, seconds, taken = runs[-1][0], statistics.median(run[1] for run in runs), max(run[2] for run in runs)
    else:
        answer, seconds, taken = clocked(fit, job.limit)
    judged = gradient_norm(X, y, answer.coef, answer.intercept, shape.l2)
    return Measured(seconds, taken, judged, answer.passes, answer.solver)


def _warm_up(X: Any, threads: int) -> Problem:
    """A problem of the same kind and type, of 500 rows and 4 columns."""
    random = np.random.default_rng(0)
    small = random.standard_normal((500, 4)).astype(X.dtype)
    y = (random.random(500) < 0.5).astype(np.float64)
    return Problem(small if isinstance(X, np.ndarray) else type(X)(small), y, 1e-3, threads)


def _table(shape: Shape, folder: Path, peer: Peer, job: Job) -> Measured:
    import pandas as pd

    from benchmarks.table_peers import fit_table
    from benchmarks.tables import QUESTIONS, dummies, in_order

    question = QUESTIONS[shape.variant]
    path = folder / "table.parquet"
    frame = pd.read_parquet(path)
    first = folder / "first.parquet"
    if not first.exists():
        # Every level is in it, with both outcomes: the first rows of each.
        parts = [frame.groupby([name, question.outcome], observed=True).head(50) for name in question.categories]
        # Written several times over: where rows repeat passline groups them, and its DuckDB is to be imported too.
        pd.concat(parts * 8).sample(frac=1, random_state=0).to_parquet(first, index=False)
    in_hand = shape.kind == "frame"
    fit_table(peer, pd.read_parquet(first) if in_hand else first, question, Setting(), job.threads)
    if not in_hand:
        del frame
    data = frame if in_hand else path
    answer, seconds, taken = clocked(lambda: fit_table(peer, data, question, job.setting, job.threads), job.limit)
    whole = pd.read_parquet(path)
    X, y, names = dummies(whole, question)
    coef, intercept = answer.coef, answer.intercept
    if answer.names is not None:
        coef, intercept = in_order(coef, intercept, answer.names, names, frame=whole, question=question)
    return Measured(seconds, taken, gradient_norm(X, y, coef, intercept, 0.0), answer.passes, answer.solver)


if __name__ == "__main__":
    main()
