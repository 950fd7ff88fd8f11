"""What the tests of the README and of the documents share: fenced blocks, what they print when run, and links.

``python tests/documents.py docs/how-to/terms.md`` writes what its blocks print now under them, where that differs.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from passline import cli

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)[^)]*\)")
# What differs from run to run: seconds, the hash of a file that holds them, the rounding left of a vanished gradient.
UNSTEADY = re.compile(
    r"sha256 [0-9a-f]{64}|largest difference \S+|gradient +\d+(\.\d+)?e-\d+|step left \d+e-\d+"
    r"|\d+(\.\d+)?(e-\d+)? s\b|\d+(\.\d+)? seconds"
)
# A console block that shows a refusal says its exit code by this command.
EXIT_CODE = ["echo", "$?"]


@dataclass(frozen=True)
class Code:
    """A fenced block, and the text block right under it, if any; ``span``: where in the document its output stands."""

    language: str
    text: str
    line: int
    printed: str
    span: tuple[int, int]


def blocks(text: str) -> list[Code]:
    """The fenced blocks of a document, in order."""
    found = list(FENCE.finditer(text))
    codes = []
    for fence, following in zip_longest(found, found[1:]):
        directly = following is not None and not text[fence.end() : following.start()].strip()
        under = following if directly and following is not None and following[1] == "text" else None
        printed, span = ("", (fence.end(), fence.end())) if under is None else (under[2], (fence.end(), under.end()))
        line = text.count("\n", 0, fence.start()) + 2
        codes.append(Code(fence[1], fence[2], line, printed, fence.span(2) if fence[1] == "console" else span))
    return codes


def sessions(code: Code) -> list[tuple[str, str]]:
    """The commands of a console block, and what stands under each."""
    parts = [part.partition("\n") for part in re.split(r"^\$ ", code.text, flags=re.MULTILINE)[1:]]
    return [(command, printed) for command, _, printed in parts]


def steady(text: str) -> str:
    """A text without what differs from run to run, and without space at the ends of lines."""
    return "\n".join(line.rstrip() for line in UNSTEADY.sub("...", text).strip().splitlines())


def played(document: Path) -> Iterator[tuple[Code, str, str]]:
    """Run a document's blocks in order, here: each with what stands in it and what stands there when it is run.

    Python's is what it prints; a console block's is the whole block.
    """
    namespace: dict[str, object] = {"__name__": "__main__"}
    for code in blocks(document.read_text(encoding="utf-8")):
        if code.language == "python":
            yield code, code.printed, run_python(code, document, namespace)
        elif code.language == "console":
            yield code, code.text, run_console(code)


def run_python(code: Code, document: Path, namespace: dict[str, object]) -> str:
    """What a block prints; a traceback names the document's own line."""
    out = io.StringIO()
    source = "\n" * (code.line - 1) + code.text
    with contextlib.redirect_stdout(out):
        exec(compile(source, str(document), "exec"), namespace)
    return out.getvalue()


def run_console(code: Code) -> str:
    """The block as a terminal would show it; commands that are not passline's own are left as they are."""
    shown, status, unsaid = "", 0, False
    for command, printed in sessions(code):
        words, answer = shlex.split(command), printed
        if words == EXIT_CODE:
            answer, unsaid = f"{status}\n", False
        elif can_run(words):
            out = io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                status = cli.run(words[1:])
            answer, unsaid = out.getvalue(), unsaid or status != 0
        shown += f"$ {command}\n{answer}"
    assert not unsaid, f"line {code.line}: a command was refused, and the block does not show its exit code:\n{shown}"
    return shown


def can_run(words: list[str]) -> bool:
    """Whether a command of a console block is one of passline's that ends by itself and reads no other's output."""
    return words[0] == "passline" and not {"serve", "--show", "--port", "|", ">"} & set(words)


def renew(document: Path) -> None:
    """Write what a document's blocks print now under them; what differs only from run to run is left alone."""
    text, place, parts = document.read_text(encoding="utf-8"), 0, []
    for code, stood, now in played(document):
        if steady(stood) != steady(now):
            clean = "".join(f"{line.rstrip()}\n" for line in now.strip("\n").splitlines())
            python = f"\n\n```text\n{clean}```" if clean else ""
            parts += [text[place : code.span[0]], clean if code.language == "console" else python]
            place = code.span[1]
    document.write_text("".join([*parts, text[place:]]), encoding="utf-8")


def make_workplace(folder: Path) -> None:
    """Make the project's files known in a folder by their own paths."""
    for name in ("src", "docs", "tests"):
        (folder / name).symlink_to(ROOT / name)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for chosen in [Path(name).resolve() for name in sys.argv[1:]]:
        with tempfile.TemporaryDirectory() as workplace:
            make_workplace(Path(workplace))
            os.chdir(workplace)
            renew(chosen)
            os.chdir(ROOT)
