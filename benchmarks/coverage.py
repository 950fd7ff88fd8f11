"""Measure how often each interval that passline offers holds the truth; writes the tables of docs/coverage.md.

    python benchmarks/coverage.py [--samples 2000] [--workers 2] [--keep counts.jsonl] [--write docs/coverage.md]

With --keep, what was counted is kept in a file as it comes, and a later run takes it up from there. Every sample is
drawn from a known model with a seed of its own, so a cell can be drawn again. Every sample counts: one that is
separated, and one whose outcome is all alike, has no Wald interval, and that is counted as not covering.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # samples are small: two processes do better than two threads
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import math
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import passline
from passline.errors import OneClassError
from passline.inference.firth_profile import firth_profile_ends
from passline.inference.profile import profile_of
from passline.inference.wald import normal_quantile

SEED = 20_240_503
LEVEL = 0.95
# Slopes of the predictors, independent standard normals; the first is the one that is asked about.
SLOPES = (1.0, 0.5, -0.5)
# The probability whose boundary is asked for, and the value of the first predictor at which one predicts.
PROBABILITY, PLACE = 0.5, 1.0
# An interval holds where its coverage is within a point of nominal, or within three Monte-Carlo errors.
CLOSE, ERRORS = 0.01, 3.0

# Samples of a cell that a process takes at once.
AT_ONCE = 50

Piece = tuple[float, float]


@dataclass(frozen=True)
class Cell:
    """One design: rows, predictors, and failures for each success."""

    rows: int
    predictors: int
    odds: int  # 1 for balanced, 20 for 1:20

    @property
    def slopes(self) -> np.ndarray:
        return np.array(SLOPES[: self.predictors])

    @property
    def intercept(self) -> float:
        """The intercept at which the mean probability is 1 / (1 + odds), by Gauss-Hermite quadrature and halving."""
        x, weight = np.polynomial.hermite_e.hermegauss(60)
        spread = float(np.linalg.norm(self.slopes))
        low, high = -20.0, 20.0
        for _ in range(80):
            middle = (low + high) / 2
            mean = float(weight @ (1 / (1 + np.exp(-(middle + spread * x)))) / weight.sum())
            low, high = (middle, high) if mean < 1 / (1 + self.odds) else (low, middle)
        return 0.0 if self.odds == 1 else (low + high) / 2

    def __str__(self) -> str:
        balance = "balanced" if self.odds == 1 else f"1:{self.odds}"
        return f"{self.rows} rows, {self.predictors} predictor{'s' * (self.predictors > 1)}, {balance}"


CELLS = tuple(
    Cell(rows, predictors, odds)
    for odds in (1, 20)
    for rows in (15, 50, 500)
    for predictors in (1, 3)
    if odds == 1 or rows >= 100
)


class Sample:
    """One sample from a cell, with its fits made once, when a method first asks for one."""

    def __init__(self, cell: Cell, index: int) -> None:
        rng = np.random.default_rng([SEED, cell.rows, cell.predictors, cell.odds, index])
        X = rng.normal(size=(cell.rows, cell.predictors))
        p = 1 / (1 + np.exp(-(cell.intercept + X @ cell.slopes)))
        self.names = [f"x{j + 1}" for j in range(cell.predictors)]
        self.table = dict(zip(self.names, X.T, strict=True)) | {"y": (rng.random(cell.rows) < p).astype(float)}
        self.others = dict.fromkeys(self.names[1:], 0.0)
        self._fits: dict[tuple[tuple[str, str], ...], passline.Fit] = {}

    def fit(self, **options: str) -> passline.Fit:
        key = tuple(sorted(options.items()))
        if key not in self._fits:
            self._fits[key] = passline.fit("y ~ " + " + ".join(self.names), self.table, level=LEVEL, **options)
        return self._fits[key]

    def term(self, **options: str) -> tuple[Piece, ...]:
        """The interval of the first slope in the fit's own table."""
        terms = self.fit(**options).model.terms
        low, high = float(terms.conf_low[1]), float(terms.conf_high[1])
        if terms.status[1] not in ("ok", "infinite") or (math.isnan(low) and math.isnan(high)):
            return ()
        return ((low, high),)


def wald(sample: Sample) -> tuple[Piece, ...]:
    return sample.term()


def profile(sample: Sample) -> tuple[Piece, ...]:
    rows = sample.fit().rows
    assert rows is not None
    row = np.eye(len(rows.sample.names))[1]
    found = profile_of(rows.sample, rows.outcome, row, LEVEL)
    return () if math.isnan(found.conf_low) else ((found.conf_low, found.conf_high),)


def firth_wald(sample: Sample) -> tuple[Piece, ...]:
    return sample.term(estimator="firth")


