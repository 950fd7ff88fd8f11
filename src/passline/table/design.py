"""A formula met with data: the terms with what they learned (levels, knots, means), their names and their columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from passline.errors import DataError, FormulaError, ModelFileError, NoRowsError
from passline.table.coding import (
    CategoryFactor,
    CodedColumns,
    Group,
    NumericColumns,
    Term,
    Unseen,
    category_factor,
    full_coding,
    make_term,
    numeric_factor,
)
from passline.table.formula import nearest, parse
from passline.table.functions import FUNCTIONS, State, Values
from passline.table.outcome import read_outcome, read_successes
from passline.table.patterns import stage_patterns
from passline.table.roles import Played, Roles, play
from passline.table.rows import CompleteRows, ReadRows, complete_rows
from passline.table.saved import SavedDesign, read_saved
from passline.table.staged import Frame
from passline.table.terms import Terms, expand_dot, find_terms
from passline.table.tree import Call, Expression, Formula, Name, calls_of, column_of, write, write_formula

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from passline.table.columns import Column, Kind, Source
    from passline.table.staged import Relation

__all__ = ["CodedColumns", "Design", "Group", "Learned", "NumericColumns", "Term", "learn"]


@dataclass(frozen=True)
class Design:
    """What turns rows into columns: the terms of a formula with all that was learned; it holds no data."""

    formula: str  # canonical text, the dot expanded
    outcome: str
    positive: str
    negative: str
    intercept: bool
    terms: tuple[Term, ...]
    names: tuple[str, ...]  # of all columns, "(Intercept)" first if there is one
    variables: tuple[str, ...]  # columns of the source that prediction needs
    kinds: Mapping[str, Kind]  # how each of them is read
    states: Mapping[str, State]  # what functions learned, by their text
    levels: Mapping[str, tuple[str, ...]]  # of each category, by its text; the reference first

    @property
    def references(self) -> dict[str, str]:
        """The reference level of each category, by the category's text."""
        return {text: levels[0] for text, levels in self.levels.items()}

    def groups(self, rows: CompleteRows, unseen: Unseen = "error") -> Iterator[Group]:
        """The columns in the order of ``names``, without the intercept, one group at a time.

        Raises DataError where a value is not finite, or a level was not there when the design was learned.
        """
        for term in self.terms:
            yield from term.groups(rows, unseen)

    def slopes(self, rows: CompleteRows, column: str) -> Iterator[Group]:
        """The derivatives of the columns in a column of numbers, in the order of ``groups``."""
        for term in self.terms:
            yield from term.slopes(rows, column)

    def predict_groups(
        self, staged: Frame | Relation, unseen: Unseen = "error"
    ) -> tuple[Iterator[Group], NDArray[np.bool_]]:
        """The columns of new rows, and which rows are complete, (rows,): the groups hold the complete rows only.

        Raises DataError naming every column that is missing.
        """
        self.require(staged.columns, staged.label)
        rows = complete_rows(staged, self.variables)
        return self.groups(rows, unseen), rows.kept()

    def require(self, columns: Iterable[str], label: str) -> None:
        """Raise DataError naming every variable that is not among ``columns``."""
        there = set(columns)
        gone = [name for name in self.variables if name not in there]
        if gone:
            listed = ", ".join(repr(name) for name in gone)
            one = f"column {listed}" if len(gone) == 1 else f"columns {listed}"
            hint = nearest(gone[0], there)
            raise DataError(f"{label} has no {one}, which the model needs.{hint}", column=gone[0])

    def to_json(self) -> dict[str, Any]:
        """The design as plain JSON values; floats come back bit for bit."""
        return {
            "formula": self.formula,
            "positive": self.positive,
            "negative": self.negative,
            "kinds": dict(self.kinds),
            "states": {text: list(state) for text, state in self.states.items()},
            "levels": {text: list(levels) for text, levels in self.levels.items()},
            "names": list(self.names),
        }

    @classmethod
    def from_json(cls, document: object) -> Design:
        """The design of a document written by ``to_json``.

        Raises ModelFileError for anything else: the formula is parsed, never evaluated, and all it needs is checked.
        """
        saved = read_saved(document)
        try:
            formula = expand_dot(parse(saved.formula), ())  # a saved formula has no dot
            terms = find_terms(formula)
            design = _build(formula, terms, saved)
        except (FormulaError, DataError) as error:
            raise ModelFileError(f"the model file's formula cannot be used: {error}") from error
        if design.formula != saved.formula or list(design.names) != saved.names:
            raise ModelFileError("the model file was altered: its columns are not those of its formula.")
        return design


