"""passline export: a model for another system."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from passline.cli.options import ModelFile, output, switch


def export(
    model: ModelFile,
    /,
    *,
    to: Annotated[Literal["onnx", "sql", "python", "javascript"], Parameter(help="What to write.")],
    write_to: Annotated[str | None, output("The file to write; standard output without it (not for onnx).")] = None,
    dialect: Annotated[
        str | None, Parameter(help="Of SQL: duckdb (without it), postgres, sqlite, bigquery, snowflake, ...")
    ] = None,
    table: Annotated[str, Parameter(help="Of SQL: the table that the query reads.")] = "data",
    keep: Annotated[
        list[str] | None, Parameter(negative="", help="Of SQL: a column to hand on beside the answers; repeatable.")
    ] = None,
    rename: Annotated[
        list[str] | None,
        Parameter(negative="", help="Of SQL: COLUMN=NAME, what the table calls a column of the model; repeatable."),
    ] = None,
    data: Annotated[
        str | None, Parameter(help="A table to compare on too, beside rows made up from the model.")
    ] = None,
    unseen: Annotated[
        Literal["error", "baseline"],
        Parameter(
            help="A category that was not there at fitting time has no answer, or counts as the reference level."
        ),
    ] = "error",
    flic: Annotated[
        bool, Parameter(help="Predict from a Firth fit with its corrected intercept, or with that of its table.")
    ] = True,
    quiet: Annotated[bool, switch("Do not say on standard error how it was proven.")] = False,
) -> None:
    """Write a model as ONNX, SQL, Python or JavaScript, after it has said what predict says."""
    import sys

    from passline import modelfile
    from passline.errors import OptionError
    from passline.ship.export import export as make

    if to == "onnx" and write_to is None:
        raise OptionError("an ONNX file is no text: give a file to write with -o")
    names = dict(_renamed(text) for text in rename or [])
    made = make(
        modelfile.load(model),
        write_to,
        to=to,
        dialect=dialect,
        table=table,
        keep=keep or (),
        rename=names,
        unseen=unseen,
        flic=flic,
        data=data,
    )
    if write_to is None:
        sys.stdout.write(made.content)
    if not quiet:
        rows = f"{made.rows:,} rows" if made.rows != 1 else "one row"
        say = f"agrees with predict on {rows}, by {made.proven_by}; largest difference {made.difference:.1e}"
        print(say, file=sys.stderr)


def _renamed(text: str) -> tuple[str, str]:
    from passline.errors import OptionError

    column, sign, name = text.partition("=")
    if not (sign and column and name):
        raise OptionError(f"--rename is COLUMN=NAME, not {text!r}")
    return column, name
