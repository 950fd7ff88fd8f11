"""The gallery: its page, its script and its pictures agree, and the code on the page draws what the page shows."""

from __future__ import annotations

import importlib.util
import re
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from passline.errors import PasslineWarning

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = (DOCS / "gallery.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"!\[[^\]]+\]\(pictures/gallery-([\w-]+)\.png\)", PAGE)
# What is drawn here again: one of each sort, the quick ones.
AGAIN = ("curve-separated", "coefficients", "effect-averaged", "effects", "roc", "gains", "residuals", "loss-epochs")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    place = importlib.util.spec_from_file_location("make_gallery", DOCS / "pictures" / "make_gallery.py")
    assert place is not None
    assert place.loader is not None
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    return module


def drawn_by_the_page() -> dict[str, Any]:
    """The axes that the last line of code before each picture gives, for the pictures that are drawn again."""
    names: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for code, picture in re.findall(r"```python\n(.*?)```|pictures/gallery-([\w-]+)\.png", PAGE, re.DOTALL):
        if code:
            *before, last = code.strip().splitlines()
            is_picture = ".plot." in last or last.startswith("loss_curve")
            exec("\n".join(before if is_picture else [*before, last]), names)
        elif picture in AGAIN:
            axes = eval(last, names)
            found[picture] = axes[0] if isinstance(axes, list) else axes
    return found


def test_every_picture_of_the_page_is_made_by_the_script_and_is_there_and_small(script: ModuleType) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PasslineWarning)
        made = set(script.pictures())
    assert len(SHOWN) == len(set(SHOWN))
    assert set(SHOWN) == made
    there = {path.stem.removeprefix("gallery-"): path for path in (DOCS / "pictures").glob("gallery-*.png")}
    assert set(there) == made
    assert max(path.stat().st_size for path in there.values()) < 60_000


def test_the_code_on_the_page_draws_what_the_script_draws(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the page saves a model
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PasslineWarning)
        found = drawn_by_the_page()
        assert set(found) == set(AGAIN)
        for name, axes in found.items():
            script.put(axes, tmp_path / "page.png")
            assert (tmp_path / "page.png").read_bytes() == script.make(name, tmp_path).read_bytes(), name