def firth_profile(sample: Sample) -> tuple[Piece, ...]:
    # What interval="profile" puts into the table, for the one coefficient that is asked about.
    rows = sample.fit(estimator="firth").rows
    assert rows is not None
    assert rows.outcome.estimate is not None
    found = rows.outcome.estimate
    return (firth_profile_ends(found, found.back[1], normal_quantile(LEVEL)),)


def robust(sample: Sample) -> tuple[Piece, ...]:
    return sample.term(robust="hc1")


def boundary(interval: str, **options: str) -> Callable[[Sample], tuple[Piece, ...]]:
    def found(sample: Sample) -> tuple[Piece, ...]:
        answer = sample.fit(**options).boundary("x1", PROBABILITY, sample.others, interval=interval, level=LEVEL)
        # The gap of a separated sample is no confidence set.
        return answer.pieces if answer.interval == interval else ()

    return found


def prediction(**options: str) -> Callable[[Sample], tuple[Piece, ...]]:
    def found(sample: Sample) -> tuple[Piece, ...]:
        row = {name: [0.0] for name in sample.names} | {"x1": [PLACE]}
        _, low, high = sample.fit(**options).predict(row, scale="logit", interval="wald", level=LEVEL)
        # Beyond the edge of separated rows the limit is infinite, and no interval stands around it.
        return ((float(low[0]), float(high[0])),) if np.isfinite([low[0], high[0]]).all() else ()

    return found


def slope(cell: Cell) -> float:
    return float(cell.slopes[0])


def crossing(cell: Cell) -> float:
    return (math.log(PROBABILITY / (1 - PROBABILITY)) - cell.intercept) / float(cell.slopes[0])


def place(cell: Cell) -> float:
    return cell.intercept + PLACE * float(cell.slopes[0])


# A new interval is one line here: what it is of, its name, how a sample gives it, and the truth it should hold.
METHODS: tuple[tuple[str, str, Callable[[Sample], tuple[Piece, ...]], Callable[[Cell], float]], ...] = (
    ("coefficient", "Wald", wald, slope),
    ("coefficient", "profile likelihood", profile, slope),
    ("coefficient", "Wald, HC1", robust, slope),
    ("coefficient", "Firth, Wald", firth_wald, slope),
    ("coefficient", "Firth, penalised profile", firth_profile, slope),
    ("boundary", "delta", boundary("delta"), crossing),
    ("boundary", "Fieller", boundary("fieller"), crossing),
    ("boundary", "profile likelihood", boundary("profile"), crossing),
    ("boundary", "Firth, delta", boundary("delta", estimator="firth"), crossing),
    ("prediction", "Wald on the logit scale", prediction(), place),
    ("prediction", "Firth, Wald on the logit scale", prediction(estimator="firth"), place),
)


@dataclass
class Tally:
    """Counts over samples: of all, of those with an interval, of those whose interval covers, and is unbounded."""

    samples: int = 0
    there: int = 0
    covers: int = 0
    unbounded: int = 0

    def add(self, other: Tally) -> Tally:
        return Tally(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))


@dataclass
class Counts:
    """What a cell's samples came to: by method, and how many were separated or of one class."""

    tallies: list[Tally]
    separated: int = 0
    one_class: int = 0

    def add(self, other: Counts) -> Counts:
        tallies = [a.add(b) for a, b in zip(self.tallies, other.tallies, strict=True)]
        return Counts(tallies, self.separated + other.separated, self.one_class + other.one_class)


def run(cell: Cell, indices: range) -> Counts:
    """Draw samples and ask every method of each."""
    warnings.simplefilter("ignore")
    counts = Counts([Tally() for _ in METHODS])
    truths = [truth(cell) for *_, truth in METHODS]
    for index in indices:
        sample = Sample(cell, index)
        try:
            counts.separated += sample.fit().separation.kind != "none"
        except OneClassError:
            counts.one_class += 1
            for tally in counts.tallies:
                tally.samples += 1
            continue
        for (_, _, method, _), truth, tally in zip(METHODS, truths, counts.tallies, strict=True):
            pieces = method(sample)
            tally.samples += 1
            tally.there += bool(pieces)
            tally.covers += any(low <= truth <= high for low, high in pieces)
            tally.unbounded += bool(pieces) and bool(np.isinf(np.array(pieces)).any())
    return counts


