"""What a saved state of a descent must hold: names, shapes and numbers, before anything is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from passline.engine.value import Array
from passline.errors import OptionError
from passline.solvers.stepping import SGDSettings, make_rule

# Of each name, its dimensions ("p" columns, "q" with the intercept, "?" any length, "01" one number or none) and kinds.
FIXED = {
    "counts": ("5", "iu"),
    "seed": ("01", "iu"),
    "held_seed": ("01", "iu"),
    "generator": ("?", "iu"),
    "best": ("?", "f"),
    "best_loss": ("", "f"),
    "losses": ("?", "f"),
    "held_out": ("?", "f"),
}


def checked(state: Mapping[str, Any], settings: SGDSettings) -> dict[str, Array]:
    """Copies of a state's arrays by name.

    Raises OptionError for the state of another method, and for one that lacks a name or holds what cannot be gone on
    from.
    """
    loaded = {name: np.array(values) for name, values in state.items()}
    _same_method(loaded, settings)
    vectors = ["theta", "total", *make_rule(settings, np, np.zeros(1)).vectors]
    wanted = {**dict.fromkeys(vectors, ("q", "f")), **FIXED}
    if settings.standardise:
        wanted |= {"center": ("p", "f"), "scale": ("p", "f")}
    missing = set(wanted) - set(loaded)
    if missing:
        raise OptionError(f"the state lacks {', '.join(sorted(missing))}: give what state_dict() gave")
    q = loaded["theta"].size
    for name, (dimensions, kinds) in wanted.items():
        values = loaded[name]
        lengths = {"p": [q - 1], "q": [q], "5": [5], "01": [0, 1], "?": [values.size]}
        shapes = [(n,) for n in lengths[dimensions]] if dimensions else [()]
        if values.shape not in shapes or values.dtype.kind not in kinds:
            raise OptionError(
                f"the state's {name} holds {values.dtype} of the shape {values.shape}: give what state_dict() gave"
            )
        if dimensions in ("p", "q") and not np.isfinite(values).all():
            raise OptionError(f"the state's {name} holds what is no finite number: give what state_dict() gave")
    if loaded["best"].size not in (0, q) or loaded["counts"].min() < 0:
        raise OptionError("the state's parts do not belong together: give what state_dict() gave")
    return loaded


def _same_method(loaded: dict[str, Array], settings: SGDSettings) -> None:
    if "method" not in loaded:
        raise OptionError("the state lacks method: give what state_dict() gave")
    method = str(loaded["method"])
    if method != settings.method or settings.standardise != ("scale" in loaded):
        made = f"{method!r}, {'' if 'scale' in loaded else 'not '}standardised"
        said = f"{settings.method!r}, {'' if settings.standardise else 'not '}standardised"
        raise OptionError(
            f"the state is of method {made}, and the settings say {said}: give the settings that it was made with"
        )
