"""What a document of JSON has to look like: the part of JSON Schema that our schemas use, and limits before parsing.

Source: JSON Schema, draft 2020-12 (core and validation); tests hold it against a full implementation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parent / "data"

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}


def schema(name: str) -> dict[str, Any]:
    """A schema that is shipped with the package."""
    found: dict[str, Any] = json.loads((DATA / f"{name}.schema.json").read_text(encoding="utf-8"))
    return found


def misfit(value: Any, root: Mapping[str, Any]) -> str | None:
    """The first place of a document that does not fit its schema, and why; None where it fits."""
    return _misfit(value, root, root, "it")


def depth(data: bytes, limit: int, containers: int) -> int:
    """How deeply the lists and objects of a JSON text are nested, without parsing it.

    Counting stops above ``limit``, and after so many ``containers`` as if that were too deep.
    """
    # Within a text every backslash begins a pair, so that what is left of quotes are the ends of texts.
    bare = data.replace(rb"\\", b"").replace(rb"\"", b"")
    marks = bare.translate(None, delete=bytes(c for c in range(256) if c not in b'[]{}"'))
    level = deepest = seen = 0
    for outside in marks.split(b'"')[::2]:
        for mark in outside:
            if mark in b"[{":
                level, seen = level + 1, seen + 1
                deepest = max(deepest, level)
            else:
                level -= 1
            if deepest > limit:
                return deepest
            if seen > containers:
                return limit + 1
    return deepest


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; raises ValueError for a key that stands twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"holds the key {next(key for key in keys if keys.count(key) > 1)!r} twice")
    return found


def _misfit(value: Any, rule: Mapping[str, Any], root: Mapping[str, Any], at: str) -> str | None:
    if "$ref" in rule:
        return _misfit(value, root["$defs"][rule["$ref"].removeprefix("#/$defs/")], root, at)
    if "anyOf" in rule:
        found = [_misfit(value, one, root, at) for one in rule["anyOf"]]
        return None if None in found else found[0]
    for word, check in _CHECKS.items():
        if word in rule and not check(value, rule[word]):
            return f"{at} is {_shown(value)}, where {word} {json.dumps(rule[word])} is asked for"
    if isinstance(value, dict):
        return _object_misfit(value, rule, root, at)
    if isinstance(value, list) and "items" in rule:
        return _array_misfit(value, rule["items"], root, at)
    return None


def _object_misfit(value: dict[str, Any], rule: Mapping[str, Any], root: Mapping[str, Any], at: str) -> str | None:
    gone = [name for name in rule.get("required", ()) if name not in value]
    if gone:
        return f"{at} has no {gone[0]!r}"
    known, others = rule.get("properties", {}), rule.get("additionalProperties", True)
    for name, item in value.items():
        inner = known.get(name, others)
        if inner is False:
            return f"{at} has an entry {name!r} too many"
        if inner is not True and (found := _misfit(item, inner, root, f"{at}[{name!r}]")) is not None:
            return found
    return None


def _array_misfit(value: list[Any], rule: Mapping[str, Any], root: Mapping[str, Any], at: str) -> str | None:
    if set(rule) == {"type"} and set(map(type, value)) <= _allowed(rule["type"]):
        return None  # the many numbers of a covariance at once
    for i, item in enumerate(value):
        if (found := _misfit(item, rule, root, f"{at}[{i}]")) is not None:
            return found
    return None


def _allowed(words: str | list[str]) -> set[type]:
    return {kind for word in ([words] if isinstance(words, str) else words) for kind in _TYPES[word]}


def _is(value: Any, words: str | list[str]) -> bool:
    whole = isinstance(value, float) and value.is_integer()
    return type(value) in _allowed(words) or (whole and "integer" in words)


def _same(value: Any, other: Any) -> bool:
    return bool(value == other) and isinstance(value, bool) == isinstance(other, bool)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_CHECKS: Mapping[str, Callable[[Any, Any], bool]] = {
    "type": _is,
    "const": _same,
    "enum": lambda value, those: any(_same(value, one) for one in those),
    "pattern": lambda value, text: not isinstance(value, str) or re.search(text, value) is not None,
    "minimum": lambda value, least: not _number(value) or value >= least,
    "exclusiveMinimum": lambda value, least: not _number(value) or value > least,
    "exclusiveMaximum": lambda value, most: not _number(value) or value < most,
    "minItems": lambda value, least: not isinstance(value, list) or len(value) >= least,
}


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
