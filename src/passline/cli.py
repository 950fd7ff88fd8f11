"""The commands: parse, call, print. Nothing is computed here."""

from __future__ import annotations

import json
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from typing import Annotated, Any, Literal

from cyclopts import App, CycloptsError, Parameter

from passline.errors import ConvergenceWarning, NotConvergedError, OptionError, PasslineError, PasslineWarning

app = App(
    name="passline",
    help="Logistic regression: from yes/no data to a probability one can trust, and the line where it flips.",
    version_flags=["--version"],
)

Output = Annotated[str | None, Parameter(name=["-o", "--output"])]
# A lone hyphen is standard input, not an option.
Data = Annotated[str, Parameter(allow_leading_hyphen=True)]
Json = Annotated[bool, Parameter(negative="")]
Switch = Annotated[bool, Parameter(negative="")]


@app.command
def lesson(
    *,
    epochs: int = 1000,
    lr: float = 0.01,
    seed: int = 0,
    reduction: str = "sum",
    loss: str = "bce",
    optimizer: str = "sgd",
    every: int = 100,
    plot: str | None = None,
    show: Switch = False,
    json: Json = False,
) -> None:
    """Learn from three points, with PyTorch, from how many hours of revision on one passes.

    Parameters
    ----------
    epochs
        Passes over the three points.
    lr
        The learning rate.
    seed
        Of the initial parameters (torch.manual_seed).
    reduction
        Add the losses of the points (sum) or average them (mean).
    loss
        Binary cross-entropy (bce) or mean squared error (mse).
    optimizer
        sgd, momentum, nesterov, adam, adamw, rmsprop or adagrad.
    every
        Print the loss every so many epochs; 0 for never.
    plot
        Write the picture here (PNG, SVG or PDF).
    show
        Open a window with the picture.
    json
        Print one JSON document and nothing else.

    """
    from passline.lesson import run

    run(
        epochs=epochs,
        lr=lr,
        seed=seed,
        reduction=reduction,
        loss=loss,
        optimizer=optimizer,
        every=every,
        plot=plot,
        show=show,
        json=json,
    )


@app.command
def fit(
    data: Data,
    formula: str | None = None,
    /,
    *,
    output: Output = None,
    sql: str | None = None,
    positive: str | None = None,
    estimator: str = "ml",
    l2: float = 0.0,
    level: float = 0.95,
    missing: Literal["drop", "error"] = "drop",
    json: Json = False,
) -> None:
    """Fit a logistic regression: passline fit birthwt.csv 'low ~ age + lwt + smoke'.

    Parameters
    ----------
    data
        A file (CSV, TSV, Parquet, JSON lines, Arrow; a glob; - for standard input as CSV), or a DuckDB or SQLite file
        with ::table after it. With --sql it may be left out.
    formula
        outcome ~ terms; . for all other columns; + - * : ( ); log log1p exp sqrt abs power scale rcs C.
    output
        Write the model here, as JSON.
    sql
        Read what this query gives; it may call DATA by the name data, or name files itself.
    positive
        The label of the outcome that counts as yes.
    estimator
        Maximum likelihood (ml).
    l2
        Ridge penalty a row, on the columns as given.
    level
        Of the intervals.
    missing
        Drop incomplete rows (they are counted), or stop (error).
    json
        Print one JSON document and nothing else.

    """
    from passline.engine.penalty import Penalty
    from passline.facade import fit as fit_data

    source: str | None = data
    if formula is None:
        if sql is None:
            raise OptionError("fit needs DATA and FORMULA: passline fit birthwt.csv 'low ~ age + lwt'")
        source, formula = None, data
    found = fit_data(
        formula,
        source,
        sql=sql,
        positive=positive,
        estimator=estimator,
        penalty=Penalty(l2=l2) if l2 else None,
        level=level,
        missing=missing,
        report=_progress(),
    )
    if not found.certificate["converged"]:
        raise NotConvergedError(
            f"not converged after {found.certificate['passes']} passes over the rows: the gradient is still "
            f"{found.certificate['gradient_norm']:.1e}; nothing was written. Look for columns that nearly repeat each "
            "other or differ in scale beyond reason, or add a penalty (--l2)"
        )
    if output is not None:
        found.save(output)
    if json:
        _print_json(found.as_json())
    else:
        print(found)
        if output is not None:
            print(f"The model is in {output}.")


