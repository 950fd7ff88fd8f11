"""Which runs are made: each peer's loosest setting that reaches the gradient, then those in front, in alternation."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from benchmarks.descent import DESCENTS
from benchmarks.peers import PEERS, Setting, as_it_is
from benchmarks.shapes import SHAPES, Shape, size
from benchmarks.worker import Job, Measured

REACHED = 1e-8
TOLERANCES = (None, 1e-6, 1e-8, 1e-10, 1e-12)
NEAR = 2.0  # a peer that needs more than so many times the fastest peer's time cannot be the fastest
PATIENCE = 15.0  # ... and after so many times it is ended
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Plan:
    """Seconds a run may take at most, runs in alternation (for short fits two more), threads of everybody."""

    limit: float
    runs: int
    threads: int


@dataclass(frozen=True)
class Contest:
    """One peer on one shape: its first try with its own defaults, the setting that counts, and the runs with it."""

    peer: str
    default: Measured | None
    setting: Setting
    runs: tuple[Measured, ...]

    @property
    def failed(self) -> str | None:
        """Why there is no time, if there is none."""
        return self.runs[-1].failed

    @property
    def seconds(self) -> float:
        return statistics.median(run.seconds for run in self.runs)

    @property
    def gradient(self) -> float:
        return max(run.gradient for run in self.runs)

    @property
    def memory(self) -> int:
        return max(run.memory for run in self.runs)

    @property
    def reached(self) -> bool:
        return not self.failed and self.gradient <= REACHED


def installed(peer: str) -> bool:
    """Whether the library of a peer can be imported here."""
    library = {one.name: one.library for one in PEERS} | {"torch-loop": "torch", "sk-sgd": "sklearn"}
    return importlib.util.find_spec(library[peer]) is not None


def contenders(shape: Shape, scale: float) -> list[str]:
    """Everybody who can do a shape, installed or not; passline first, and then the ones that are usually fast."""
    if shape.kind == "sgd":
        return list(DESCENTS)
    columns = size(shape, scale)[1]
    return [peer.name for peer in PEERS if shape.kind in peer.kinds and columns <= peer.columns]


def measure(shape: Shape, peers: list[str], folder: Path, plan: Plan, tell: Callable[[str], None]) -> list[Contest]:
    """All contests on a shape, whose data lie in a folder already."""
    contests: list[Contest] = []
    fastest = float("inf")
    for peer in peers:
        patient = fastest == float("inf") or peer in shape.targets
        limit = plan.limit if patient else min(plan.limit, max(5.0, PATIENCE * fastest))
        contest = search(Job(shape.name, peer, str(folder), None, False, False, plan.threads, limit), tell)
        contests.append(contest)
        if contest.reached and peer != "passline":
            fastest = min(fastest, contest.seconds)
    # passline and those named in the target always; of the others those near the front: the rest keep their one run.
    always = {"passline", *shape.targets}
    again = [
        one
        for one in contests
        if not one.failed and (one.peer in always or (one.reached and one.seconds <= NEAR * fastest))
    ]
    count = plan.runs + 2 * (min((contest.seconds for contest in again), default=9) < 2)
    done: dict[str, list[Measured]] = {contest.peer: [] for contest in again}
    for _ in range(count):
        for contest in again:
            setting = asdict(contest.setting)
            done[contest.peer].append(
                run(Job(shape.name, contest.peer, str(folder), **setting, threads=plan.threads, limit=plan.limit))
            )
    for contest in again:
        tell(f"  {contest.peer}: " + ", ".join(f"{measured.seconds:.4g} s" for measured in done[contest.peer]))
    return [replace(one, runs=tuple(done[one.peer])) if done.get(one.peer) else one for one in contests]


def search(job: Job, tell: Callable[[str], None]) -> Contest:
    """Try settings from the loosest on until the gradient is reached; else keep the one that came nearest."""
    tried: list[tuple[Setting, Measured]] = []
    default: Measured | None = None
    for family in _families(job):
        before = float("inf")
        for setting in family:
            measured = run(replace(job, **asdict(setting)))
            tell(f"  {job.peer} ({setting}): {_in_words(measured)}")
            tried.append((setting, measured))
            default = measured if setting == Setting() else default
            if measured.failed or measured.gradient <= REACHED or SHAPES[job.shape].kind == "sgd":
                break
            # A tighter tolerance that helps no more has met another limit; the first step is from defaults to 1e-6.
            if setting.tol is not None and not measured.gradient < before / 2:
                break
            before = measured.gradient
        if tried[-1][1].gradient <= REACHED or _settled(job, tried[-1][1]):
            break
    ends = [one for one in tried if not one[1].failed] or tried
    best = min(ends, key=lambda one: one[1].gradient if one[1].gradient == one[1].gradient else float("inf"))
    return Contest(job.peer, default, best[0], (best[1],))


def run(job: Job) -> Measured:
    """One fit in a fresh process; ended by its limit, or by three minutes of loading and judging beyond it."""
    threads = {f"{pool}_NUM_THREADS": str(job.threads) for pool in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")}
    command = [sys.executable, "-m", "benchmarks.worker", json.dumps(asdict(job))]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | threads,
            capture_output=True,
            text=True,
            timeout=job.limit + 180,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Measured(failed=f"> {job.limit:.3g} s")
    if done.returncode == -signal.SIGALRM:
        return Measured(failed=f"> {job.limit:.3g} s")
    if done.returncode:
        return Measured(failed=f"ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:]}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def _settled(job: Job, last: Measured) -> bool:
    """Whether other columns are not worth a try.

    passline has to do with those given, an own format is made beforehand, and who was too slow is slower with a copy
    more, unless it is the scales that slow it.
    """
    own = any(peer.name == job.peer and peer.prepare is not as_it_is for peer in PEERS)
    slow = bool(last.failed) and SHAPES[job.shape].variant != "scales"
    return job.peer == "passline" or own or slow


def _families(job: Job) -> Iterator[list[Setting]]:
    """As given; then, where that did not do, in float64; then with standardised columns, if no penalty forbids it."""
    shape = SHAPES[job.shape]
    yield [Setting(tol) for tol in TOLERANCES]
    if shape.variant == "float32":
        yield [Setting(tol, double=True) for tol in TOLERANCES[1:]]
    if shape.kind == "dense" and not shape.l2:
        yield [Setting(tol, shape.variant == "float32", scaled=True) for tol in TOLERANCES[1:]]


def _in_words(measured: Measured) -> str:
    if measured.failed:
        return measured.failed
    judged = f"gradient {measured.gradient:.1e}" if measured.loss is None else f"mean loss {measured.loss:.5f}"
    return f"{measured.seconds:.4g} s, {judged}, {measured.memory / 1e6:.0f} MB"
