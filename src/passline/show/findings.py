"""What a look at a fit found, in a terminal: one paragraph a finding, and what was looked at."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from passline.checks import Finding, Findings

WIDTH = 100


def findings_text(found: Findings) -> str:
    """The findings, each with its sentence, and a line that says what was looked at."""
    lines = [found.formula, _head(found)]
    for finding in found:
        lines += ["", _paragraph(finding)]
    looked = f"Looked at: {', '.join(found.looked_at)}."
    lines += ["", _wrap(looked, "")]
    if found.left_out:
        lines.append(_wrap("Not looked at: " + "; ".join(f"{k} ({v})" for k, v in found.left_out.items()) + ".", ""))
    return "\n".join(lines)


def _head(found: Findings) -> str:
    if not len(found):
        return "Nothing was found that a reader of this fit would have to know."
    count = {word: sum(finding.severity == word for finding in found) for word in ("warning", "note")}
    parts = [f"{n} {word}{'' if n == 1 else 's'}" for word, n in count.items() if n]
    return f"{' and '.join(parts)}."


def _paragraph(finding: Finding) -> str:
    head = f"{finding.severity}: {finding.kind}"
    return f"{head}\n{_wrap(finding.sentence, '  ')}"


def _wrap(text: str, indent: str) -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
