"""How pandas, polars, Arrow and plain dictionaries spell types and missing values; each imported only if it is used."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from passline.errors import MissingDependencyError, SourceError
from passline.table.columns import BOOLEAN_TEXTS, Column
from passline.table.frames import (
    Coded,
    FrameSource,
    coded_objects,
    frame_source,
    number_column,
    object_column,
    object_text,
    recoded,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

Loader = Callable[[], "NDArray[np.float64] | Coded"]


def open_frame(data: Any) -> FrameSource:
    """Source over a pandas or polars frame, an Arrow table or a mapping of columns.

    Raises SourceError for anything else, for doubled names and for columns that are not of one length.
    """
    library = type(data).__module__.partition(".")[0]
    kind = type(data).__name__
    if library == "pandas" and kind == "DataFrame":
        columns = [_pandas_column(str(name), data.iloc[:, i]) for i, name in enumerate(data.columns)]
        return frame_source("the data frame", "pandas", len(data), columns)
    if library == "polars" and kind in ("DataFrame", "LazyFrame"):
        frame = data.collect() if kind == "LazyFrame" else data
        return frame_source("the data frame", "polars", frame.height, [_polars_column(s) for s in frame.iter_columns()])
    if library == "pyarrow" and kind in ("Table", "RecordBatch"):
        return open_arrow(data, "the Arrow table")
    if isinstance(data, Mapping):
        return _mapping(data)
    raise SourceError(
        f"data is of type {library}.{kind}, which is no table. Give a path, a pandas or polars data frame, an Arrow "
        "table, or a dictionary of columns."
    )


def open_arrow(table: Any, label: str) -> FrameSource:
    """Source over a ``pyarrow.Table`` or ``RecordBatch``."""
    pyarrow = require_pyarrow(label)
    if isinstance(table, pyarrow.RecordBatch):
        table = pyarrow.Table.from_batches([table])
    columns = [_arrow_column(str(name), table.column(i)) for i, name in enumerate(table.column_names)]
    return frame_source(label, "pyarrow", table.num_rows, columns)


def require_pyarrow(what: str) -> Any:
    """Import pyarrow, for ``what``."""
    try:
        import pyarrow
    except ImportError as error:
        raise MissingDependencyError(
            f"{what} needs pyarrow, which is not installed. Install it: pip install 'passline[frames]'"
        ) from error
    return pyarrow


def _pandas_column(name: str, series: Any) -> tuple[Column, Loader]:
    dtype = series.dtype
    word = str(dtype)
    kind = getattr(dtype, "kind", "O")
    if hasattr(dtype, "categories"):
        texts = [object_text(value) for value in dtype.categories]
        column = Column(name, "category", word, order=tuple(texts) if dtype.ordered else None)
        return column, lambda: recoded(series.cat.codes.to_numpy(), texts)
    if kind == "b":
        return _boolean(name, word, lambda: series.to_numpy(dtype=np.float64, na_value=np.nan))
    if kind in "iuf":
        nullable = hasattr(dtype, "numpy_dtype")  # pandas' own or Arrow's, with a mask
        options = {"dtype": np.float64, "na_value": np.nan} if nullable else {}
        return number_column(name, word, lambda: series.to_numpy(**options))
    if word.startswith(("str", "large_string")):
        return Column(name, "category", word), lambda: _pandas_texts(series)
    if word == "object" or word.startswith("decimal"):
        return object_column(name, series.to_numpy(dtype=object), series.isna().to_numpy(), word)
    return Column(name, "other", word), lambda: coded_objects([], np.zeros(0, dtype=bool))


def _pandas_texts(series: Any) -> Coded:
    codes, texts = series.factorize()
    return recoded(codes, [str(text) for text in texts])


def _boolean(name: str, word: str, load: Callable[[], NDArray[np.float64]]) -> tuple[Column, Loader]:
    def codes() -> Coded:
        values = load()
        return Coded(np.where(np.isnan(values), -1, values).astype(np.int32), BOOLEAN_TEXTS)

    return Column(name, "boolean", word), codes


def _polars_column(series: Any) -> tuple[Column, Loader]:
    import polars

    name, dtype = series.name, series.dtype
    word = str(dtype)
    if dtype.is_numeric() or dtype == polars.Null:
        return number_column(name, word, lambda: series.cast(polars.Float64).to_numpy())
    if dtype == polars.Boolean:
        return _boolean(name, word, lambda: series.cast(polars.Float64).to_numpy())
    if dtype in (polars.String, polars.Categorical, polars.Enum):
        order = tuple(dtype.categories) if dtype == polars.Enum else None
        return Column(name, "category", word, order=order), lambda: _polars_texts(series)
    if dtype == polars.Object:
        values = series.to_list()
        return object_column(name, values, np.array([value is None for value in values], dtype=bool), word)
    return Column(name, "other", word), lambda: coded_objects([], np.zeros(0, dtype=bool))


def _polars_texts(series: Any) -> Coded:
    import polars

    texts = series.cast(polars.String)
    distinct = texts.drop_nulls().unique(maintain_order=True)
    places = polars.Series(range(len(distinct)), dtype=polars.Int32)
    codes = texts.replace_strict(distinct, places, default=-1, return_dtype=polars.Int32)
    return Coded(codes.fill_null(-1).to_numpy(), tuple(distinct.to_list()))


def _arrow_column(name: str, column: Any) -> tuple[Column, Loader]:
    import pyarrow
    from pyarrow import types

    kind = column.type
    word = str(kind)
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_null(kind):
        return number_column(name, word, lambda: _arrow_numbers(column))
    if types.is_boolean(kind):
        return _boolean(name, word, lambda: _arrow_numbers(column.cast(pyarrow.int8())))
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return Column(name, "category", word), lambda: _arrow_texts(column)[0]
    if types.is_dictionary(kind) and not types.is_nested(kind.value_type):
        order = _arrow_texts(column)[1] if kind.ordered else None
        return Column(name, "category", word, order=order), lambda: _arrow_texts(column)[0]
    return Column(name, "other", word), lambda: coded_objects([], np.zeros(0, dtype=bool))


def _arrow_numbers(column: Any) -> NDArray[Any]:
    import pyarrow

    safe = column.cast(pyarrow.float64(), safe=False) if column.type != pyarrow.float64() else column
    values: NDArray[Any] = safe.to_numpy()
    return values


def _arrow_texts(column: Any) -> tuple[Coded, tuple[str, ...]]:
    import pyarrow

    if not pyarrow.types.is_dictionary(column.type):
        if pyarrow.types.is_string_view(column.type):
            column = column.cast(pyarrow.large_string())
        column = column.dictionary_encode()
    whole = column.unify_dictionaries().combine_chunks()
    chunks = whole.chunks if isinstance(whole, pyarrow.ChunkedArray) else [whole]
    if not chunks:
        return Coded(np.zeros(0, dtype=np.int32), ()), ()
    (array,) = chunks
    values = array.dictionary.to_pylist()
    codes = array.indices.cast(pyarrow.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    # A dictionary may hold null among its values.
    place = np.array([-1 if value is None else code for code, value in enumerate(values)] + [-1])
    coded = recoded(place[codes], ["" if value is None else object_text(value) for value in values])
    return coded, tuple(object_text(value) for value in values if value is not None)


def _mapping(data: Mapping[Any, Any]) -> FrameSource:
    single = bool(data) and all(_is_scalar(value) for value in data.values())
    arrays = {}
    for key, value in data.items():
        if _is_scalar(value) and not single:
            raise SourceError(
                f"the dictionary: column '{key}' is a single value, and others are not. Give it as a list."
            )
        arrays[key] = _array(str(key), [value] if single else value)
    lengths = {str(key): len(array) for key, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"'{key}' {length}" for key, length in list(lengths.items())[:8])
        raise SourceError(f"the dictionary: columns differ in length: {listed}. All need one length.")
    columns = [_array_column(str(key), array) for key, array in arrays.items()]
    return frame_source("the dictionary", "dict", next(iter(lengths.values()), 0), columns)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (str, bytes)) or not hasattr(value, "__len__") or getattr(value, "ndim", 1) == 0


def _array(name: str, value: Any) -> NDArray[Any]:
    if isinstance(value, np.ma.MaskedArray):
        value = value.tolist()  # None where it is masked
    if isinstance(value, (dict, set, frozenset)):
        raise SourceError(
            f"the dictionary: column '{name}' is a {type(value).__name__}. Give it as a list or an array."
        )
    if not isinstance(value, np.ndarray) and not hasattr(value, "__array__"):
        items = list(value)
        if any(_is_nested(item) for item in items):
            raise SourceError(f"the dictionary: column '{name}' has more than one dimension. Give one value a row.")
        array = np.empty(len(items), dtype=object)
        array[:] = items
        return array
    array = np.asarray(value)
    if array.ndim != 1:
        shape = " x ".join(str(size) for size in array.shape)
        raise SourceError(
            f"the dictionary: column '{name}' is {shape}, not one value a row. Give its columns one by one."
        )
    return array


def _is_nested(item: Any) -> bool:
    return isinstance(item, (list, tuple, dict, set)) or (isinstance(item, np.ndarray) and item.ndim > 0)


def _array_column(name: str, array: NDArray[Any]) -> tuple[Column, Loader]:
    word = "list" if array.dtype.kind == "O" else str(array.dtype)
    if array.dtype.kind == "b":
        return _boolean(name, word, lambda: array.astype(np.float64))
    if array.dtype.kind in "iuf":
        return number_column(name, word, lambda: array)
    if array.dtype.kind in "UT":
        texts = array.astype(object)
        return Column(name, "category", word), lambda: coded_objects(texts, np.zeros(len(texts), dtype=bool))
    if array.dtype.kind == "O":
        return object_column(name, array, np.array([_is_missing(item) for item in array], dtype=bool), word)
    return Column(name, "other", word), lambda: coded_objects([], np.zeros(0, dtype=bool))


def _is_missing(item: Any) -> bool:
    if item is None or type(item).__name__ in ("NAType", "NaTType"):
        return True
    with contextlib.suppress(TypeError, ValueError):
        return bool(item != item)  # noqa: PLR0124 - only a NaN, of any library, differs from itself
    return False