@app.command
def predict(
    model: str,
    data: Data,
    /,
    *,
    output: Output = None,
    scale: Literal["probability", "logit"] = "probability",
    interval: Switch = False,
    level: float = 0.95,
    unseen: Literal["error", "baseline"] = "error",
) -> None:
    """Predict with a saved model, one row for each row of DATA; a missing predictor gives a missing probability.

    Parameters
    ----------
    model
        A model file that passline fit wrote.
    data
        The rows, as for fit.
    output
        Write the predictions here (CSV, TSV or Parquet, by the name) instead of printing them as CSV.
    scale
        Probabilities, or their logits.
    interval
        Two more columns, conf_low and conf_high.
    level
        Of the interval.
    unseen
        A category that was not there at fitting time is an error, or counts as the reference level (baseline).

    """
    from passline import modelfile
    from passline.predictions import write_predictions

    found = modelfile.load(model).predict(
        data, scale=scale, interval="wald" if interval else None, level=level, unseen=unseen
    )
    values = found if isinstance(found, tuple) else (found,)
    write_predictions(dict(zip((scale, "conf_low", "conf_high"), values, strict=False)), output)


@app.command
def boundary(
    model: str,
    variable: str,
    /,
    *,
    probability: float = 0.5,
    at: Annotated[list[str] | None, Parameter(negative="")] = None,
    interval: Literal["auto", "delta", "fieller"] = "auto",
    level: float = 0.95,
    json: Json = False,
) -> None:
    """Say at which value of a predictor the probability is what you ask.

    Parameters
    ----------
    model
        A model file that passline fit wrote.
    variable
        The predictor that moves; a number.
    probability
        The level to reach.
    at
        NAME=VALUE: hold another predictor there (else at its mean or most frequent level). May be repeated.
    interval
        How the interval is found.
    level
        Of the interval.
    json
        Print one JSON document and nothing else.

    """
    from passline import modelfile
    from passline.boundary import boundary as find
    from passline.boundary import parse_at

    found = find(modelfile.load(model), variable, probability, parse_at(at or []), interval=interval, level=level)
    if json:
        _print_json(found.as_json())
    else:
        from passline.show.terminal import boundary_text

        print(boundary_text(found))


@app.command
def plot(
    model: str,
    kind: Literal["curve"],  # noqa: ARG001 - the one kind so far; the command line checks it
    /,
    *,
    output: Annotated[str, Parameter(name=["-o", "--output"])],
    variable: str | None = None,
    at: Annotated[list[str] | None, Parameter(negative="")] = None,
    level: float = 0.95,
) -> None:
    """Draw a picture of a model.

    Parameters
    ----------
    model
        A model file that passline fit wrote.
    kind
        curve: the probability along one predictor, with its band, the line at 0.5 and where they meet.
    output
        The picture: PNG, SVG or PDF, by the name.
    variable
        The predictor along which to draw; the first number of the model if not said.
    at
        NAME=VALUE: hold another predictor there. May be repeated.
    level
        Of the band.

    """
    from passline import modelfile
    from passline.boundary import parse_at
    from passline.show.plots import Plots, check_ending, write

    check_ending(output)
    write(Plots(modelfile.load(model)).curve(variable, at=parse_at(at or []), level=level), output)
    print(f"The picture is in {output}.")


def main() -> None:
    """Run the command line; ends with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code: 0 done, 1 a bug of ours, 2 the input's fault, 3 cannot be fitted."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `passline predict ... | head` ends quietly
    warnings.simplefilter("ignore")
    warnings.simplefilter("always", PasslineWarning)
    warnings.simplefilter("ignore", ConvergenceWarning)  # the error says it, and one message is enough
    warnings.showwarning = _show_warning
    try:
        app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except PasslineError as error:
        print(f"passline: {error}", file=sys.stderr)
        return error.exit_code
    except CycloptsError as error:
        print(f"passline: {_usage(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("passline: stopped; nothing was written", file=sys.stderr)
        return 130
    except MemoryError:
        print("passline: the memory does not hold this table; leave columns out, or take fewer rows", file=sys.stderr)
        return 3
    except Exception:
        traceback.print_exc()
        print("passline: this is a bug of ours; please report the lines above", file=sys.stderr)
        return 1
    return 0


def _usage(error: CycloptsError) -> str:
    text = " ".join(str(error).split())
    return f"{text} See: passline --help"


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"warning: {message}", file=sys.stderr)


def _print_json(document: dict[str, Any]) -> None:
    print(json.dumps(document, ensure_ascii=False, allow_nan=False))


def _progress() -> Callable[[Any], None] | None:
    """A progress line on standard error, where that is a terminal and the work takes longer than a second."""
    if not sys.stderr.isatty():
        return None
    began, shown = time.perf_counter(), False

    def report(step: Any) -> None:
        nonlocal shown
        if shown or time.perf_counter() - began > 1.0:
            shown = True
            line = f"{step.rows:,} rows, loss {step.loss:.6f}, gradient {step.gradient_norm:.1e}"
            print(f"\r\x1b[2K{line}", end="", file=sys.stderr, flush=True)

    import atexit

    atexit.register(lambda: shown and print("\r\x1b[2K", end="", file=sys.stderr))
    return report
