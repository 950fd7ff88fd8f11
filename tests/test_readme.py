"""The README does what it says: its Python blocks run and print what stands under them, and so do its commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from documents import LINK, blocks, can_run, run_command, run_python, sessions, steady

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"


@pytest.mark.usefixtures("workplace")
@pytest.mark.filterwarnings("ignore::passline.errors.PasslineWarning")
def test_the_blocks_of_the_readme_run_in_order_and_print_what_stands_under_them() -> None:
    namespace: dict[str, object] = {"__name__": "__main__"}
    for code in blocks(README.read_text(encoding="utf-8")):
        place = f"README.md, line {code.line}"
        if code.language == "python":
            assert steady(run_python(code, README, namespace)) == steady(code.printed), place
        elif code.language == "console":
            for words, printed in sessions(code):
                if can_run(words):
                    status, out = run_command(words)
                    assert status == 0, f"{place}: {words}: {out}"
                    if printed.strip():
                        assert steady(out) == steady(printed), f"{place}: {words}"


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
