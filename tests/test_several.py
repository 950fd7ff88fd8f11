"""Rubin's rules by their definition, and tables of several models in four formats."""

from __future__ import annotations

import html.parser
import re
from typing import Any

import numpy as np
import pytest

import passline
from passline.errors import OptionError

path = passline.datasets.path


def imputed(m: int, seed: int = 0) -> list[dict[str, Any]]:
    """birthwt with a third of lwt drawn anew around it."""
    rng = np.random.default_rng(seed)
    data = {name: np.array(values) for name, values in passline.datasets.load("birthwt").items()}
    gone = rng.random(189) < 1 / 3
    return [{**data, "lwt": data["lwt"] + gone * rng.normal(0, 15, 189)} for _ in range(m)]


def test_rubin_s_rules_by_their_definition() -> None:
    """Barnard and Rubin (1999), (1) to (4), written out for one coefficient at a time."""
    m = 5
    fits = [passline.fit("low ~ age + lwt + smoke", data) for data in imputed(m)]
    rows = passline.pool(fits).rows()
    for j, row in enumerate(rows):
        q = [float(fit.model.coef[j]) for fit in fits]
        u = [float(fit.covariance[j, j]) for fit in fits]
        mean, within, between = np.mean(q), np.mean(u), np.var(q, ddof=1)
        total = within + (1 + 1 / m) * between
        gamma = (1 + 1 / m) * between / total
        classical, complete = (m - 1) / gamma**2, 189 - 4
        observed = (complete + 1) / (complete + 3) * complete * (1 - gamma)
        df = 1 / (1 / classical + 1 / observed)
        r = (1 + 1 / m) * between / within
        assert row["estimate"] == pytest.approx(mean, rel=1e-12)
        assert row["std_error"] == pytest.approx(np.sqrt(total), rel=1e-12)
        assert row["df"] == pytest.approx(df, rel=1e-12)
        assert row["fmi"] == pytest.approx((r + 2 / (df + 3)) / (r + 1), rel=1e-12)
        assert row["within"] == pytest.approx(within)
        assert row["between"] == pytest.approx(between, rel=1e-9)
        assert row["conf_low"] < row["estimate"] < row["conf_high"]


def test_tables_without_gaps_give_the_fit_with_barnard_and_rubin_s_df() -> None:
    fit = passline.fit("low ~ age + smoke", path("birthwt"))
    pooled = passline.pool([fit, fit, fit])
    assert pooled.coef == pytest.approx(fit.coef, rel=1e-14)
    assert np.allclose(pooled.covariance, fit.covariance, rtol=1e-14)
    assert [row["df"] for row in pooled.rows()] == pytest.approx([187 / 189 * 186] * 3)
    assert [row["between"] for row in pooled.rows()] == pytest.approx([0, 0, 0], abs=1e-30)


def test_aliased_terms_stay_aliased() -> None:
    tables = [{**data, "twice": data["age"] * 2} for data in imputed(2)]
    rows = passline.pool([passline.fit("low ~ age + twice + lwt", data) for data in tables]).rows()
    assert rows[2]["estimate"] is None
    assert rows[2]["p_value"] is None
    assert rows[3]["std_error"] > 0


def test_the_pooled_table_reads_well() -> None:
    pooled = passline.pool([passline.fit("low ~ age + lwt", data) for data in imputed(3)])
    text = repr(pooled)
    assert text.startswith("low ~ age + lwt\n3 imputed tables of 189 rows, pooled.\n")
    assert len(pooled.tidy()["term"]) == 3
    assert pooled.as_json()["terms"][0]["term"] == "(Intercept)"


@pytest.mark.filterwarnings("ignore::passline.errors.PasslineWarning")
def test_what_cannot_be_pooled_is_refused() -> None:
    tables = imputed(2)
    a, b = (passline.fit("low ~ age + lwt", data) for data in tables)
    refusals = [
        ([a], "at least two"),
        ([a, "b"], "number 2 is a str"),
        ([a, passline.fit("low ~ age", tables[1])], "differ in terms"),
        ([a, passline.fit("low ~ age + lwt", tables[1], robust="hc1")], "differ in robust errors"),
        ([a, passline.fit("low ~ age + lwt", {k: v[1:] for k, v in tables[1].items()})], "number of rows"),
        ([a, passline.fit("low ~ age + lwt", tables[1], positive="0")], "differ in an outcome"),
        ([passline.fit("low ~ scale(lwt)", data) for data in tables], r"learned scale\(lwt\) from different values"),
        ([passline.fit("HG ~ NV", path("endometrial"))] * 2, "fit 1 is separated"),
        ([passline.fit("low ~ age", tables[0], penalty=passline.Penalty(l2=1))] * 2, "no standard errors"),
    ]
    for fits, message in refusals:
        with pytest.raises(OptionError, match=message):
            passline.pool(fits)
    with pytest.raises(OptionError, match="the level is 2"):
        passline.pool([a, b], level=2)


