"""The report's modules: each says what it knows, none makes markup of text, and all are part of the page."""

from __future__ import annotations

import re

import pytest

from passline.show.page.bundle import SHARED
from passline.show.report.page import LIBRARIES, MOST_BYTES, PAGE, modules, script

MODULES = sorted([*PAGE.glob("*.js"), *SHARED.glob("*.js")])


@pytest.mark.parametrize("module", MODULES, ids=lambda file: file.name)
def test_a_module_says_what_it_knows_keeps_under_400_lines_and_never_makes_markup_of_text(module):
    text = module.read_text(encoding="utf-8")
    assert text.startswith("/** ")
    assert text.count("\n") < 400
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", text)


def test_every_module_and_library_is_part_of_the_page_with_the_libraries_licence():
    made = script(None)
    for name in [*(file.name for file in MODULES), *LIBRARIES, "model.js"]:
        assert f'$["{name}"] = ' in made
    assert "Copyright 2010-2026 Mike Bostock (D3)" in made
    assert "Copyright 2020-2025 Observable, Inc. (Observable Plot)" in made
    assert len(made.encode()) < MOST_BYTES / 2


def test_a_module_that_is_in_no_file_is_bundled_by_its_text():
    made = modules("export const about = 3;\nexport function logit() { return 1; }\n").bundle("model.js")
    assert "return { about, logit };" in made
