"""The results as Markdown: one row a shape, then one row a contender; and their place in the documentation."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from benchmarks.shapes import Shape
from benchmarks.timing import Contest

HEAD = (
    "| shape | passline | fastest peer at 1e-8 | ratio | asked | fastest peer at its defaults "
    "| memory | passes | gradient | plain reads |\n"
    "| --- | ---: | --- | ---: | ---: | --- | ---: | ---: | ---: | ---: |"
)
EACH = (
    "| shape | contender | setting | time | runs | gradient | memory | passes |\n"
    "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |"
)


@dataclass(frozen=True)
class Result:
    """A shape at a size, the contests on it, seconds of one plain read (NaN: none), and who was not installed."""

    shape: Shape
    rows: int
    columns: int
    contests: list[Contest]
    read: float
    absent: list[str]

    def contest(self, peer: str) -> Contest | None:
        """Of one contender, if it took part."""
        return next((one for one in self.contests if one.peer == peer), None)

    @property
    def others(self) -> list[Contest]:
        return [one for one in self.contests if one.peer != "passline"]


def summary(results: list[Result]) -> str:
    """One row a shape. The ratio is the peer's time over passline's; for flights and descent to each named peer."""
    return "\n".join([HEAD, *(_summary_row(result) for result in results)])


def details(results: list[Result]) -> str:
    """One row a contender and shape."""
    rows = [_detail_row(result, contest) for result in results for contest in result.contests]
    absent = sorted({name for result in results for name in result.absent})
    note = f"\n\nNot to be had here: {', '.join(absent)}." if absent else ""
    return "\n".join([EACH, *rows]) + note


def write_between(document: Path, name: str, text: str) -> None:
    """Put a text between the lines ``<!-- results: NAME -->`` and ``<!-- end: NAME -->``."""
    before = document.read_text(encoding="utf-8")
    place = re.compile(rf"(<!-- results: {name} -->\n).*?(<!-- end: {name} -->)", re.DOTALL)
    if not place.search(before):
        raise SystemExit(f"{document.name} has no lines '<!-- results: {name} -->' and '<!-- end: {name} -->'")
    document.write_text(place.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", before), encoding="utf-8")


def seconds(value: float) -> str:
    """Three digits, in the unit that suits."""
    if math.isnan(value):
        return "-"
    return f"{value * 1e3:.3g} ms" if value < 0.1 else f"{value:.3g} s"


def _summary_row(result: Result) -> str:
    ours, shape = result.contest("passline"), result.shape
    reached = sorted((one for one in result.others if one.reached), key=lambda one: one.seconds)
    if shape.kind == "sgd":  # an epoch has no optimum to reach
        reached = sorted((one for one in result.others if not one.failed), key=lambda one: one.seconds)
    label = f"{shape.name}: {result.rows:,} x {result.columns:,}" + (f", ridge {shape.l2:g}" if shape.l2 else "")
    fastest = f"{reached[0].peer} {seconds(reached[0].seconds)}" if reached else "none"
    loose = [(one.default.seconds, one.peer) for one in result.others if one.default and not one.default.failed]
    default = f"{min(loose)[1]} {seconds(min(loose)[0])}" if loose and shape.kind != "sgd" else "-"
    if ours is None or ours.failed:
        state = "not run" if ours is None else ours.failed
        return f"| {label} | {state} | {fastest} | - | {_asked(shape)} | {default} | - | - | - | - |"
    time = ours.seconds
    ratios = {"fastest": reached[0].seconds / time} if reached else {}
    ratios |= {one.peer: one.seconds / time for one in result.others if one.peer in shape.targets and one in reached}
    shown = ", ".join(_ratio(name, ratios.get(name, math.nan), aim) for name, aim in shape.targets.items())
    reads = "-" if math.isnan(result.read) else f"{time / result.read:.0f}" + _missed(shape.reads, time / result.read)
    judged = f"{ours.gradient:.1e}" + ("" if ours.reached else " (not reached)")
    if shape.kind == "sgd":
        judged = f"mean loss {ours.runs[-1].loss:.5f}"
    passes = ours.runs[-1].passes or "-"
    return (
        f"| {label} | {seconds(time)} | {fastest} | {shown} | {_asked(shape)} | {default} | {ours.memory / 1e6:.0f} MB "
        f"| {passes} | {judged} | {reads} |"
    )


def _ratio(name: str, value: float, aim: float) -> str:
    text = "-" if math.isnan(value) else f"{value:.1f}" + ("" if value >= aim else " (missed)")
    return text if name == "fastest" else f"{name} {text}"


def _asked(shape: Shape) -> str:
    parts = [f"{aim:g}" if name == "fastest" else f"{name} {aim:g}" for name, aim in shape.targets.items()]
    return ", ".join(parts) + (f", {shape.reads:.0f} reads" if shape.reads else "")


def _missed(allowed: float | None, value: float) -> str:
    return " (missed)" if allowed and value > allowed else ""


def _detail_row(result: Result, contest: Contest) -> str:
    last = contest.runs[-1]
    start = f"| {result.shape.name} | {contest.peer} | {contest.setting} "
    if contest.failed:
        return start + f"| {contest.failed.replace('|', '/')} | {len(contest.runs)} | - | - | - |"
    judged = f"{contest.gradient:.1e}" + ("" if contest.reached else " (not reached)")
    if last.loss is not None:
        judged = f"mean loss {last.loss:.5f}"
    passes = "-" if last.passes is None else str(last.passes)
    return (
        start
        + f"| {seconds(contest.seconds)} | {len(contest.runs)} | {judged} | {contest.memory / 1e6:.0f} MB | {passes} |"
    )
