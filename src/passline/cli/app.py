"""The application: which commands there are, and how an error becomes one message and an exit code."""

from __future__ import annotations

import signal
import sys
import traceback
import warnings
from typing import Any

from cyclopts import App, CycloptsError

from passline.errors import ConvergenceWarning, PasslineError, PasslineWarning

app = App(
    name="passline",
    help="Logistic regression: from yes/no data to a probability one can trust, and the line where it flips.",
    version_flags=["--version"],
)
# A new command is a file beside this one and a line here; it is imported when it is called, or its own help asked for.
COMMANDS = {
    "lesson": "Learn from three points, with PyTorch, from how many hours of revision on one passes.",
    "play": "Play with the lesson, or a table of your own: points to drag, steps to take, and what comes of them.",
    "fit": "Fit a logistic regression to a table.",
    "predict": "Predict with a model, one row for each row of a table.",
    "explain": "Say what each term adds to a prediction's log-odds, against the average row.",
    "verify": "Check that a model file is whole, and of which rows it is.",
    "check": "Look for what would make a fit's numbers wrong, and say it.",
    "boundary": "Say at which value of a predictor the probability is what you ask.",
    "evaluate": "Judge a model's probabilities on rows with known outcomes.",
    "compare": "Compare two models of the same rows.",
    "report": "Write a report of a model: one page, to be read, printed and sent.",
    "plot": "Draw a picture of a model.",
    "export": "Write a model as ONNX, SQL, Python or JavaScript, proven against predict first.",
    "serve": "Serve models over HTTP: probabilities, explanations, and a page to try them by hand.",
}
for place, (command, text) in enumerate(COMMANDS.items()):
    app.command(f"passline.cli.{command}:{command}", name=command, help=text, sort_key=place)


def main() -> None:
    """Run the command line; ends with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code: 0 done, 1 a bug of ours, 2 the input's fault, 3 cannot be fitted."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `passline predict ... | head` ends quietly
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", PasslineWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)  # the command stops with the same words
        warnings.showwarning = _show_warning
        return _answer(arguments)


def _answer(arguments: list[str]) -> int:
    try:
        app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except PasslineError as error:
        return _refuse(str(error), error.exit_code)
    except CycloptsError as error:
        return _refuse(f"{' '.join(str(error).split())} See: passline --help", 2)
    except KeyboardInterrupt:
        return _refuse("stopped; nothing was written", 130)
    except MemoryError:
        return _refuse("the memory does not hold this table; leave columns out, or take fewer rows", 3)
    except Exception:
        traceback.print_exc()
        return _refuse("this is a bug of ours; please report the lines above", 1)
    return 0


def _refuse(message: str, code: int) -> int:
    print(f"passline: {message}", file=sys.stderr)
    return code


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"warning: {message}", file=sys.stderr)
