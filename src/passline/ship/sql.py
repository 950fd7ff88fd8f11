"""A model as a query in any dialect that sqlglot speaks: the log-odds and the probability of each row of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from passline.model import ON_THE_EDGE
from passline.ship import dialects
from passline.ship.expressions import (
    Tree,
    both,
    case,
    column,
    double,
    finite,
    form,
    function,
    logistic,
    missing,
    number,
    require_sqlglot,
    text,
    two,
)
from passline.ship.plan import Category, Floats, Group, Plan
from passline.table.columns import BOOLEAN_TEXTS

if TYPE_CHECKING:
    from passline.table.coding import Unseen

# A longer sum is taken in stages: parsers bound the depth of an expression (SQLite's at 1,000).
TERMS_A_STAGE = 100


def query(plan: Plan, dialect: str, unseen: Unseen = "error", table: str = "data", keep: Sequence[str] = ()) -> str:
    """The query of a plan over ``table``: the columns to ``keep``, ``logit`` and ``probability``, in no order of rows.

    A missing value, an unseen level (unless ``unseen`` is "baseline") and a value outside a function's domain give
    NULL. Raises OptionError for an unknown dialect, and for names and levels that it cannot write or tell apart.
    """
    dialects.check_dialect(dialect)
    dialects.check_names(plan, dialect, keep)
    names = [each.column for each in plan.inputs]
    tree = Query(plan, dialect, unseen).tree(dialects.table(table, dialect), names, keep)
    return dialects.written(tree, dialect) + "\n"


class Query:
    """The stages of a query, each a table expression over the one before.

    After the first stage columns have names of our own: c0 (inputs), k0 (kept), g0 (categories), v0 (values), s0_0
    (sums).
    """

    def __init__(self, plan: Plan, dialect: str, unseen: Unseen) -> None:
        self.exp = require_sqlglot().exp
        self.plan, self.dialect, self.unseen = plan, dialect, unseen
        self.stages: list[Tree] = []
        self.whole: set[int] = set()  # stages that are not to be printed into others

    def tree(self, table: Tree, names: Sequence[str], keep: Sequence[str]) -> Tree:
        """The whole query over ``table``, whose columns are called ``names``."""
        kept = [(self.source(name), f"k{i}") for i, name in enumerate(keep)]
        inputs = [(self.input(i, name), f"c{i}") for i, name in enumerate(names)]
        self.add([*kept, *inputs] or [(number(1.0), "c")], self.exp.alias_(table, "t", table=True))
        if self.unseen == "baseline" and self.plan.categories:
            self.next([(self.known(category), f"g{i}") for i, category in enumerate(self.plan.categories)])
        self.values()
        logit, probability = self.answers(self.sums())
        handed = [self.exp.alias_(column(f"k{i}"), name, quoted=True) for i, name in enumerate(keep)]
        last = self.exp.select(
            *handed, self.exp.alias_(logit, "logit"), self.exp.alias_(probability, "probability")
        ).from_(self.exp.table_(_name(len(self.stages) - 1)))
        for place, stage in enumerate(self.stages):
            last = last.with_(
                self.exp.to_identifier(_name(place)), as_=stage, materialized=place in self.whole or None, copy=False
            )
        return last

    def next(self, columns: Sequence[tuple[Tree, str]], *, whole: bool = False) -> None:
        """A stage with more columns than the last one; ``whole``: PostgreSQL and SQLite shall not print that one into
        this one, where a text that repeats its parts would grow as a power of the depth.
        """
        if whole:
            self.keep_whole()
        self.add(columns, self.exp.table_(_name(len(self.stages) - 1)), self.exp.Star())

    def keep_whole(self) -> None:
        if self.dialect in ("postgres", "sqlite"):
            self.whole.add(len(self.stages) - 1)

    def add(self, columns: Sequence[tuple[Tree, str]], table: Tree, *first: Tree) -> None:
        selected = [self.exp.alias_(value, name, copy=False) for value, name in columns]
        self.stages.append(self.exp.select(*first, *selected, copy=False).from_(table, copy=False))

    # --- inputs, categories and values

    def source(self, name: str) -> Tree:
        # With its table's name: SQLite takes a lone "name" that is no column for a text.
        return self.exp.column(self.exp.to_identifier(name, quoted=True), table="t")

    def input(self, place: int, name: str) -> Tree:
        """A column as its kind: a finite double, or text; else NULL."""
        kind, found = self.plan.inputs[place].kind, self.source(name)
        if kind == "number":
            if self.dialect != "sqlite":
                return finite(double(found))
            # Its CAST would make a text zero.
            types = self.exp.In(this=self.exp.func("TYPEOF", found), expressions=[text("integer"), text("real")])
            return case([(self.exp.And(this=types, expression=_is_finite(found)), double(found.copy()))])
        if kind == "boolean":
            branches = [(found, text(BOOLEAN_TEXTS[1])), (self.exp.Not(this=found.copy()), text(BOOLEAN_TEXTS[0]))]
            return case(branches)
        return found if self.dialect in dialects.FOLDING else self.exp.cast(found, "text")

    def known(self, category: Category) -> Tree:
        """The row's level, the reference where it was not there at fitting time."""
        found, levels = column(f"c{category.input}"), [self.level(category, level) for level in category.levels]
        there = self.exp.In(this=found.copy(), expressions=levels)
        absent = self.exp.Not(this=missing(found.copy()))
        return case([(there, found), (absent, levels[0].copy())])

    def level(self, category: Category, level: str) -> Tree:
        return number(float(level)) if self.plan.inputs[category.input].kind == "number" else text(level)

    def values(self) -> None:
        """Each value in the stage after that of the last value it is made of."""
        depth: list[int] = []
        for value in self.plan.values:
            depth.append(0 if value.reads else 1 + max(depth[source] for source in value.sources))
        for level in range(1, max(depth, default=0) + 1):
            found = [place for place, its in enumerate(depth) if its == level]
            self.next([(self.raw(place), f"r{place}") for place in found], whole=level > 1)
            self.next([(finite(column(f"r{place}")), f"v{place}") for place in found], whole=level > 1)

    def value(self, place: int) -> Tree:
        value = self.plan.values[place]
        return column(f"c{value.sources[0]}" if value.reads else f"v{place}")

    def raw(self, place: int) -> Tree:
        value = self.plan.values[place]
        if value.form is not None:
            return form(value.form, lambda: self.value(value.sources[0]))
        product = self.value(value.sources[0])
        for source in value.sources[1:]:
            product = two("*", product, self.value(source))
        return product

    # --- sums

    def sums(self) -> list[tuple[Tree, Tree]]:
        """Stages that add up the log-odds, then along each direction what is added and how much in size."""
        m = 1 + self.plan.directions
        lists = [(list(self.shares(k)), list(self.shares(k, size=True)) if k else []) for k in range(m)]
        totals: list[list[Tree | None]] = [[None, None] for _ in range(m)]
        longest = max(len(shares) for pair in lists for shares in pair)
        for stage in range(max(1, -(-longest // TERMS_A_STAGE))):
            made = []
            for k, pair in enumerate(lists):
                for side, shares in enumerate(pair):
                    if found := shares[stage * TERMS_A_STAGE : (stage + 1) * TERMS_A_STAGE]:
                        made.append((_added(totals[k][side], found), f"{'sz'[side]}{k}_{stage}"))
                        totals[k][side] = column(made[-1][1])
            self.next(made or [(number(0.0), "s")], whole=stage > 0)
        zero = double(number(0.0))
        return [(along or zero, size or zero) for along, size in totals]

    def shares(self, k: int, *, size: bool = False) -> Iterator[Tree]:
        """What is added to the k-th sum, in the order of ``predict``."""
        if self.plan.intercept is not None:
            start = float(self.plan.intercept[k])
            yield double(number(abs(start) if size else start))
        used = {self.plan.categories[place].input for group in self.plan.groups for place in group.categories}
        for group in self.plan.groups:
            weights = group.weights[k]
            if k == 0 or weights.any():
                yield self.share(group, abs(weights) if size else weights, k, size)
        for place, each in enumerate(self.plan.inputs):
            if (
                k == 0 and each.kind != "number" and place not in used
            ):  # a single level has no column, and may be missing
                yield case([(missing(column(f"c{place}")), self.exp.Null())], number(0.0))

    def share(self, group: Group, weights: Floats, k: int, size: bool) -> Tree:
        weight = self.weight(list(group.categories), weights, strict=k == 0)
        weight = double(weight) if group.categories else weight
        if group.value is None:
            return weight
        value = self.value(group.value)
        return two("*", function("abs", value) if size else value, weight)

    def weight(self, categories: list[int], weights: Floats, strict: bool) -> Tree:
        """The weight at the row's levels: cases inside cases, the first category outermost.

        ``strict``: NULL where a level is unknown; else zero there, and levels without weight are not written out.
        """
        if not categories:
            return number(float(weights[0]))
        place, *rest = categories
        category = self.plan.categories[place]
        n = len(category.levels)
        branches = [
            (self.level(category, level), self.weight(rest, weights[i::n], strict))
            for i, level in enumerate(category.levels)
            if strict or weights[i::n].any()
        ]
        name = f"g{place}" if self.unseen == "baseline" else f"c{category.input}"
        return case(branches, None if strict else number(0.0), of=column(name)) if branches else number(0.0)

    # --- answers

    def answers(self, sums: list[tuple[Tree, Tree]]) -> tuple[Tree, Tree]:
        """The log-odds and the probability; with directions those of the limit."""
        (eta, _), *along = sums
        if not along:
            return eta, logistic(eta)
        self.next([(_sign(total, size), f"d{k}") for k, (total, size) in zip(count(1), along)], whole=True)
        signs = [column(f"d{k}") for k in range(1, len(sums))]
        zero, one = number(0.0), number(1.0)
        any_up = both("or", [two(">", sign, zero) for sign in signs])
        any_down = both("or", [two("<", sign, zero) for sign in signs])
        self.next([(case([(any_up, one)], zero), "up"), (case([(any_down, one)], zero), "down")], whole=True)
        # The first direction alone may be zero where others are not: then they leave the row open.
        difference = two("-", column("up"), column("down"))
        agreed = case([(two("=", two("*", column("up"), column("down")), zero), difference)])
        side = case([(two("=", agreed, signs[0].copy()), agreed.copy())])
        self.next([(case([(missing(eta.copy()), self.exp.Null())], side), "side")], whole=True)
        self.keep_whole()
        tests = [two("=", column("side"), number(value)) for value in (0.0, 1.0, -1.0)]
        limits = [dialects.infinity(self.dialect, sign) or self.exp.Null() for sign in ("", "-")]
        logit = case(list(zip(tests, [eta, *limits], strict=True)))
        probability = [logistic(eta), number(1.0), number(0.0)]
        return logit, case([(test.copy(), value) for test, value in zip(tests, probability, strict=True)])


def _name(place: int) -> str:
    return f"passline_{place}"


def _added(total: Tree | None, shares: Sequence[Tree]) -> Tree:
    """``total`` and the shares, one after the other."""
    exp = require_sqlglot().exp
    for share in shares:
        total = share if total is None else exp.Add(this=total, expression=share)
    assert total is not None
    return total


def _is_finite(value: Tree) -> Tree:
    return finite(value).find(require_sqlglot().exp.LTE).copy()


def _sign(total: Tree, size: Tree) -> Tree:
    """-1, 0 or 1: the side of a direction on which a row lies; 0 on its edge, but for rounding."""
    edge = two("<=", function("abs", total), two("*", number(ON_THE_EDGE), size))
    return case([(edge, number(0.0)), (two(">", total, number(0.0)), number(1.0))], number(-1.0))


def renamed(plan: Plan, names: Mapping[str, str] | None = None) -> Plan:
    """The plan over a table that calls its columns otherwise; without ``names`` x0, x1, ..."""
    given = {each.column: f"x{i}" for i, each in enumerate(plan.inputs)} if names is None else names
    inputs = tuple(replace(each, column=given.get(each.column, each.column)) for each in plan.inputs)
    return replace(plan, inputs=inputs)
