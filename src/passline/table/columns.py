"""What a column of a source is: its name, its kind, and the source's own word for its type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from passline.table.staged import Frame, Relation

Kind = Literal["number", "boolean", "category", "mixed", "other"]
Native = Literal["path", "pandas", "polars", "pyarrow", "dict"]

# Text that stands for a missing value in sources that only know text (delimited files, JSON strings).
MISSING_WORDS = ("", "NA", "NaN", "nan")
BOOLEAN_TEXTS = ("FALSE", "TRUE")
TRUE_WORDS, FALSE_WORDS = ("true", "t", "1", "1.0"), ("false", "f", "0", "0.0")

# From this share of numbers on, a text column is a number column with slips in it rather than a category. To take
# it for a category would hide the slip; to ask costs the user one C().
MIXED_SHARE = 0.5


@dataclass(frozen=True)
class Column:
    """A column as its source declares it.

    ``name`` is the source's spelling (names are told apart by case), ``type_name`` the source's word for the type
    ("DATE", "datetime64[ns]"), ``order`` an ordered category's own order of its texts. Kinds: ``number`` (integers,
    floats, decimals), ``boolean`` (a real boolean type, never text), ``category`` (text, enumerations), ``mixed`` (text
    most of whose values are numbers: an error as a number, text as a category), ``other`` (may not be used).
    """

    name: str
    kind: Kind
    type_name: str
    order: tuple[str, ...] | None = None


class Source(Protocol):
    """A table that has been looked at but not read: its columns, and the way to read some of them."""

    label: str
    columns: Mapping[str, Column]
    native: Native

    def stage(self, names: Sequence[str], kinds: Mapping[str, Kind]) -> Relation | Frame:
        """Read the columns ``names``, each as ``kinds`` says: "number", "boolean" or "category".

        Raises DataError for a value that does not fit its kind or is infinite, SourceError for a broken file.
        """


def text_kind(total: int, numbers: int, codes: int) -> Kind:
    """Kind of a text column with ``total`` values, of which ``numbers`` are numbers and ``codes`` digits like 01234.

    Leading zeros are never written before a quantity, so a column of digits with one such value is a category.
    """
    if numbers == total:
        return "number"
    if numbers + codes == total:
        return "category"
    return "mixed" if numbers >= MIXED_SHARE * total else "category"


def number_text(value: float) -> str:
    """Shortest decimal that reads back as ``value``; whole numbers without a point, as the tables' SQL prints them."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def quoted(name: str) -> str:
    """Return ``name`` as a formula spells it: in backticks unless it is a plain word."""
    plain = name.replace(".", "_").isidentifier()
    return name if plain else "`" + name.replace("`", "``") + "`"


def misfit(where: str, name: str, value: str, kind: Kind) -> str:
    """Message for a ``value`` of column ``name`` that cannot be read as ``kind``."""
    shown = value if len(value) <= 60 else value[:57] + "..."
    start = f"{where}: column '{name}' holds {shown!r}"
    if kind == "boolean":
        return f"{start}, which is neither true nor false. Write TRUE or FALSE, or NA where it is missing."
    if is_infinite(value):
        return f"{start}, which is infinite. Correct it, or write NA where it is missing."
    return (
        f"{start}, which is not a number. Correct it, write NA where it is missing, "
        f"or write C({quoted(name)}) in the formula to treat the column as a category."
    )


def is_infinite(text: str) -> bool:
    """Whether ``text`` reads as a number beyond the largest float, or says infinity."""
    try:
        return "_" not in text and abs(float(text)) == float("inf")
    except ValueError:
        return False