def measure(samples: int, workers: int, keep: Path | None) -> dict[Cell, Counts]:
    """All cells in turn, some samples at a time, shared by several processes."""
    found = {cell: Counts([Tally() for _ in METHODS]) for cell in CELLS}
    done: set[tuple[int, int]] = set()
    for line in keep.read_text().splitlines() if keep is not None and keep.exists() else ():
        place, start, separated, one_class, tallies = json.loads(line)
        if start < samples:
            done.add((place, start))
            found[CELLS[place]] = found[CELLS[place]].add(Counts([Tally(*t) for t in tallies], separated, one_class))
    with ProcessPoolExecutor(workers) as pool:
        jobs = {
            pool.submit(run, cell, range(start, min(start + AT_ONCE, samples))): (place, start)
            for start in range(0, samples, AT_ONCE)
            for place, cell in enumerate(CELLS)
            if (place, start) not in done
        }
        for job in as_completed(jobs):
            place, start = jobs[job]
            counts = job.result()
            found[CELLS[place]] = found[CELLS[place]].add(counts)
            if keep is not None:
                tallies = [tuple(vars(tally).values()) for tally in counts.tallies]
                with keep.open("a") as file:
                    file.write(json.dumps([place, start, counts.separated, counts.one_class, tallies]) + "\n")
    return found


def page(found: dict[Cell, Counts], samples: int) -> str:
    """The tables and the sentences, in Markdown."""
    close = max(CLOSE, ERRORS * math.sqrt(LEVEL * (1 - LEVEL) / samples))
    lines = [
        f"{samples:,} samples a cell, nominal {100 * LEVEL:g} %, seed {SEED}; passline {passline.__version__}, "
        f"NumPy {np.__version__}. Behind ± stands the Monte-Carlo standard error, in points.",
        f"An interval is said to hold where it is within {100 * close:.1f} points of nominal ({ERRORS:g} such errors, "
        f"at least {100 * CLOSE:g}). What lies within that, this many samples cannot tell.",
        "",
        "### The samples",
        "",
        "| cell | separated | all of one outcome |",
        "| --- | ---: | ---: |",
        *(
            f"| {cell} | {percent(counts.separated / samples)} | {percent(counts.one_class / samples)} |"
            for cell, counts in found.items()
        ),
    ]
    for kind in dict.fromkeys(kind for kind, *_ in METHODS):
        lines += ["", f"### {TITLES[kind]}", ""]
        lines += ["| cell | interval | found | none exists | found where one exists | unbounded |"]
        lines += ["| --- | --- | ---: | ---: | ---: | ---: |"]
        for cell, counts in found.items():
            lines += [_row(cell, i, counts.tallies[i]) for i, (of, *_) in enumerate(METHODS) if of == kind]
    lines += ["", "### Where an interval does not hold", "", *(f"- {text}" for text in verdicts(found))]
    return "\n".join(lines)


TITLES = {
    "coefficient": "The coefficient of the first predictor",
    "boundary": "The boundary: where the probability is 0.5",
    "prediction": "The linear predictor of a new row",
}


def _row(cell: Cell, i: int, tally: Tally) -> str:
    _, name, *_ = METHODS[i]
    share = tally.covers / tally.samples
    inner = (
        f"{percent(tally.covers / tally.there)} ± {100 * error(tally.covers, tally.there):.1f}" if tally.there else ""
    )
    return (
        f"| {cell} | {name} | {percent(share)} ± {100 * error(tally.covers, tally.samples):.1f} | "
        f"{percent(1 - tally.there / tally.samples)} | {inner} | {percent(tally.unbounded / tally.samples)} |"
    )


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def error(covers: int, n: int) -> float:
    """The Monte-Carlo standard error of a share; of Laplace's estimate, so that it is not zero at the ends."""
    p = (covers + 1) / (n + 2)
    return math.sqrt(p * (1 - p) / n)


def verdicts(found: dict[Cell, Counts]) -> Iterable[str]:
    """For each method a sentence: where it holds, where it covers too rarely, where more often than it says."""
    for i, (kind, name, *_) in enumerate(METHODS):
        low, high = [], []
        for cell, counts in found.items():
            tally = counts.tallies[i]
            share = tally.covers / tally.samples
            allowed = max(CLOSE, ERRORS * error(tally.covers, tally.samples))
            if share < LEVEL - allowed:
                low.append(f"{percent(share)} ({cell})")
            elif share > LEVEL + allowed:
                high.append(f"{percent(share)} ({cell})")
        parts = [f"too rarely: {', '.join(low)}"] * bool(low) + [f"more often than it says: {', '.join(high)}"] * bool(
            high
        )
        yield f"**{kind}, {name}**: " + ("; ".join(f"covers {part}" for part in parts) or "holds in every cell") + "."


def main() -> None:
    parser = argparse.ArgumentParser(description="How often each interval holds the truth.")
    parser.add_argument("--samples", type=int, default=2_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="A file that keeps the counts, to go on from.")
    parser.add_argument("--write", type=Path, help="The page whose marked part is to be replaced.")
    arguments = parser.parse_args()
    text = page(measure(arguments.samples, arguments.workers, arguments.keep), arguments.samples)
    if arguments.write is None:
        print(text)
        return
    begin, end = "<!-- results: coverage -->", "<!-- end of results -->"
    before, _, rest = arguments.write.read_text(encoding="utf-8").partition(begin)
    after = rest.partition(end)[2]
    arguments.write.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
