"""Terms -> columns: which categories are coded by contrasts, which in full; R's names; codes instead of zeros."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar, cast, get_args

import numpy as np

from passline.errors import DataError, OptionError
from passline.table.derivative import derivatives
from passline.table.functions import FUNCTIONS, Values
from passline.table.rows import Codes, CompleteRows, first_not_finite
from passline.table.tree import Expression, Name, column_of, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

MAX_COLUMNS = 2_000_000

_T = TypeVar("_T")

Unseen: TypeAlias = Literal["error", "baseline"]


@dataclass(frozen=True)
class NumericColumns:
    """One column of numbers, (n,)."""

    values: Values


@dataclass(frozen=True)
class CodedColumns:
    """``width`` indicator columns kept as codes: row i has ``values[i]`` (or 1) in column ``codes[i]``, else zeros.

    A code of -1 stands for a row of zeros (the reference level).
    """

    codes: NDArray[np.int32]  # (n,)
    width: int
    values: Values | None  # (n,), None: 1.0


Group: TypeAlias = NumericColumns | CodedColumns


@dataclass(frozen=True)
class NumericFactor:
    """A numeric expression with what it learned; ``names`` of its columns: one, or a spline's several."""

    expression: Expression
    names: tuple[str, ...]

    @property
    def column(self) -> str:
        """The column that the expression is of."""
        return column_of(self.expression).name


