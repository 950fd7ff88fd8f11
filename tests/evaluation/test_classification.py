"""Counts at a threshold, and the rules that choose one, against a search over every threshold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passline.errors import OptionError
from passline.evaluation.classification import Rule, confusion, make_rule, ratios
from passline.evaluation.discrimination import ranked
from passline.evaluation.scored import Scored
from passline.evaluation.scores import probabilities

ROWS = st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=2, max_size=30)


def scored_of(rows: list[tuple[int, bool]]) -> Scored:
    eta, y = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return Scored.of(eta, y)


@settings(deadline=None)
@given(ROWS, st.floats(0, 1))
def test_the_counts_are_those_of_probabilities_of_at_least_the_threshold(
    rows: list[tuple[int, bool]], threshold: float
) -> None:
    scored = scored_of(rows)
    called, y = probabilities(scored) >= threshold, scored.successes == 1
    expected = [(called & y).sum(), (called & ~y).sum(), (~called & ~y).sum(), (~called & y).sum()]
    assert list(confusion(ranked(scored), threshold).cells) == expected


def test_a_probability_within_rounding_of_the_threshold_has_reached_it() -> None:
    scored = Scored.of(np.array([np.nextafter(0.0, -1.0), -1e-16, 0.0]), np.ones(3))
    assert confusion(ranked(scored), 0.5).true_positives == 3


def test_at_zero_everyone_is_called_positive_and_at_one_only_who_is_certain() -> None:
    rows = ranked(Scored.of(np.array([-np.inf, -3.0, 3.0, np.inf]), np.array([0.0, 0, 1, 1])))
    assert confusion(rows, 0.0).called_negative == 0
    assert confusion(rows, 1.0).called_positive == 1


@settings(deadline=None)
@given(ROWS, st.sampled_from(["sensitivity", "specificity", "youden"]), st.sampled_from([0.0, 0.3, 0.5, 0.8, 1.0]))
def test_a_rule_finds_what_a_search_over_all_thresholds_finds(
    rows: list[tuple[int, bool]], kind: str, least: float
) -> None:
    scored = scored_of(rows)
    order, rule = ranked(scored), Rule(kind, least)
    threshold = rule.threshold(order)
    if scored.one_class:
        assert math.isnan(threshold)
        return
    found = confusion(order, threshold).ratios()
    every = [confusion(order, t).ratios() for t in [0.0, *np.linspace(0.001, 0.999, 400), 1.0]]
    if kind == "youden":
        best = max(one["sensitivity"] + one["specificity"] for one in every)
        assert found["sensitivity"] + found["specificity"] == pytest.approx(best)
        return
    other = "specificity" if kind == "sensitivity" else "sensitivity"
    assert found[kind] >= least - 1e-9
    assert found[other] == pytest.approx(max(one[other] for one in every if one[kind] >= least - 1e-9))


def test_a_chosen_threshold_lies_halfway_between_two_probabilities() -> None:
    p = np.array([0.2, 0.4, 0.7])
    rows = ranked(Scored.of(np.log(p / (1 - p)), np.array([0.0, 0.0, 1.0])))
    assert Rule("youden").threshold(rows) == pytest.approx(0.55)
    assert Rule("specificity", 1.0).threshold(rows) == pytest.approx(0.55)
    assert Rule("sensitivity", 1.0).threshold(rows) == pytest.approx(0.55)


def test_probabilities_that_no_double_parts_are_not_parted() -> None:
    rows = ranked(Scored.of(np.array([-1.0, 45.0, 60.0]), np.array([0.0, 0.0, 1.0])))
    threshold = Rule("youden").threshold(rows)
    assert 0 < threshold < 1
    assert confusion(rows, threshold).cells == (1.0, 1.0, 1.0, 0.0)


def test_nobody_can_be_called_negative_by_a_threshold_where_a_failure_is_certain_to_succeed() -> None:
    rows = ranked(Scored.of(np.array([-1.0, np.inf]), np.array([1.0, 0.0])))
    threshold = Rule("specificity", 1.0).threshold(rows)
    assert math.isinf(threshold)


def test_the_threshold_of_costs_is_the_share_of_the_false_positives() -> None:
    assert make_rule(None, (1, 5), None, None).value == pytest.approx(1 / 6)
    assert make_rule(None, (1e300, 1e300), None, None).value == 0.5


def test_ratios_without_a_denominator_do_not_exist() -> None:
    nobody = {name: float(v[0]) for name, v in ratios(*(np.array([c]) for c in (0.0, 0.0, 5.0, 2.0))).items()}
    assert math.isnan(nobody["precision"])
    assert math.isnan(nobody["mcc"])
    assert nobody["f1"] == 0.0
    assert nobody["accuracy"] == pytest.approx(5 / 7)


def test_matthews_correlation_of_huge_counts_neither_overflows_nor_drifts() -> None:
    big = ratios(*(np.array([c]) for c in (4e100, 1e100, 3e100, 2e100)))["mcc"][0]
    small = ratios(*(np.array([c]) for c in (4.0, 1.0, 3.0, 2.0)))["mcc"][0]
    assert big == pytest.approx(small)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"threshold": 1.5}, "threshold is 1.5"),
        ({"threshold": math.nan}, "threshold is nan"),
        ({"threshold": "best"}, "'youden'"),
        ({"threshold": True}, "threshold is True"),
        ({"sensitivity": -0.1}, "sensitivity is"),
        ({"specificity": "high"}, "specificity is"),
        ({"cost": (1, 0)}, "two positive numbers"),
        ({"cost": (1, -5)}, "two positive numbers"),
        ({"cost": (1, 2, 3)}, "two positive numbers"),
        ({"cost": 5}, "two positive numbers"),
        ({"cost": (1, math.inf)}, "two positive numbers"),
        ({"threshold": 0.5, "cost": (1, 5)}, "exclude each other"),
        ({"sensitivity": 0.9, "specificity": 0.9}, "exclude each other"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(asked: dict[str, object], text: str) -> None:
    with pytest.raises(OptionError, match=text):
        make_rule(**({"threshold": None, "cost": None, "sensitivity": None, "specificity": None} | asked))
