"""The README does what it says: its Python blocks run and print what stands under them, and so do its commands."""

from __future__ import annotations

import pytest

from documents import LINK, ROOT, blocks, played, sessions, steady

README = ROOT / "README.md"


@pytest.mark.usefixtures("workplace")
@pytest.mark.filterwarnings("ignore::passline.errors.PasslineWarning")
def test_the_blocks_of_the_readme_run_in_order_and_print_what_stands_under_them() -> None:
    for code, stood, now in played(README):
        assert steady(now) == steady(stood), f"README.md, line {code.line}"


def test_every_script_that_the_readme_names_can_be_run() -> None:
    named = {
        line.removeprefix("$ ").split()[0]
        for code in blocks(README.read_text(encoding="utf-8"))
        if code.language in ("console", "sh", "bash", "shell")
        for line in code.text.splitlines()
        if line.removeprefix("$ ").startswith("scripts/")
    }
    assert {"scripts/demo", "scripts/test"} <= named
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_every_link_of_the_readme_to_a_file_leads_somewhere() -> None:
    targets = LINK.findall(README.read_text(encoding="utf-8"))
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_a_document_is_taken_apart_into_its_blocks() -> None:
    text = "a\n```python\nprint(1)\n```\n\n```text\n1\n```\n```console\n$ passline fit 'a b'\nout\n$ ls\n```\n"
    python, printed, console = blocks(text)
    assert (python.language, python.text, python.line, python.printed) == ("python", "print(1)\n", 3, "1\n")
    assert printed.language == "text"
    assert sessions(console) == [("passline fit 'a b'", "out\n"), ("ls", "")]
    assert steady("x \ngradient 3e-16, (newton, 0.07 s)\n") == "x\n..., (newton, ...)"
