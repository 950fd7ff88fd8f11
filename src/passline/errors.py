"""The tree of errors and warnings: what went wrong, whose turn it is, and the exit code of the command line.

PasslineError(ValueError)
├── InputError               exit 2: the input is at fault
│   ├── SourceError          a file, query or frame that cannot be read as a table
│   ├── FormulaError         a formula with a slip; points at the character
│   ├── DataError            a value in a table that the formula cannot use
│   ├── OptionError          an option outside its range, or options that exclude each other
│   ├── ModelFileError       a model file that is cut off, altered or not one of ours
│   └── MissingDependencyError   an optional library that is not installed
└── CannotFitError           exit 3: the model cannot be fitted as asked
    ├── NoRowsError          no complete rows
    ├── OneClassError        the outcome has a single value
    ├── TooManyColumnsError  more columns than rows, and no penalty
    └── NotConvergedError    the solver stopped short of the optimum

PasslineWarning(UserWarning)
├── SeparationWarning        an estimate does not exist
├── ConvergenceWarning       the certificate does not hold
└── DataWarning              something about the rows that changes what the answer means
"""

from __future__ import annotations

from typing import ClassVar


class PasslineError(ValueError):
    """Every error that passline raises on purpose; its text is one message for a person."""

    exit_code: ClassVar[int] = 2


class InputError(PasslineError):
    """The input is at fault: mend it and run again."""


class SourceError(InputError):
    """A file, query or frame cannot be read as a table."""


class FormulaError(InputError):
    """A formula has a slip.

    ``text`` is the whole formula, ``start`` and ``end`` the slip's place in it (characters, from 0); the
    message shows the formula with a caret under that place.
    """

    def __init__(self, message: str, text: str, start: int, end: int | None = None) -> None:
        self.text, self.start, self.end = text, start, start + 1 if end is None else max(end, start + 1)
        self.reason = message
        # Carets stand under the characters only if tabs and newlines take one column each.
        shown = "".join(" " if c.isspace() else c for c in text)
        marks = " " * start + "^" * (self.end - self.start)
        super().__init__(f"formula, character {start + 1}: {message}\n  {shown}\n  {marks}")


class DataError(InputError):
    """A value in a table cannot be used as the formula asks.

    ``row`` (from 0) and ``column`` say where it stands, as far as there is one such place.
    """

    def __init__(self, message: str, *, row: int | None = None, column: str | None = None) -> None:
        super().__init__(message)
        self.row, self.column = row, column


class OptionError(InputError):
    """An option is outside its range, or options exclude each other."""


class ModelFileError(InputError):
    """A model file is cut off, altered, too new, or not a model file."""


class MissingDependencyError(InputError):
    """An optional library is not installed; the message gives the line that installs it."""


class CannotFitError(PasslineError):
    """The model cannot be fitted as asked."""

    exit_code: ClassVar[int] = 3


class NoRowsError(CannotFitError):
    """No complete rows are left."""


class OneClassError(CannotFitError):
    """The outcome has a single value in the rows used."""


class TooManyColumnsError(CannotFitError):
    """The design has more columns than rows, and there is no penalty."""


class NotConvergedError(CannotFitError):
    """The solver stopped before the gradient vanished."""


class PasslineWarning(UserWarning):
    """Every warning of passline; rare, and worth reading."""


class SeparationWarning(PasslineWarning):
    """The maximum-likelihood estimate does not exist."""


class ConvergenceWarning(PasslineWarning):
    """The certificate does not hold: the answer is not the optimum."""


class DataWarning(PasslineWarning):
    """Something about the rows changes what the answer means."""