@dataclass(frozen=True)
class Learned:
    """A design with the rows it was learned from."""

    design: Design
    rows: ReadRows
    y: Values  # (n,) of 0 and 1; with trials the share of successes
    played: Played  # weights, offset, trials and the like
    dropped: int  # rows left out because a value is missing
    notes: tuple[str, ...]  # what a person should know about the terms
    again: Callable[[], Learned] | None = None  # where rows that repeat are held once: the same of each by itself

    def by_row(self) -> Learned:
        """The same with each row of the source by itself, in its order.

        Raises DataError where the source has changed since.
        """
        if self.again is None:
            return self
        found = self.again()
        # Not what functions learned: a mean of patterns times counts is that of the rows but for rounding.
        now, then = ((each.read, each.used, each.design.names, each.design.levels) for each in (found, self))
        if now != then:
            raise DataError("the data have changed since they were fitted: fit again")
        return found

    @property
    def read(self) -> int:
        """Rows read."""
        return self.rows.read

    @property
    def used(self) -> int:
        """Complete rows, the ones used."""
        return self.rows.used


def learn(formula: Formula, source: Source, *, positive: str | None = None, roles: Roles | None = None) -> Learned:
    """Meet a formula with a source: read its columns, keep the complete rows, learn levels, knots and scales.

    ``roles`` says what further columns are for (weights, an offset); the dot leaves them out. Rows that weigh nothing
    are left out, as if they had not been written. Raises FormulaError for columns that are not there or cannot be
    used so, DataError for values that cannot be used, NoRowsError and OneClassError when nothing can be fitted.
    """
    columns = source.columns
    roles = roles or Roles()
    roles.check(source)
    outcome = formula.outcome.name
    _find(formula, formula.outcome, source)
    if columns[outcome].kind == "other":
        raise _unusable(formula, formula.outcome, columns[outcome])
    formula = expand_dot(formula, [name for name in columns if name != outcome and name not in roles.names().values()])
    terms = find_terms(formula)
    kinds = _kinds(formula, terms, source)
    outcome_kind: Kind = "number" if columns[outcome].kind == "mixed" else columns[outcome].kind
    wanted: dict[str, Kind] = {outcome: outcome_kind, **kinds, **roles.kinds(source), **kinds}
    if roles.trials is not None:
        outcome_kind = wanted[outcome] = "number"
    asked = _Asked(formula, terms, kinds, outcome_kind, positive, roles, source.label)
    stage = source.stage if roles.by_row else partial(stage_patterns, source)
    return _learn_rows(asked, stage(list(wanted), wanted))


@dataclass(frozen=True)
class _Asked:
    """What is asked of the rows once they are there."""

    formula: Formula
    terms: Terms
    kinds: dict[str, Kind]
    outcome_kind: Kind
    positive: str | None
    roles: Roles
    label: str


def _learn_rows(asked: _Asked, staged: Frame | Relation) -> Learned:
    formula, terms, kinds, roles = asked.formula, asked.terms, asked.kinds, asked.roles
    outcome = formula.outcome.name
    rows = complete_rows(staged, [outcome, *kinds])
    if not rows.used:
        raise _no_rows(rows, asked.label)
    dropped = rows.read - rows.used
    played = play(roles, rows)
    mass = played.weights if played.weights is not None else played.sampling_weights
    if mass is not None and not mass.all():
        rows, played = rows.where_also(mass > 0), played.select(mass > 0)
    played = played.repeated(rows.counts())
    if played.trials is None:
        found = read_outcome(rows, outcome, asked.outcome_kind, asked.positive)
    else:
        found = read_successes(rows, outcome, played.trials, asked.positive)
    factors = dict.fromkeys(factor for term in terms.terms for factor in term)
    states = _learn_states(factors, kinds, rows, played.weights)
    levels = _learn_levels(factors, kinds, rows)
    saved = SavedDesign(write_formula(formula), found.positive, found.negative, kinds, states, levels, [])
    design = _build(formula, terms, saved)
    assert design.variables == tuple(kinds)
    written = staged.written if isinstance(staged, Frame) else None
    again = None if written is None else lambda: _learn_rows(asked, written())
    return Learned(design, rows, found.y, played, dropped, _notes(design, factors), again)


def _build(formula: Formula, terms: Terms, saved: SavedDesign) -> Design:
    """The design of a formula and of what was learned; the one way to make one, from rows or from a file.

    Raises ModelFileError where the two do not fit each other.
    """
    factors = dict.fromkeys(factor for term in terms.terms for factor in term)
    categories = {f: None for f in factors if is_category(f, saved.kinds)}
    saved.check(factors, categories)
    coding = full_coding(terms.terms, terms.intercept, categories)
    made = []
    for term, full in zip(terms.terms, coding, strict=True):
        parts = [
            category_factor(f, saved.levels[write(f)], whole)
            if f in categories
            else numeric_factor(with_states(f, saved.states))
            for f, whole in zip(term, full, strict=True)
        ]
        made.append(make_term(term, parts))
    names = (("(Intercept)",) if terms.intercept else ()) + tuple(name for term in made for name in term.names)
    return Design(
        formula=saved.formula,
        outcome=formula.outcome.name,
        positive=saved.positive,
        negative=saved.negative,
        intercept=terms.intercept,
        terms=tuple(made),
        names=names,
        variables=tuple(dict.fromkeys(column_of(f).name for f in factors)),
        kinds=dict(saved.kinds),
        states=dict(saved.states),
        levels=dict(saved.levels),
    )


