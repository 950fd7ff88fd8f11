"""What the tests of the README and of the documents share: fenced blocks, the output under them, and how they run."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from passline import cli

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


def run_python(code: Code, document: Path, namespace: dict[str, object]) -> str:
    """What a block prints; a traceback names the document's own line."""
    out = io.StringIO()
    source = "\n" * (code.line - 1) + code.text
    with contextlib.redirect_stdout(out):
        exec(compile(source, str(document), "exec"), namespace)
    return out.getvalue()


def run_command(words: list[str]) -> tuple[int, str]:
    """The exit code of `passline ...`, and what it says on standard output and standard error."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = cli.run(words[1:])
    return code, out.getvalue()


def can_run(words: list[str]) -> bool:
    """Whether a command of a console block is one of passline's that ends by itself and reads no other's output."""
    return words[0] == "passline" and not {"--show", "--port", "|", ">"} & set(words)
