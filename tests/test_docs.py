"""The documents do what they say: Python and commands are run in order, and what they print is compared."""

from __future__ import annotations

import re

import pytest

from documents import LINK, ROOT, blocks, played, renew, steady

DOCS = ROOT / "docs"
DOCUMENTS = sorted(DOCS.rglob("*.md"))


def name(document):
    return document.relative_to(DOCS).as_posix()


def is_run(document):
    return any(code.language in ("python", "console") for code in blocks(document.read_text(encoding="utf-8")))


@pytest.mark.usefixtures("workplace")
@pytest.mark.filterwarnings("ignore::passline.errors.PasslineWarning")
@pytest.mark.parametrize("document", [document for document in DOCUMENTS if is_run(document)], ids=name)
def test_python_and_commands_run_in_order_and_print_what_stands_under_them(document):
    for code, stood, now in played(document):
        assert steady(now) == steady(stood), f"{name(document)}, line {code.line}"


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


@pytest.mark.usefixtures("workplace")
def test_a_document_is_renewed_where_it_says_what_is_no_longer_so(tmp_path):
    document = tmp_path / "page.md"
    fit = "$ passline fit missing.csv 'y ~ x'\n"
    document.write_text(
        "a\n```python\nprint(1)\n```\n\n```text\n2\n```\n\n```python\nprint(3)\n```\nb\n"
        f"```console\n{fit}wrong\n$ echo $?\n0\n$ ls\nleft alone\n```\n"
    )
    renew(document)
    refusal = "passline: there is no file 'missing.csv'. Check the path.\n"
    assert document.read_text() == (
        "a\n```python\nprint(1)\n```\n\n```text\n1\n```\n\n```python\nprint(3)\n```\n\n```text\n3\n```\nb\n"
        f"```console\n{fit}{refusal}$ echo $?\n2\n$ ls\nleft alone\n```\n"
    )


@pytest.mark.usefixtures("workplace")
def test_a_command_that_fails_without_its_exit_code_being_shown_is_an_error(tmp_path):
    document = tmp_path / "page.md"
    document.write_text("```console\n$ passline fit missing.csv 'y ~ x'\n```\n")
    with pytest.raises(AssertionError, match="a command was refused"):
        list(played(document))
