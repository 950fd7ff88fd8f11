"""The model file: canonical JSON with a hash, no data and no code; one altered byte and it is refused."""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, cast, get_args

import numpy as np
from numpy.typing import NDArray

from passline.documents import depth, misfit, schema, unique
from passline.errors import ModelFileError, OptionError
from passline.inference.existence import TermStatus
from passline.model import Model, Terms
from passline.output import write_text
from passline.table.design import Design

FORMAT, VERSION = "passline model", 2
# A covariance of 2,000 terms takes 80 MB as text; whatever is larger is no model of this version.
MAX_BYTES = 200_000_000
# Lists and objects within one another, and how many there may be; a model has 4, and one a term or so.
MAX_DEPTH, MAX_CONTAINERS = 8, 1_000_000

_NUMBERS = ("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")
# Where a version's entries come from is told in docs/reference/model-file.md; each version keeps its schema.
_MAPPINGS = ("rows", "glance", "certificate", "separation", "summaries", "settings")


def save(model: Model, path: str | os.PathLike[str]) -> None:
    """Write a model file: whole or not at all."""
    write_text(path, dump(model))


def load(path: str | os.PathLike[str]) -> Model:
    """Read a model file.

    Raises ModelFileError where it cannot be read, is cut off, was altered, or is of a later version.
    """
    return parse(read(path), os.fspath(path))