class Cells(html.parser.HTMLParser):
    """The texts of a table's cells, row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.open = False

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "tr":
            self.rows.append([])
        self.open = tag in ("td", "th")
        if self.open:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self.open = False

    def handle_data(self, data: str) -> None:
        if self.open:
            self.rows[-1][-1] += data


ODD = "<b>50% & a_b|c\\d$e</b> [red]"


def odd_fits() -> dict[str, passline.Fit]:
    data = passline.datasets.load("birthwt")
    data[ODD] = data["lwt"]
    return {
        "crude": passline.fit("low ~ smoke", data),
        ODD: passline.fit(f"low ~ age + `{ODD}` + smoke", data),
    }


def test_html_shows_names_as_they_are_and_nothing_of_them_as_markup() -> None:
    text = passline.side_by_side(odd_fits(), "html")
    cells = Cells()
    cells.feed(text)
    assert cells.rows[0] == ["", "crude", ODD]
    names = [row[0] for row in cells.rows[1:]]
    assert names[:4] == ["(Intercept)", "age", f"`{ODD}`", "smoke"]
    assert {len(row) for row in cells.rows} == {3}
    assert "<b>" not in text


def test_markdown_keeps_its_columns_and_takes_no_name_for_markup() -> None:
    lines = passline.side_by_side(odd_fits(), "markdown").split("\n")
    rows = lines[: lines.index("")]
    assert {len(re.split(r"(?<!\\)(?:\\\\)*\|", row)) for row in rows} == {5}
    assert re.search(r"\\<b\\>50% \\& a\\_b\\\|c\\\\d\\\$e\\<", rows[0])
    assert not re.search(r"(?<!\\)[<*_`\[$]", "".join(rows))


def test_latex_keeps_its_columns_and_escapes_what_it_reads() -> None:
    text = passline.side_by_side(odd_fits(), "latex", ratio=False)
    rows = [line for line in text.split("\n") if line.endswith(r" \\") and "multicolumn" not in line]
    assert {len(re.split(r"(?<!\\)&", row)) for row in rows} == {3}
    assert r"50\% \& a\_b\textbar{}c\textbackslash{}d\$e" in rows[0]
    assert "$-$" in text
    assert text.count("{") == text.count("}")


def test_text_takes_no_name_for_colours_and_shows_the_sums() -> None:
    text = passline.side_by_side(odd_fits())
    assert ODD in text
    assert re.search(r"Rows +189 +189", text)
    assert re.search(r"AIC +233\.80 +\d", text)
    assert text.endswith("Odds ratios, with 95 % intervals in brackets.")


def test_a_term_stands_before_the_terms_it_stands_before_in_its_own_model() -> None:
    fits = {
        "a": passline.fit("low ~ age + lwt", path("birthwt")),
        "b": passline.fit("low ~ age + smoke + lwt + ht", path("birthwt")),
    }
    text = passline.side_by_side(fits, "markdown")
    assert re.findall(r"^\| (\w+) \|", text, re.MULTILINE)[:4] == ["age", "smoke", "lwt", "ht"]


@pytest.mark.filterwarnings("ignore::passline.errors.SeparationWarning")
def test_infinite_estimates_are_said_in_words() -> None:
    fits = {"e": passline.fit("HG ~ NV + EH", path("endometrial"))}
    assert "| NV | infinite |" in passline.side_by_side(fits, "markdown")
    assert "| NV | +infinite |" in passline.side_by_side(fits, "markdown", ratio=False)


def test_standard_errors_and_their_kind_can_be_shown() -> None:
    fits = {
        "plain": passline.fit("low ~ age", path("birthwt")),
        "robust": passline.fit("low ~ age", path("birthwt"), robust="hc1", level=0.9),
    }
    text = passline.side_by_side(fits, ratio=False, errors="std_error")
    assert re.search(r"Standard errors +of the model +robust \(HC1\)", text)
    with pytest.raises(OptionError, match=r"different levels \(0.9, 0.95\)"):
        passline.side_by_side(fits)


def test_words_that_are_no_choice_are_refused() -> None:
    fit = passline.fit("low ~ age", path("birthwt"))
    for fits, options, message in (
        ({"a": fit}, {"format": "rtf"}, "choose one of text, markdown, html, latex"),
        ({"a": fit}, {"errors": "none"}, "choose 'interval' or 'std_error'"),
        ({}, {}, "takes the fits by name"),
        ([fit], {}, "takes the fits by name"),
        ({"a": 1}, {}, "'a' is a int"),
    ):
        with pytest.raises(OptionError, match=message):
            passline.side_by_side(fits, **options)
