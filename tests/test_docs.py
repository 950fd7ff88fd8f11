"""The documents do what they say: Python and commands are run in order, and what they print is compared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from documents import LINK, blocks, can_run, run_command, run_python, sessions, steady

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
DOCUMENTS = sorted(DOCS.rglob("*.md"))
# A console block that shows a refusal says its exit code by this command.
EXIT_CODE = ["echo", "$?"]


def name(document: Path) -> str:
    return document.relative_to(DOCS).as_posix()


def is_run(document: Path) -> bool:
    return any(code.language in ("python", "console") for code in blocks(document.read_text(encoding="utf-8")))


@pytest.mark.usefixtures("workplace")
@pytest.mark.filterwarnings("ignore::passline.errors.PasslineWarning")
@pytest.mark.parametrize("document", [document for document in DOCUMENTS if is_run(document)], ids=name)
def test_python_and_commands_run_in_order_and_print_what_stands_under_them(document):
    namespace: dict[str, object] = {"__name__": "__main__"}
    for code in blocks(document.read_text(encoding="utf-8")):
        place = f"{name(document)}, line {code.line}"
        if code.language == "python":
            assert steady(run_python(code, document, namespace)) == steady(code.printed), place
        elif code.language == "console":
            status = 0
            for words, printed in sessions(code):
                if words == EXIT_CODE:
                    assert printed.strip() == str(status), place
                elif can_run(words):
                    status, out = run_command(words)
                    assert steady(out) == steady(printed), f"{place}: {words}"
                    assert status == 0 or EXIT_CODE in [other for other, _ in sessions(code)], f"{place}: {words}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_link_to_a_file_leads_somewhere(document):
    for target in LINK.findall(document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), f"{name(document)} links to {target}"


def test_both_languages_of_the_lesson_show_the_same_code_and_the_same_pictures():
    english, chinese = ((DOCS / name).read_text(encoding="utf-8") for name in ("lesson.md", "lesson.zh-CN.md"))
    assert [(code.language, code.text) for code in blocks(english)] == [
        (code.language, code.text) for code in blocks(chinese)
    ]
    pictures = re.compile(r"!\[[^\]]+\]\(([^)]+)\)")
    shown = pictures.findall(english)
    assert len(shown) == 3
    assert shown == pictures.findall(chinese)
