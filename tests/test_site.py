"""The documentation as a site: built without a warning, whole, readable without a network, and complete."""

from __future__ import annotations

import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import passline
from passline.cli import app
from passline.cli.app import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
# What a page loads by itself, as opposed to where a reader may go.
LOADED = {
    "script": "src",
    "img": "src",
    "link": "href",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
}


class Page(HTMLParser):
    """What a page loads, where its links lead, the places in it, and the text of its formulas and codes."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.loads: list[str] = []
        self.links: list[str] = []
        self.places: set[str] = set()
        self.codes: list[str] = []
        self._in_code = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        if "id" in found:
            self.places.add(found["id"])
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag in LOADED and LOADED[tag] in found:
            self.loads.append(found[LOADED[tag]])
        if tag == "code":
            self._in_code = True
            self.codes.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "code":
            self._in_code = False

    def handle_data(self, data: str) -> None:
        if self._in_code:
            self.codes[-1] += data


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", "-b", "html", str(DOCS), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[Path, str]:
    """The site from a clean state, and what building it said."""
    folder = tmp_path_factory.mktemp("site")
    done = build(folder)
    assert (folder / "index.html").exists(), done.stderr
    return folder, f"{done.stdout}{done.stderr}" + ("" if done.returncode == 0 else f"exit code {done.returncode}")


@pytest.fixture(scope="module")
def site(built) -> Path:
    return built[0]


@pytest.fixture(scope="module")
def pages(site) -> dict[Path, Page]:
    found = {path: Page(path) for path in sorted(site.rglob("*.html"))}
    assert len(found) > 40
    return found


def test_the_site_is_built_without_a_warning(built):
    assert built[1] == ""


def test_every_document_is_a_page(site):
    missing = [
        path.relative_to(DOCS)
        for path in DOCS.rglob("*.md")
        if not (site / path.relative_to(DOCS)).with_suffix(".html").exists()
    ]
    assert missing == []


def test_every_link_within_the_site_leads_to_a_file_and_a_place_in_it(site, pages):
    broken = []
    for page in pages.values():
        for link in page.links:
            there = urlsplit(link)
            if there.scheme or there.netloc:
                continue
            target = (page.path.parent / unquote(there.path)).resolve() if there.path else page.path
            if not target.is_file() or not target.is_relative_to(site.resolve()):
                broken.append(f"{page.path.relative_to(site)}: {link}")
                continue
            known = pages.get(site / target.relative_to(site.resolve()))
            if there.fragment and known is not None and unquote(there.fragment) not in known.places:
                broken.append(f"{page.path.relative_to(site)}: {link} (no such place)")
    assert broken == []


def test_no_page_loads_anything_from_elsewhere(site, pages):
    loaded = {(page.path.name, url) for page in pages.values() for url in page.loads if not url.startswith("data:")}
    assert len(loaded) > 100
    outside = [(name, url) for name, url in loaded if urlsplit(url).scheme or url.startswith("//")]
    assert outside == []
    lost = [
        f"{page.path.relative_to(site)}: {url}"
        for page in pages.values()
        for url in page.loads
        if url != "#" and not url.startswith("data:") and not (page.path.parent / unquote(urlsplit(url).path)).is_file()
    ]
    assert lost == []
    for style in site.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert "@import" not in text, style.name
        assert "url(http" not in text.replace('"', "").replace("'", ""), style.name
        assert "url(//" not in text.replace('"', "").replace("'", ""), style.name


def test_formulas_are_mathml_that_needs_no_script(site, pages):
    text = (site / "explanation" / "optimum.html").read_text(encoding="utf-8")
    assert text.count("<math") > 20
    assert "\\frac" not in text
    loaded = {Path(urlsplit(url).path).name.lower() for page in pages.values() for url in page.loads}
    assert [name for name in loaded if "math" in name or "katex" in name] == []


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (r"\tfrac12 w", ["<mn>1</mn>", "<mn>2</mn>", "<mi>w</mi>"]),
        (r"\tfrac1n", ["<mn>1</mn>", "<mi>n</mi>"]),
        (r"\frac{12}{n}", ["<mn>12</mn>", "<mi>n</mi>"]),
        ("|w|", ['form="prefix">|', "<mi>w</mi>", 'form="postfix">|']),
        (r"\log w", ["<mi>log</mi>", "<mspace", "<mi>w</mi>"]),
    ],
)
def test_a_formula_says_what_was_written(monkeypatch, written, shown):
    monkeypatch.syspath_prepend(str(DOCS / "extensions"))
    from mathml import formula

    found = formula(written, None, block=False)
    places = [found.find(part) for part in shown]
    assert places == sorted(places)
    assert -1 not in places


def test_the_live_lesson_is_in_the_site_as_it_is_in_the_repository_and_linked_from_every_page(site, pages):
    assert (site / "play.html").read_bytes() == (DOCS / "play.html").read_bytes()
    for path, page in pages.items():
        if path.name != "play.html":
            linked = [(path.parent / link).resolve() for link in page.links if link.endswith("play.html")]
            assert linked, path.name
            assert set(linked) == {(site / "play.html").resolve()}, path.name


def test_every_public_name_has_an_entry_in_the_reference(site, pages):
    places = pages[site / "reference" / "python.html"].places
    named = {name for name in passline.__all__ if not name.startswith("__")}
    assert len(named) > 10
    missing = [name for name in named if not {f"passline.{name}", f"module-passline.{name}"} & places]
    assert missing == []
    methods = [name for name in dir(passline.Fit) if not name.startswith("_")]
    unseen = {"of_rows", "fingerprinted"}
    assert [name for name in methods if name not in unseen and f"passline.Fit.{name}" not in places] == []


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("passline.fit", True),
        ("passline.inference.robust", True),
        ("passline.show.plots.write", True),
        ("passline.nothing", False),
        ("passline.facade.Fit.nothing", False),
    ],
)
def test_a_docstring_may_refer_to_what_has_no_entry_but_not_to_what_is_not_there(monkeypatch, name, there):
    monkeypatch.syspath_prepend(str(DOCS / "extensions"))
    from public_names import is_there

    assert is_there(name) is there


def test_every_command_and_every_option_is_in_the_reference(site, pages):
    page = pages[site / "reference" / "command-line.html"]
    assert {f"passline-{name}" for name in COMMANDS} <= page.places
    words = {word.strip(",") for code in page.codes for word in code.split()}
    options = {
        name
        for command in COMMANDS
        for argument in app[command].assemble_argument_collection()
        for name in argument.names
    }
    assert len(options) > 30
    assert options - words == set()


def test_every_table_in_the_box_is_described(pages, site):
    text = (DOCS / "reference" / "datasets.md").read_text(encoding="utf-8")
    for name in passline.datasets.names():
        assert f"\n{name}: " in text


def test_the_search_index_knows_the_pages(site):
    text = (site / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(text[text.index("(") + 1 : text.rindex(")")])
    assert {"index", "tutorial/first-analysis", "explanation/separation", "lesson.zh-CN"} <= set(index["docnames"])
