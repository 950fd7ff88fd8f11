"""Whether two fits stood on the same rows: hashes of what the likelihood saw, and of each predictor's values."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from passline.table.design import Learned


def fingerprint(learned: Learned) -> dict[str, Any]:
    """What a model remembers of its rows, for its settings.

    ``rows_sha256``: of the outcome, weights, sampling weights, offset and trials of the rows used, in their order; not
    of predictors, since nested models have different ones. ``data_sha256``: of each predictor's values in those rows,
    by its name. Equal numbers and texts give equal hashes, whatever library they came from.
    """
    played = learned.played
    rows = hashlib.sha256(f"{learned.used}".encode())
    for name, values in (
        ("outcome", learned.y),
        ("weights", played.weights),
        ("sampling_weights", played.sampling_weights),
        ("offset", played.offset),
        ("trials", played.trials),
    ):
        if values is not None:
            rows.update(name.encode() + _bytes(values))
    return {
        "rows_sha256": rows.hexdigest(),
        "data_sha256": {name: _column(learned, name) for name in learned.design.variables},
    }


def _column(learned: Learned, name: str) -> str:
    rows, hashed = learned.rows, hashlib.sha256()
    if learned.design.kinds[name] == "number":
        hashed.update(_bytes(rows.raw(name)))
    else:
        # Byte order, so that a category's own order of levels changes nothing.
        levels = sorted(rows.levels(name), key=lambda text: text.encode("utf-8", "surrogatepass"))
        for level in levels:
            text = level.encode("utf-8", "surrogatepass")
            hashed.update(f"{len(text)}:".encode() + text)
        hashed.update(rows.codes(name, levels).astype("<i4").tobytes())
    return hashed.hexdigest()


def _bytes(values: Any) -> bytes:
    """Numbers as bytes, the same on every machine; a negative zero counts as zero."""
    return (np.asarray(values, dtype="<f8") + 0.0).tobytes()