def is_category(expression: Expression, kinds: Mapping[str, Kind]) -> bool:
    """Whether a factor has levels: C() of a column, or a column that is not one of numbers."""
    if isinstance(expression, Call):
        return FUNCTIONS[expression.function].category
    return kinds.get(expression.name, "number") != "number"


def with_states(expression: Expression, states: Mapping[str, State]) -> Expression:
    """The expression with what its calls learned."""
    if isinstance(expression, Name):
        return expression
    return replace(
        expression, argument=with_states(expression.argument, states), state=states.get(write(expression), ())
    )


def _find(formula: Formula, name: Name, source: Source) -> None:
    if name.name not in source.columns:
        hint = nearest(name.name, source.columns)
        raise FormulaError(f"{source.label} has no column {name.name!r}.{hint}", formula.text, *name.span)


def _kinds(formula: Formula, terms: Terms, source: Source) -> dict[str, Kind]:
    """How each column on the right side is to be read; in the order of first use."""
    kinds: dict[str, Kind] = {}
    for factor in dict.fromkeys(factor for term in terms.terms for factor in term):
        name = column_of(factor)
        _find(formula, name, source)
        column = source.columns[name.name]
        if column.kind == "other":
            raise _unusable(formula, name, column)
        category = isinstance(factor, Call) and FUNCTIONS[factor.function].category
        if isinstance(factor, Call) and not category and column.kind in ("category", "boolean"):
            what = f"{factor.function}() needs numbers, and column {name.name!r} holds {column.type_name}"
            raise FormulaError(f"{what}: it is a category. Write the name alone.", formula.text, *factor.span)
        if column.kind == "mixed":
            # Text when it is only ever a category, numbers as soon as one use needs them.
            kinds[name.name] = "category" if category and kinds.get(name.name) != "number" else "number"
        else:
            kinds[name.name] = column.kind
    return kinds


def _unusable(formula: Formula, name: Name, column: Column) -> FormulaError:
    what = f"column {column.name!r} holds {column.type_name}, which cannot be used"
    if formula.text[slice(*name.span)] == ".":
        return FormulaError(f"{what}; leave it out with . - {write(Name(column.name))}", formula.text, *name.span)
    return FormulaError(f"{what}; make it a number or a text first.", formula.text, *name.span)


def _no_rows(rows: CompleteRows, label: str) -> NoRowsError:
    if rows.read == 0:
        return NoRowsError(f"{label} has no rows.")
    missing = rows.missing()
    worst = max(missing, key=lambda name: missing[name])
    return NoRowsError(
        f"none of the {rows.read} rows of {label} is complete: column {worst!r} is missing most, in {missing[worst]}. "
        "Leave such columns out of the formula."
    )


def _learn_states(
    factors: Iterable[Expression], kinds: Mapping[str, Kind], rows: CompleteRows, counts: Values | None
) -> dict[str, State]:
    states: dict[str, State] = {}
    for factor in factors:
        if is_category(factor, kinds):
            continue
        for call in calls_of(factor):
            text, learner = write(call), FUNCTIONS[call.function].learn
            if learner is None or text in states:
                continue
            values = rows.numbers(with_states(call.argument, states))
            try:
                states[text] = learner(values, call.setting, np.ones(len(values)) if counts is None else counts)
            except DataError as error:
                raise DataError(f"{text}: {write(call.argument)} {error}") from None
    return states


def _learn_levels(
    factors: Iterable[Expression], kinds: Mapping[str, Kind], rows: CompleteRows
) -> dict[str, tuple[str, ...]]:
    levels: dict[str, tuple[str, ...]] = {}
    for factor in factors:
        if not is_category(factor, kinds):
            continue
        name = column_of(factor).name
        found = rows.levels(name)
        reference = factor.setting if isinstance(factor, Call) else None
        if isinstance(reference, str):
            if reference not in found:
                listed = ", ".join(repr(level) for level in found[:10]) + (", ..." if len(found) > 10 else "")
                raise DataError(f"{write(factor)}: {reference!r} is not a level of {name!r}; its levels are {listed}.")
            found = (reference, *(level for level in found if level != reference))
        levels[write(factor)] = found
    return levels


def _notes(design: Design, factors: Iterable[Expression]) -> tuple[str, ...]:
    notes = []
    for text, levels in design.levels.items():
        if len(levels) == 1 and any(
            isinstance(f, CategoryFactor) and f.text == text and not f.full
            for term in design.terms
            for f in term.factors
        ):
            notes.append(f"{text} is {levels[0]!r} in every row used, so it has no column of its own.")
    for factor in factors:
        if isinstance(factor, Call) and factor.function == "rcs":
            state = design.states[write(factor)]
            asked = 5 if factor.setting is None else factor.setting
            if len(state) != asked:
                notes.append(
                    f"{write(factor)} has {len(state)} different knots, not {asked}: many rows share the same value."
                )
    return tuple(notes)