@dataclass(frozen=True)
class CategoryFactor:
    """A category: its levels, the reference first, coded by contrasts to it or in full."""

    column: str
    text: str
    levels: tuple[str, ...]
    full: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns: the text and the level."""
        return tuple(self.text + level for level in (self.levels if self.full else self.levels[1:]))

    def codes(self, rows: CompleteRows, unseen: Unseen) -> Codes:
        """Each row's column, or -1 for a row of zeros, (size,).

        Raises DataError for a level that was not there when the levels were learned, unless ``unseen`` makes it
        the reference.
        """
        codes = rows.codes(self.column, self.levels)
        if len(codes) and codes.min() < 0:
            if unseen == "error":
                raise self._unseen(rows, int(np.flatnonzero(codes < 0)[0]))
            codes = np.maximum(codes, np.int32(0))
        return codes if self.full else codes - np.int32(1)

    def _unseen(self, rows: CompleteRows, index: int) -> DataError:
        known = ", ".join(repr(level) for level in self.levels[:10])
        more = f" and {len(self.levels) - 10} more" if len(self.levels) > 10 else ""
        return DataError(
            f"column {self.column!r} is {rows.value(self.column, index)!r} in {rows.where(index)}, a level that was "
            f"not there when the model was fitted; it knows {known}{more}. Correct the value, or ask for unseen levels "
            "to count as the reference (unseen='baseline').",
            row=rows.place(index),
            column=self.column,
        )


Factor: TypeAlias = NumericFactor | CategoryFactor


@dataclass(frozen=True)
class Term:
    """A term ``a:b``: its factors, and its columns' names.

    Where splines and categories meet in a term, all levels of a category stand side by side for one spline column;
    else the first factor varies fastest, as in R.
    """

    text: str
    factors: tuple[Factor, ...]
    names: tuple[str, ...]

    def groups(self, rows: CompleteRows, unseen: Unseen) -> Iterator[Group]:
        """The columns, in the order of ``names``.

        Raises DataError where a product of numbers is not finite.
        """
        if not self.names:
            return
        categories = [f for f in self.factors if isinstance(f, CategoryFactor)]
        numerics = [f for f in self.factors if isinstance(f, NumericFactor)]
        codes, width = _combined_codes(categories, rows, unseen) if categories else (None, 0)
        for parts in first_fastest([range(len(f.names)) for f in numerics]):
            values = self._product(numerics, parts, rows)
            if codes is not None:
                yield CodedColumns(codes, width, values)
            elif values is not None:
                yield NumericColumns(values)

    def slopes(self, rows: CompleteRows, column: str) -> Iterator[Group]:
        """The derivatives of the columns in a column of numbers, laid out as :meth:`groups` does.

        Infinite where a function has no derivative. A category does not change with its column's numbers.
        """
        if not self.names:
            return
        categories = [f for f in self.factors if isinstance(f, CategoryFactor)]
        numerics = [f for f in self.factors if isinstance(f, NumericFactor)]
        codes, width = _combined_codes(categories, rows, "error") if categories else (None, 0)
        for parts in first_fastest([range(len(f.names)) for f in numerics]):
            total = np.zeros(rows.size)
            for i, moving in enumerate(numerics):
                if moving.column == column:
                    slope = derivatives(moving.expression, rows.numbers(Name(column)))[parts[i]]
                    others = [f for k, f in enumerate(numerics) if k != i]
                    factor = self._product(others, [part for k, part in enumerate(parts) if k != i], rows)
                    total += slope if factor is None else slope * factor
            yield NumericColumns(total) if codes is None else CodedColumns(codes, width, total)

    def _product(self, numerics: Sequence[NumericFactor], parts: Sequence[int], rows: CompleteRows) -> Values | None:
        values: Values | None = None
        for factor, part in zip(numerics, parts, strict=True):
            column = rows.numbers(factor.expression, part)
            with np.errstate(over="ignore"):
                values = column if values is None else values * column
        if len(numerics) > 1 and values is not None:
            bad = first_not_finite(values)
            if bad is not None:
                where = rows.where(bad)
                raise DataError(
                    f"{self.text}: the product is too large in {where}; rescale the columns.", row=rows.place(bad)
                )
        return values


def read_unseen(word: str) -> Unseen:
    """The word for what an unseen category is; raises OptionError for any other."""
    if word not in get_args(Unseen):
        raise OptionError(f"unseen is {word!r}: choose 'error' or 'baseline'")
    return cast("Unseen", word)


def make_term(factors: Sequence[Expression], made: Sequence[Factor]) -> Term:
    """The term of some factors, with its columns named as R names them.

    Raises DataError when it has too many columns.
    """
    text = ":".join(write(factor) for factor in factors)
    count = prod(len(factor.names) for factor in made)
    if count > MAX_COLUMNS:
        raise DataError(f"{text} has {count:,} columns; at most {MAX_COLUMNS:,} can be fitted.")
    if len(made) == 1:
        return Term(text, tuple(made), made[0].names)
    # Categories vary fastest, so that the columns of one code array lie side by side.
    order = sorted(range(len(made)), key=lambda i: isinstance(made[i], NumericFactor))
    names = []
    for chosen in first_fastest([made[i].names for i in order]):
        pieces = dict(zip(order, chosen, strict=True))
        names.append(":".join(pieces[i] for i in range(len(made))))
    return Term(text, tuple(made), tuple(names))


def full_coding(
    terms: Sequence[Sequence[Expression]], intercept: bool, categories: Mapping[Expression, object]
) -> list[tuple[bool, ...]]:
    """For each factor of each term: whether a category is coded in full, not by contrasts.

    R's rule (terms.formula, model.matrix): by contrasts where the rest of the term, without it, is part of an
    earlier term, or is nothing; and without an intercept the first category of the formula is coded in full.
    """
    holding: dict[Expression, int] = {}  # factor -> the earlier terms that hold it, as bits
    coding = []
    for place, term in enumerate(terms):
        full = []
        for factor in term:
            rest = [other for other in term if other != factor]
            earlier = (1 << place) - 1 if rest else -1
            for other in rest:
                earlier &= holding.get(other, 0)
            full.append(factor in categories and earlier == 0)
        coding.append(full)
        for factor in term:
            holding[factor] = holding.get(factor, 0) | (1 << place)
    if not intercept:
        for term, full in zip(terms, coding, strict=True):
            first = next((i for i, factor in enumerate(term) if factor in categories), None)
            if first is not None:
                full[first] = True
                break
    return [tuple(full) for full in coding]


def numeric_factor(expression: Expression) -> NumericFactor:
    """The factor of a numeric expression whose calls hold what they learned."""
    text = write(expression)
    suffixes = None if isinstance(expression, Name) else FUNCTIONS[expression.function].suffixes
    if suffixes is None or isinstance(expression, Name):
        return NumericFactor(expression, (text,))
    argument = expression.argument
    inner = argument.name if isinstance(argument, Name) else write(argument)
    return NumericFactor(expression, tuple(text + suffix for suffix in suffixes(inner, expression.state)))


def category_factor(expression: Expression, levels: Sequence[str], full: bool) -> CategoryFactor:
    """The factor of a category with its learned levels, the reference first."""
    return CategoryFactor(column_of(expression).name, write(expression), tuple(levels), full)


def _combined_codes(factors: Sequence[CategoryFactor], rows: CompleteRows, unseen: Unseen) -> tuple[Codes, int]:
    """One code for several categories, the first varying fastest; -1 where any of them is at its reference."""
    codes, width = factors[0].codes(rows, unseen), len(factors[0].names)
    for factor in factors[1:]:
        other = factor.codes(rows, unseen)
        codes = np.where((codes < 0) | (other < 0), np.int32(-1), codes + np.int32(width) * other)
        width *= len(factor.names)
    return codes, width


def first_fastest(choices: Sequence[Sequence[_T]]) -> Iterator[tuple[_T, ...]]:
    """All combinations, the first choice varying fastest."""
    return (combination[::-1] for combination in product(*choices[::-1]))
