"""The model file: canonical JSON with a hash, no data and no code; one altered byte and it is refused."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, cast, get_args

import numpy as np
from numpy.typing import NDArray

from passline.errors import ModelFileError
from passline.inference.existence import TermStatus
from passline.model import Model, Terms
from passline.output import write_text
from passline.table.design import Design

FORMAT, VERSION = "passline model", 2
# A covariance of 2,000 terms takes 80 MB as text; whatever is larger is no model of this version.
MAX_BYTES = 200_000_000

_NUMBERS = ("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")
_MAPPINGS = ("rows", "glance", "certificate", "separation", "summaries", "settings")


def save(model: Model, path: str | os.PathLike[str]) -> None:
    """Write a model file: whole or not at all."""
    write_text(path, dump(model))


def load(path: str | os.PathLike[str]) -> Model:
    """Read a model file.

    Raises ModelFileError where it cannot be read, is cut off, was altered, or is of a later version.
    """
    name = Path(path)
    try:
        if name.stat().st_size > MAX_BYTES:
            raise ModelFileError(f"{name} is larger than {MAX_BYTES:,} bytes: it is not a model file")
        data = name.read_bytes()
    except OSError as error:
        raise ModelFileError(f"cannot read the model file {name}: {error.strerror}") from None
    return parse(data, str(name))


def dump(model: Model) -> str:
    """The text of a model file: the one way to write these numbers down."""
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
    return _sealed(document)


def parse(data: bytes, name: str = "the model file") -> Model:
    """A model from the bytes of a model file; ``name`` is for messages."""

    def refuse(reason: str) -> NoReturn:
        raise ModelFileError(f"{name} {reason}")

    try:
        text = data.decode()
        document = json.loads(text, parse_constant=lambda word: refuse(f"holds {word}, which is no number of JSON"))
    except (UnicodeDecodeError, json.JSONDecodeError):
        refuse("is not a model file, or was cut off: it is not JSON. Save the model again, or fetch the file again")
    except RecursionError:
        refuse("is nested too deeply: it is not a model file")
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        refuse("is JSON, but not a passline model. A model is what `passline fit ... -o MODEL` writes")
    version = document.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version > VERSION or version < 1:
        refuse(f"is of version {version!r}; this passline reads versions up to {VERSION}. Update passline")
    digest = document.pop("sha256", None)
    try:
        sealed = _sealed(document)
    except (TypeError, ValueError):
        refuse("was altered after it was saved: it holds values that no model has")
    if not isinstance(digest, str) or sealed != text:
        refuse("was altered after it was saved: its hash is not that of its content. Save the model again")
    try:
        return _model(document)
    except ModelFileError as error:
        raise ModelFileError(f"{name}: {error}") from None
    except (KeyError, TypeError, ValueError) as error:
        refuse(f"cannot be used: {type(error).__name__} at {error}")


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
