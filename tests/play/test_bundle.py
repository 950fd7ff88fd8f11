"""The page's modules: each says what it knows, and become one script in the order in which they need each other."""

from __future__ import annotations

import re

import pytest

from passline.show.play import bundle as bundler
from passline.show.play.bundle import PAGE, bundle

MODULES = sorted(PAGE.glob("*.js"))


@pytest.mark.parametrize("module", MODULES, ids=lambda file: file.name)
def test_a_module_says_what_it_knows_keeps_under_400_lines_and_never_makes_markup_of_text(module):
    text = module.read_text(encoding="utf-8")
    assert text.startswith("/** ")
    assert text.count("\n") < 400
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", text)


def test_every_module_is_part_of_the_page():
    script = bundle("main.js")
    assert [module.name for module in MODULES if f'$["{module.name}"] = ' not in script] == []


def test_a_module_stands_after_all_that_it_needs(tmp_path, monkeypatch):
    monkeypatch.setattr(bundler, "PAGE", tmp_path)
    (tmp_path / "a.js").write_text('import { b } from "./b.js";\nexport const a = b + 1;\n', encoding="utf-8")
    (tmp_path / "b.js").write_text("export const b = 1;\n", encoding="utf-8")
    script = bundle("a.js")
    assert script.index("const b = 1") < script.index("const a = b + 1")
    assert "import" not in script


@pytest.mark.parametrize("form", ['import * as b from "./b.js";', "export default 3;", 'import b from "./b.js";'])
def test_a_form_that_the_bundler_does_not_know_stops_it(form, tmp_path, monkeypatch):
    monkeypatch.setattr(bundler, "PAGE", tmp_path)
    (tmp_path / "a.js").write_text(f"{form}\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="form that bundle"):
        bundle("a.js")


def test_modules_that_need_each_other_in_a_circle_stop_it(tmp_path, monkeypatch):
    monkeypatch.setattr(bundler, "PAGE", tmp_path)
    (tmp_path / "a.js").write_text('import { b } from "./b.js";\nexport const a = 1;\n', encoding="utf-8")
    (tmp_path / "b.js").write_text('import { a } from "./a.js";\nexport const b = 1;\n', encoding="utf-8")
    with pytest.raises(AssertionError, match="circle"):
        bundle("a.js")