def read(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a model file; raises ModelFileError where they cannot be read, or are too many."""
    name = Path(path)
    try:
        if name.stat().st_size > MAX_BYTES:
            raise ModelFileError(f"{name} is larger than {MAX_BYTES:,} bytes: it is not a model file")
        return name.read_bytes()
    except OSError as error:
        raise ModelFileError(f"cannot read the model file {name}: {error.strerror}") from None


def seal(data: bytes) -> tuple[int, str]:
    """The version and the hash that a model file, which was parsed before, states of itself."""
    document = json.loads(data)
    return int(document["version"]), str(document["sha256"])


def dump(model: Model) -> str:
    """The text of a model file: the one way to write these numbers down.

    Raises OptionError for a name or level that is no text of Unicode.
    """
    document: dict[str, Any] = {"format": FORMAT, "version": VERSION, "design": model.design.to_json()}
    terms = model.terms
    document["terms"] = {
        **{name: _numbers_out(getattr(terms, name)) for name in _NUMBERS},
        "status": list(terms.status),
        "limit": list(terms.limit),
    }
    document["coef"] = _numbers_out(model.coef)
    document["average"] = None if model.average is None else _numbers_out(model.average)
    document["covariance"] = [_numbers_out(row) for row in model.covariance]
    document["directions"] = [_numbers_out(row) for row in model.directions]
    document["estimator"], document["level"] = model.estimator, model.level
    document |= {name: getattr(model, name) for name in _MAPPINGS}
    document["warnings"] = list(model.warnings)
    try:
        return _sealed(document)
    except UnicodeEncodeError as error:
        raise OptionError(
            f"the model cannot be saved: a name or a level holds half a character ({error.object[error.start]!a}), "
            "which no file in UTF-8 can hold; rename it and fit again"
        ) from None


def parse(data: bytes, name: str = "the model file") -> Model:
    """A model from the bytes of a model file; ``name`` is for messages. Raises ModelFileError."""
    try:
        return _model(_checked(data))
    except ModelFileError as error:
        raise ModelFileError(f"{name} {error}") from None
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{name} cannot be used: {type(error).__name__} at {error}") from None


def _checked(data: bytes) -> dict[str, Any]:
    """The document of a model file: of a version that is known, unaltered, and as its schema says."""
    if len(data) > MAX_BYTES:
        raise ModelFileError(f"is larger than {MAX_BYTES:,} bytes: it is not a model file")
    if depth(data, MAX_DEPTH, MAX_CONTAINERS) > MAX_DEPTH:
        raise ModelFileError(f"is nested more than {MAX_DEPTH} deep, or holds too many lists: it is not a model file")
    text, document = _json(data)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ModelFileError("is JSON, but not a passline model. A model is what `passline fit ... -o MODEL` writes")
    version = document.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version > VERSION or version < 1:
        raise ModelFileError(
            f"is of version {version!r}; this passline reads versions up to {VERSION}. Update passline"
        )
    body = {name: value for name, value in document.items() if name != "sha256"}
    try:
        sealed = _sealed(body)
    except (TypeError, ValueError):
        raise ModelFileError("was altered after it was saved: it holds values that no model has") from None
    if sealed != text:
        raise ModelFileError(
            "was altered after it was saved: its hash is not that of its content. Save the model again"
        )
    if (found := misfit(document, _schema(version))) is not None:
        raise ModelFileError(f"is not as a file of version {version} has to be: {found}. Save the model again")
    return document


def _json(data: bytes) -> tuple[str, Any]:
    def refuse(word: str) -> NoReturn:
        raise ModelFileError(f"holds {word}, which is no number of JSON")

    def whole(digits: str) -> int:
        number = int(digits)
        if abs(number) > sys.float_info.max:
            raise ModelFileError(f"holds a whole number of {len(digits)} digits, which is none of a model's")
        return number

    try:
        text = data.decode()
        return text, json.loads(text, parse_constant=refuse, parse_int=whole, object_pairs_hook=unique)
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise ModelFileError(
            "is not a model file, or was cut off: it is not JSON. Save the model again, or fetch the file again"
        ) from None
    except ModelFileError:
        raise
    except ValueError as error:  # a key that stands twice, an integer of thousands of digits
        raise ModelFileError(f"is not a model file: {error}") from None


@cache
def _schema(version: int) -> dict[str, Any]:
    return schema(f"model-{version}")


def _sealed(document: Mapping[str, Any]) -> str:
    body = _text(document)
    return _text({**document, "sha256": hashlib.sha256(body.encode()).hexdigest()})


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1, separators=(",", ": ")) + "\n"


def _model(document: Mapping[str, Any]) -> Model:
    design = Design.from_json(document["design"])
    p = len(design.names)
    terms = document["terms"]
    status = tuple(str(word) for word in terms["status"])
    limit = tuple(terms["limit"])
    if len(status) != p or len(limit) != p or not set(status) <= set(get_args(TermStatus)):
        raise ModelFileError("its table of terms does not fit its design")
    if not set(limit) <= {None, "+inf", "-inf"}:
        raise ModelFileError("its limits are not '+inf', '-inf' or null")
    for name in _MAPPINGS:
        if not isinstance(document[name], dict):
            raise ModelFileError(f"its {name} are not a table of names and values")
    flic = document["settings"].get("flic_intercept")
    if not (flic is None or (isinstance(flic, int | float) and not isinstance(flic, bool) and design.intercept)):
        raise ModelFileError("its corrected intercept is no number")
    return Model(
        design=design,
        terms=Terms(
            names=design.names,
            **{name: _vector(terms[name], p) for name in _NUMBERS},
            status=cast("tuple[TermStatus, ...]", status),
            limit=limit,
        ),
        coef=_vector(document["coef"], p, finite=True),
        average=_average(document, p),
        covariance=_matrix(document["covariance"], p, rows=p),
        directions=_matrix(document["directions"], p),
        estimator=str(document["estimator"]),
        level=float(document["level"]),
        **{name: document[name] for name in _MAPPINGS},
        warnings=tuple(str(text) for text in document["warnings"]),
    )


def _average(document: Mapping[str, Any], p: int) -> NDArray[np.float64] | None:
    """The average row; a file of version 1 has none, nor has one that was saved again since."""
    if document["version"] == 1 or document["average"] is None:
        return None
    return _vector(document["average"], p, finite=True)


def _numbers_out(values: NDArray[np.float64]) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]


def _vector(values: Sequence[float | None], p: int, *, finite: bool = False) -> NDArray[np.float64]:
    if not isinstance(values, list) or len(values) != p:
        raise ModelFileError(f"a list of {p} numbers is missing")
    for value in values:
        if not (value is None or (isinstance(value, int | float) and not isinstance(value, bool))):
            raise ModelFileError(f"{value!r} stands where a number should")
        if finite and value is None:
            raise ModelFileError("a coefficient is missing")
    return np.array([np.nan if value is None else float(value) for value in values])


def _matrix(values: Sequence[Sequence[float | None]], p: int, *, rows: int | None = None) -> NDArray[np.float64]:
    if not isinstance(values, list) or (rows is not None and len(values) != rows):
        raise ModelFileError(f"a table of {p} columns is missing")
    return np.array([_vector(list(row), p) for row in values]).reshape(len(values), p)
