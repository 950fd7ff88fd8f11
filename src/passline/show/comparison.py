"""What a comparison of two models looks like in a terminal."""

from __future__ import annotations

from passline.comparison import Comparison
from passline.printed import columns, number, p_value


def comparison_text(found: Comparison) -> str:
    """Both models in a table, the test in a sentence, and which of them the criteria prefer."""
    heads = ("", "columns", "log-likelihood", "deviance", "AIC", "BIC")
    rows = [
        (
            name,
            str(one.rank),
            number(one.log_likelihood, 7),
            number(one.deviance, 7),
            number(one.aic, 6),
            number(one.bic, 6),
        )
        for name, one in (("1", found.smaller), ("2", found.larger))
    ]
    lines = [
        f"1: {found.smaller.formula}",
        f"2: {found.larger.formula}",
        f"{found.smaller.nobs:,} rows, the same for both.",
        columns(rows, heads),
    ]
    separated = [name for name, one in (("1", found.smaller), ("2", found.larger)) if one.separation != "none"]
    if separated:
        which = "Both models are" if len(separated) == 2 else f"Model {separated[0]} is"
        lines.append(f"{which} separated: the log-likelihood is its supremum, which the test may use.")
    if found.nested and found.df:
        p = p_value(found.p_value)
        lines.append(
            f"Likelihood ratio {number(found.statistic, 6)} on {found.df} "
            f"{'degree' if found.df == 1 else 'degrees'} of freedom, p {p if p.startswith('<') else '= ' + p}."
        )
    if found.note:
        lines.append(f"{found.note[0].upper()}{found.note[1:]}.")
    lines += [
        f"{name} is lower by {number(abs(difference), 5)} for model {2 if difference < 0 else 1}."
        for name, difference in (("AIC", found.aic_difference), ("BIC", found.bic_difference))
        if difference
    ]
    return "\n".join(lines)
