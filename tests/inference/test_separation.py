"""The verdict on separation against exact brute force, and what a fit makes of it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from cone import cone, rank
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import passline
from passline.engine.blocks import Block, Blocks
from passline.engine.columns import Dense
from passline.errors import SeparationWarning
from passline.inference import separation as separation_module
from passline.inference.separation import recession


@st.composite
def tables(draw: st.DrawFn, *, mixed: bool = False, intercept: bool = False) -> tuple[list[tuple[int, ...]], list[Any]]:
    """A small integer table of full column rank, and its outcomes."""
    p = draw(st.integers(2 if intercept else 1, 3))
    cell = st.integers(-3, 3)
    row = st.tuples(*([st.just(1)] if intercept else [cell]), *[cell] * (p - 1))
    X = draw(st.lists(row, min_size=p + 1, max_size=9))
    assume(rank(X) == p)
    share = st.sampled_from([0.0, 1.0, 0.5] if mixed else [0.0, 1.0])
    return X, draw(st.lists(share, min_size=len(X), max_size=len(X)))


def judged(X: list[tuple[int, ...]], y: list[float], weight: np.ndarray | None = None) -> Any:
    rows = Blocks(Block(Dense(np.array(X, dtype=float)), np.array(y), weight))
    return recession(rows, np.eye(len(X[0])))


def words(moves: np.ndarray) -> list[int | None]:
    return [None if np.isnan(m) else int(m) for m in moves]


def agrees(X: list[tuple[int, ...]], y: list[float]) -> None:
    exact, found = cone(X, y), judged(X, y)
    assert found.kind == exact.kind
    assert found.separated.tolist() == exact.separated
    assert words(found.moves) == exact.moves
    signs = np.where(np.array(y) > 0.5, 1.0, -1.0)
    along = (np.array(X, dtype=float) @ found.directions.T) * signs[:, None]
    pure = np.isin(y, [0.0, 1.0])
    assert (along[pure] >= -1e-7).all()
    assert (np.abs(along[~pure]) <= 1e-7).all()
    if exact.kind != "none":
        assert (along[np.array(exact.separated), 0] > 0).all()


@settings(max_examples=300, deadline=None)
@given(tables())
def test_kind_rows_and_moves_are_those_of_exact_arithmetic(table: tuple[Any, Any]) -> None:
    agrees(*table)


@settings(max_examples=200, deadline=None)
@given(tables(mixed=True))
def test_rows_with_both_outcomes_hold_every_direction_at_zero(table: tuple[Any, Any]) -> None:
    agrees(*table)


@settings(max_examples=60, deadline=None)
@given(tables(), st.integers(-8, 8))
def test_the_verdict_does_not_depend_on_the_units_of_the_rows(table: tuple[Any, Any], power: int) -> None:
    X, y = table
    found, scaled = judged(X, y), judged([tuple(10.0**power * v for v in x) for x in X], y)
    assert (found.kind, words(found.moves)) == (scaled.kind, words(scaled.moves))


@settings(max_examples=60, deadline=None)
@given(tables())
def test_constraints_that_join_as_they_are_violated_change_nothing(table: tuple[Any, Any]) -> None:
    limit = separation_module.CONSTRAINTS
    try:
        separation_module.CONSTRAINTS = 2
        agrees(*table)
    finally:
        separation_module.CONSTRAINTS = limit


@settings(max_examples=60, deadline=None)
@given(tables())
def test_a_row_of_weight_zero_is_not_there(table: tuple[Any, Any]) -> None:
    X, y = table
    weight = np.append(np.ones(len(X)), 0.0)
    found = judged([*X, X[0]], [*y, 1 - y[0]], weight)
    plain = judged(X, y)
    assert (found.kind, words(found.moves)) == (plain.kind, words(plain.moves))
    assert not found.separated[-1]


@settings(max_examples=150, deadline=None)
@given(tables(intercept=True))
def test_a_fit_says_of_each_term_what_exact_arithmetic_says(table: tuple[Any, Any]) -> None:
    X, y = table
    assume(len(set(y)) == 2)
    exact = cone(X, y)
    names = [f"x{j}" for j in range(1, len(X[0]))]
    data = {name: [row[j] for row in X] for j, name in enumerate(names, start=1)} | {"y": y}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = passline.fit("y ~ " + " + ".join(names), data)
    assert fit.separation.kind == exact.kind
    assert [issubclass(w.category, SeparationWarning) for w in caught] == [True] * (exact.kind != "none")
    terms = fit.model.terms
    expected = {None: "undetermined", 0: "ok", 1: "infinite", -1: "infinite"}
    assert list(terms.status) == [expected[move] for move in exact.moves]
    assert list(terms.limit) == [{1: "+inf", -1: "-inf"}.get(move or 0) for move in exact.moves]
    p = fit.predict(data)
    for i, separated in enumerate(exact.separated):
        assert p[i] == y[i] if separated else 0 < p[i] < 1


def test_what_no_direction_moves_is_estimated_on_the_rows_that_none_separates() -> None:
    x = [1.0, 2, 3, 4, 5, 6, 7, 8]
    y = [0, 1, 0, 1, 1, 0, 1, 1]
    with pytest.warns(SeparationWarning, match=r"g = b|gb = 1"):
        fit = passline.fit("y ~ x + g", {"x": [*x, 3, 4], "g": [*"aaaaaaaa", "b", "b"], "y": [*y, 1, 1]})
    assert fit.separation.kind == "quasi"
    assert fit.separation.terms == ("gb",)
    plain = passline.fit("y ~ x", {"x": x, "y": y})
    assert fit.coef["x"] == pytest.approx(plain.coef["x"], rel=1e-10)
    assert fit.coef["(Intercept)"] == pytest.approx(plain.coef["(Intercept)"], rel=1e-10)
    np.testing.assert_allclose(fit.model.terms.std_error[:2], plain.model.terms.std_error, rtol=1e-9)
    assert fit.glance()["log_likelihood"] == pytest.approx(plain.glance()["log_likelihood"], rel=1e-12)
    found = fit.predict({"x": [3, 3], "g": ["a", "b"]})
    assert found[0] == pytest.approx(plain.predict({"x": 3})[0])
    assert found[1] == 1.0


def test_predictions_are_open_inside_the_gap_and_certain_outside() -> None:
    with pytest.warns(SeparationWarning, match="x <= 2 has only y = 0 and x >= 3 only y = 1"):
        fit = passline.fit("y ~ x", {"x": [1, 2, 3], "y": [0, 0, 1]})
    p, low, high = fit.predict({"x": [1, 2, 2.001, 2.5, 2.999, 3, 10, None]}, interval="wald")
    assert p[[0, 1, 5, 6]].tolist() == low[[0, 1, 5, 6]].tolist() == high[[0, 1, 5, 6]].tolist() == [0, 0, 1, 1]
    assert np.isnan(p[[2, 3, 4, 7]]).all()


def test_outcomes_that_meet_at_one_value_are_quasi_separated_and_that_value_keeps_its_share() -> None:
    with pytest.warns(SeparationWarning, match="x < 2 has only y = 0 and x > 2 only y = 1"):
        fit = passline.fit("y ~ x", {"x": [1, 2, 2, 2, 3], "y": [0, 0, 1, 1, 1]})
    assert fit.separation.kind == "quasi"
    np.testing.assert_allclose(fit.predict({"x": [1, 2, 3]}), [0, 2 / 3, 1], rtol=1e-12)


def test_near_misses_are_not_separated() -> None:
    """One row on the wrong side by a millionth of the range: the estimate exists and is found."""
    x = np.concatenate([np.linspace(0, 1, 30), np.linspace(1, 2, 30)])
    y = np.repeat([0.0, 1.0], 30)
    x[29], x[30] = 1.0 + 5e-7, 1.0 - 5e-7
    fit = passline.fit("y ~ x", {"x": x, "y": y})
    assert fit.separation.kind == "none"
    assert fit.certificate["converged"]


@pytest.mark.parametrize("scale", [1e-170, 1e170])
def test_columns_whose_scale_has_no_square_get_the_verdict_of_any_scale(scale: float) -> None:
    x, z, y = np.array([1.0, 2, 3, 4, 5, 6]), [3.0, 1, 2, 5, 4, 7], [0, 0, 0, 1, 1, 1]
    fits = []
    for factor in (1.0, scale):
        with pytest.warns(passline.errors.SeparationWarning):
            fits.append(passline.fit("y ~ x + z", {"x": factor * x, "z": z, "y": y}))
    assert fits[0].separation.kind == fits[1].separation.kind == "complete"
    assert fits[0].tidy()["status"] == fits[1].tidy()["status"]
