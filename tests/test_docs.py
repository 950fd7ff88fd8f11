"""The documents do what they say: Python is run, and what it prints and what the lesson prints is compared."""

import re
import shlex
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import pytest

from passline.lesson import run

DOCS = Path(__file__).parent.parent / "docs"
DOCUMENTS = sorted(DOCS.rglob("*.md"))
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)[^)]*\)")
VALUES = {"epochs": int, "lr": float, "seed": int, "every": int}


@dataclass(frozen=True)
class Code:
    """A fenced block of a document, and the output that stands right under it, if any."""

    language: str
    text: str
    line: int
    printed: str | None


def blocks(document: Path) -> list[Code]:
    text = document.read_text(encoding="utf-8")
    found = list(FENCE.finditer(text))
    codes = []
    for fence, following in zip_longest(found, found[1:]):
        directly = following is not None and not text[fence.end() : following.start()].strip()
        printed = following[2] if directly and following is not None and following[1] == "text" else None
        codes.append(Code(fence[1], fence[2], text.count("\n", 0, fence.start()) + 2, printed))
    return codes


def lesson_options(words: list[str]) -> dict[str, object]:
    """What the command line makes of `passline lesson`'s options."""
    options: dict[str, object] = {}
    rest = iter(words)
    for word in rest:
        name = word.removeprefix("--")
        options[name] = True if name in {"json", "show"} else VALUES.get(name, str)(next(rest))
    return options


def with_block(language: str) -> list[Path]:
    return [path for path in DOCUMENTS if any(code.language == language for code in blocks(path))]


@pytest.mark.parametrize("document", with_block("python"), ids=lambda path: path.name)
def test_every_python_block_runs_in_order_and_prints_what_stands_under_it(document, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "__main__"}
    for code in blocks(document):
        if code.language != "python":
            continue
        source = "\n" * (code.line - 1) + code.text  # so that a traceback names the document's own line
        exec(compile(source, str(document), "exec"), namespace)
        assert capsys.readouterr().out == (code.printed or ""), f"{document.name}, line {code.line}"


@pytest.mark.parametrize("document", with_block("console"), ids=lambda path: path.name)
def test_every_lesson_command_prints_what_stands_under_it(document, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for code in blocks(document):
        sessions = re.split(r"^\$ ", code.text, flags=re.MULTILINE)[1:] if code.language == "console" else []
        for session in sessions:
            command, _, printed = session.partition("\n")
            words = shlex.split(command)
            if words[:2] == ["passline", "lesson"]:
                run(**lesson_options(words[2:]))
                assert capsys.readouterr().out == printed, f"{document.name}, line {code.line}: {command}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(document):
    for target in LINK.findall(document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_both_languages_of_the_lesson_show_the_same_code_and_the_same_pictures():
    english, chinese = DOCS / "lesson.md", DOCS / "lesson.zh-CN.md"
    assert [(code.language, code.text) for code in blocks(english)] == [
        (code.language, code.text) for code in blocks(chinese)
    ]
    pictures = re.compile(r"!\[[^\]]+\]\(([^)]+)\)")
    shown = pictures.findall(english.read_text("utf-8"))
    assert len(shown) == 3
    assert shown == pictures.findall(chinese.read_text("utf-8"))
