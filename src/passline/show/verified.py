"""What the check of a model file found, in a terminal: what the model is, and a line for each thing looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passline.show.side_by_side import one_line

if TYPE_CHECKING:
    from passline.verifying import Verified


def verified_text(found: Verified) -> str:
    """The model in four lines, then the checks."""
    model, rows = found.model, found.model.rows
    separated = model.separation["kind"]
    lines = [
        model.design.formula,
        f"P({model.design.outcome} = {model.design.positive}), {_ESTIMATORS.get(model.estimator, model.estimator)}, "
        f"{len(model.coef)} terms" + ("" if separated == "none" else f", {separated} separation"),
        f"{rows['used']:,} of {rows['read']:,} rows used, {rows['dropped']:,} incomplete",
        f"sha256 {found.sha256}",
        "",
    ]
    width = max(len(check.name) for check in found.checks)
    for check in found.checks:
        lines.append(f"{'ok    ' if check.passed else 'FAILED'}  {check.name:<{width}}  {check.detail}")
    return "\n".join(one_line(line) for line in lines)


_ESTIMATORS = {"ml": "maximum likelihood", "firth": "Firth's penalised likelihood"}
