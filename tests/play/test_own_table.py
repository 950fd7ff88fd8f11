"""play DATA FORMULA: a table of one's own on the page, its names as text whatever they hold; and the command."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

import passline
from passline import cli
from passline.errors import CannotFitError, DataError, InputError, OptionError
from passline.show.play.page import play_page
from passline.show.play.table import MOST_ROWS, play_table

STUDENTS = str(passline.datasets.path("students"))
HOSTILE = [
    "</script><script>document.title='broken'</script>",
    "<img src=x onerror=alert(1)>",
    "a\"b'c`d`",
    "left\u202eright\u0007\u200f",
    "x" * 500,
    "שעות",
]


@pytest.fixture
def shown(browser, tmp_path):
    """Open a page of a table; any word on its console fails the test."""
    context = browser.new_context(offline=True, locale="en-GB")
    wrong: list[str] = []

    def open_page(html, fragment=""):
        (tmp_path / "own.html").write_text(html, encoding="utf-8")
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"{(tmp_path / 'own.html').as_uri()}#{fragment}")
        expect(page.locator("#after")).not_to_be_empty()
        return page

    yield open_page
    context.close()
    assert wrong == []


def test_a_table_of_ones_own_descends_to_the_fit_of_that_table(shown):
    page = shown(play_page(play_table(STUDENTS, "passed ~ hours")), "steps=30000&more=1")
    expect(page.locator("#reading")).to_have_attribute("data-steps", "30000", timeout=20_000)
    assert float(page.locator("#reading").get_attribute("data-boundary")) == pytest.approx(2.710083, abs=1e-3)
    assert page.locator("#title").inner_text() == "Where along hours does passed flip?"
    assert [item.get_attribute("data-key") for item in page.locator("#notices li").all()] == ["converged"]
    assert "2.710083" in page.locator("#exact").inner_text()


def test_a_separated_table_is_said_to_be_so_at_once(shown):
    page = shown(play_page(play_table({"dose": [1.0, 2.5, 4.0], "died": ["no", "no", "yes"]}, "died ~ dose")))
    expect(page.locator("#notices")).to_contain_text("completely separated: nothing lies between 2.5 and 4.")
    assert page.locator("rect.gap").count() == page.locator("path.firth").count() == 1


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("language", ["en", "zh"])
def test_names_and_labels_are_text_whatever_they_hold(shown, name, language):
    table = (
        play_table({name: [1.0, 2.0, 3.0, 4.0], "y": [name, "no", name, "no"]}, f"y ~ `{name}`")
        if ("`" not in name)
        else play_table({"x": [1.0, 2.0, 3.0, 4.0], "y": [name, "no", name, "no"]}, "y ~ x")
    )
    page = shown(play_page(table), f"steps=10&more=1&lang={language}")
    assert page.locator("script").count() == 2
    assert page.locator("img").count() == 0
    assert "passline" in page.title()
    text = page.locator("body").inner_text()
    assert not set(text) & set("\u202e\u200f\u0007")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert name[:4].replace("`", "ˋ") in text


def test_numbers_large_and_small_are_drawn_and_descend(shown):
    x = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    y = [0, 0, 1, 0, 1, 1]
    # With numbers of 1e12 torch's start is cut off at a loss of 100 a row, and the page says so.
    for scale, said_of_it in ((1e-8, "overlap"), (1e12, "stuck")):
        page = shown(play_page(play_table({"x": x * scale, "y": y}, "y ~ x")), "steps=500&more=1")
        expect(page.locator("#reading")).to_have_attribute("data-steps", "500")
        keys = [item.get_attribute("data-key") for item in page.locator("#notices li").all()]
        assert keys == [said_of_it]
        fit = passline.fit("y ~ x", {"x": x * scale, "y": y})
        said = re.search(r"flips at (\S+)\.$", page.locator("#exact").inner_text(), re.MULTILINE)[1]
        assert float(said.replace("−", "-")) == pytest.approx(fit.boundary("x").estimate, rel=1e-6)


def test_the_rate_that_a_table_begins_with_lets_the_loss_fall_at_every_step(call):
    random = np.random.default_rng(3)
    for scale, shift in ((1.0, 0.0), (1e-3, 5.0), (50.0, 2000.0)):
        x = scale * random.normal(size=60) + shift
        table = play_table({"x": x, "y": (random.random(60) < 0.5).astype(int)}, "y ~ x")
        function = """({begin, advance, LESSON}, {x, y, rate}) => {
          const run = begin(x.map((at, i) => ({x: at, y: y[i]})), {...LESSON, rate});
          advance(run, 300);
          return run.trace.losses;
        }"""
        losses = call("descent.js", function, table.as_json())
        assert (np.diff(losses) <= 1e-9 * losses[0]).all()
        assert losses[-1] < losses[0]


def test_of_many_rows_a_thousand_are_shown_with_the_shares_of_both_outcomes():
    n = 25_000
    y = (np.arange(n) % 50 == 0).astype(int)
    table = play_table({"x": np.arange(n, dtype=float), "y": y}, "y ~ x")
    assert (table.X.shape, table.read) == ((MOST_ROWS, 1), n)
    assert table.y.sum() == 20
    assert (np.diff(table.X[:, 0]) > 0).all()
    again = play_table({"x": np.arange(n, dtype=float), "y": y}, "y ~ x")
    assert (table.X == again.X).all()


def test_a_transformed_predictor_is_shown_as_its_term_and_incomplete_rows_are_left_out():
    data = {"x": [1.0, 10.0, None, 100.0], "y": [0, 1, 1, 0]}
    table = play_table(data, "y ~ log(x)")
    assert table.predictors == ("log(x)",)
    assert table.X[:, 0].tolist() == pytest.approx(np.log([1, 10, 100]).tolist())
    assert (len(table.y), table.read) == (3, 4)


@pytest.mark.parametrize(
    ("formula", "error", "said"),
    [
        ("y ~ x + z + big", OptionError, "3 columns (x, z, big)"),
        ("y ~ x + g", OptionError, "numbers both"),
        ("y ~ 0 + x", OptionError, "no intercept"),
        ("y ~ g", OptionError, "one predictor or two, numbers"),
        ("y ~ 1", OptionError, "no columns"),
        ("y ~ w", InputError, "w"),
        ("y ~ big", DataError, "rescale"),
        ("x ~ z", DataError, "different values"),
        ("one ~ x", CannotFitError, "needs both outcomes"),
    ],
)
def test_what_the_page_cannot_show_is_refused_in_words(formula, error, said):
    data = {
        "x": [1.0, 2.0, 3.0, 4.0],
        "z": [1.0, 0.0, 3.0, 5.0],
        "g": ["a", "b", "a", "b"],
        "big": [1.0, 2.0, 3.0, 1e200],
        "y": [0, 1, 0, 1],
        "one": [1, 1, 1, 1],
    }
    with pytest.raises(error, match=said.replace("(", r"\(").replace(")", r"\)")):
        play_table(data, formula)


def test_the_command_writes_a_page_and_says_where(capsys, tmp_path: Path):
    signals = signal.getsignal(signal.SIGPIPE)
    try:
        assert cli.run(["play", "-o", str(tmp_path / "lesson.html")]) == 0
        assert cli.run(["play", STUDENTS, "passed ~ hours", "-o", str(tmp_path / "own.html")]) == 0
    finally:
        signal.signal(signal.SIGPIPE, signals)
    assert "lesson.html" in capsys.readouterr().out
    assert (tmp_path / "lesson.html").read_text(encoding="utf-8") == play_page()
    assert "students.csv" in (tmp_path / "own.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "arguments",
    [
        ["-o", "page.html", "--port", "8000"],
        ["--port", "70000"],
        ["--port", "-1"],
        [STUDENTS, "-o", "page.html"],
        [STUDENTS, "passed ~ nothing", "-o", "page.html"],
        ["gone.csv", "passed ~ hours", "-o", "page.html"],
        ["-o", "gone/page.html"],
        ["--prot", "-o", "page.html"],
    ],
    ids=str,
)
def test_the_command_refuses_what_it_cannot_do_and_leaves_nothing(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    signals = signal.getsignal(signal.SIGPIPE)
    try:
        assert cli.run(["play", *arguments]) == 2
    finally:
        signal.signal(signal.SIGPIPE, signals)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("passline: ")
    assert list(tmp_path.iterdir()) == []


def test_the_function_writes_the_page_too(tmp_path: Path):
    passline.play(tmp_path / "own.html", {"x": [1.0, 2.0, 3.0], "y": [0, 1, 0]}, "y ~ x")
    assert '"predictor"' not in (text := (tmp_path / "own.html").read_text(encoding="utf-8"))
    assert '"x": [1.0, 2.0, 3.0]' in text


def test_the_command_serves_the_page_on_a_port_until_it_is_interrupted():
    command = [sys.executable, "-c", "from passline.cli import main; main()", "play"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        said = server.stdout.readline()
        port = int(said.split("127.0.0.1:")[1].split("/")[0])
        answers = {}
        for path in ("/", "/?x=1", "/other"):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("GET", path)
            response = connection.getresponse()
            answers[path] = (response.status, response.read().decode())
            connection.close()
        server.send_signal(signal.SIGINT)
        out, err = server.communicate(timeout=20)
    assert [status for status, _ in answers.values()] == [200, 200, 404]
    assert '<link rel="icon" href="data:,">' in answers["/"][1]  # else a browser would ask for one, and be refused
    assert answers["/"][1] == play_page()
    assert (server.returncode, out) == (0, "")
    assert "Traceback" not in err


def test_a_port_that_is_taken_is_said():
    import socket

    from passline.show.play.serve import serve

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OptionError, match="cannot be used"):
            serve("page", taken.getsockname()[1], print)


def test_the_page_in_the_documentation_is_the_page_that_the_command_writes():
    """`passline play -o docs/play.html` renews it."""
    shipped = Path(__file__).resolve().parents[2] / "docs" / "play.html"
    assert shipped.read_text(encoding="utf-8") == play_page()


def test_of_many_rows_the_first_twenty_are_listed_until_all_are_asked_for(shown):
    random = np.random.default_rng(2)
    x, z = random.normal(size=(2, 60))
    page = shown(play_page(play_table({"x": x, "z": z, "y": [0, 1] * 30}, "y ~ x + z")), "more=1")
    rows = page.locator(".points-table tbody tr")
    expect(rows).to_have_count(20)
    page.get_by_role("button", name="List all 60").press("Enter")
    expect(rows).to_have_count(60)
    expect(rows.nth(20).locator("input").first).to_be_focused()
    expect(page.locator("#points-all")).to_be_hidden()
    rows.nth(59).locator("input").first.fill("0.5")
    expect(page.locator(".point").nth(59)).to_have_attribute("aria-valuenow", "0.5")
