"""The README does what it says: its Python blocks run and print what stands under them, and so do its commands."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import pytest

from passline import cli

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)[^)]*\)")
# What differs from run to run: seconds, and the rounding that is left of a gradient that vanished.
UNSTEADY = re.compile(r"\d+(\.\d+)?(e-\d+)? s\b|gradient \d+e-\d+|step left \d+e-\d+|\d+(\.\d+)? seconds")


@dataclass(frozen=True)
class Code:
    """A fenced block, and the text block right under it, if any."""

    language: str
    text: str
    line: int
    printed: str


def blocks(text: str) -> list[Code]:
    """The fenced blocks of a document, in order."""
    found = list(FENCE.finditer(text))
    codes = []
    for fence, following in zip_longest(found, found[1:]):
        directly = following is not None and not text[fence.end() : following.start()].strip()
        printed = following[2] if directly and following is not None and following[1] == "text" else ""
        codes.append(Code(fence[1], fence[2], text.count("\n", 0, fence.start()) + 2, printed))
    return codes


def sessions(code: Code) -> list[tuple[list[str], str]]:
    """The commands of a console block as words, and what stands under each."""
    parts = [part.partition("\n") for part in re.split(r"^\$ ", code.text, flags=re.MULTILINE)[1:]]
    return [(shlex.split(command), printed) for command, _, printed in parts]


def steady(text: str) -> str:
    """A text without what differs from run to run, and without space at the ends of lines."""
    return "\n".join(line.rstrip() for line in UNSTEADY.sub("...", text).strip().splitlines())


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder to write in, from which the README's paths into the project can be read."""
    for name in ("src", "docs", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGPIPE)
    yield
    signal.signal(signal.SIGPIPE, before)


@pytest.mark.usefixtures("workplace")
@pytest.mark.filterwarnings("ignore::passline.errors.PasslineWarning")
def test_the_blocks_of_the_readme_run_in_order_and_print_what_stands_under_them() -> None:
    namespace: dict[str, object] = {"__name__": "__main__"}
    for code in blocks(README.read_text(encoding="utf-8")):
        place = f"README.md, line {code.line}"
        if code.language == "python":
            out = io.StringIO()
            source = "\n" * (code.line - 1) + code.text  # so that a traceback names the README's own line
            with contextlib.redirect_stdout(out):
                exec(compile(source, str(README), "exec"), namespace)
            assert steady(out.getvalue()) == steady(code.printed), place
        elif code.language == "console":
            for words, printed in sessions(code):
                if words[0] == "passline" and "--show" not in words:
                    out = io.StringIO()
                    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                        assert cli.run(words[1:]) == 0, f"{place}: {words}: {out.getvalue()}"
                    if printed.strip():
                        assert steady(out.getvalue()) == steady(printed), f"{place}: {words}"


def test_every_script_that_the_readme_names_can_be_run() -> None:
    named = {
        words[0]
        for code in blocks(README.read_text(encoding="utf-8"))
        if code.language in ("console", "sh", "bash", "shell")
        for words, _ in sessions(code)
        if words[0].startswith("scripts/")
    }
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_every_link_of_the_readme_to_a_file_leads_somewhere() -> None:
    targets = LINK.findall(README.read_text(encoding="utf-8"))
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_a_document_is_taken_apart_into_its_blocks() -> None:
    text = "a\n```python\nprint(1)\n```\n\n```text\n1\n```\n```console\n$ passline fit 'a b'\nout\n$ ls\n```\n"
    python, printed, console = blocks(text)
    assert (python.language, python.text, python.line, python.printed) == ("python", "print(1)\n", 3, "1\n")
    assert printed.language == "text"
    assert sessions(console) == [(["passline", "fit", "a b"], "out\n"), (["ls"], "")]
    assert steady("x \ngradient 3e-16, (newton, 0.07 s)\n") == "x\n..., (newton, ...)"
