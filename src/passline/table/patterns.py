"""Rows that repeat, held once each: an estimate of how many different ones there are, and DuckDB's grouping of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from passline.table.columns import Kind, Source
from passline.table.scan import Part, Scan, connect, new_table, not_finite, read_as
from passline.table.staged import Frame, Relation, filled

if TYPE_CHECKING:
    import duckdb
    from numpy.typing import NDArray

# A fit of fewer rows is over before a grouping has begun.
LEAST_ROWS = 1_000
# Reading rows again costs about what grouping does: from so many rows to a pattern on it pays.
ROWS_A_PATTERN = 4
# The estimate looks at so many rows: spread over the table, or in stretches of a file that is read in order.
LOOKED_AT, STRETCHES = 4_096, 4


def stage_patterns(source: Source, names: Sequence[str], kinds: Mapping[str, Kind]) -> Relation | Frame:
    """The columns staged; where rows repeat often enough each different row once, in the order of its first place.

    What a likelihood sums over rows it sums over patterns times their counts, so nothing is lost (Collett 2003,
    Modelling Binary Data, 3.2). Raises what the source's ``stage`` does.
    """
    if isinstance(source, Scan) and all(part.numbered for part in source.parts):
        found = _of_scan(source, names, kinds)
        if found is not None:
            return found
    staged = source.stage(names, kinds)
    if staged.rows < LEAST_ROWS:
        return staged
    grouped = _of_relation(staged) if isinstance(staged, Relation) else _of_frame(staged)
    return staged if grouped is None else grouped


def patterns_estimate(looked_at: int, seen: int, once: int, twice: int, rows: int) -> float:
    r"""How many different rows a table of ``rows`` has, from those in a sample of it.

    .. math:: \hat N = d + \frac{f_1 (f_1 - 1)}{2 (f_2 + 1)}

    for d patterns ``seen``, of which f_1 were seen ``once`` and f_2 ``twice``: a lower bound on average, and at most
    ``rows``. Source: Chao (1984), Scandinavian Journal of Statistics 11, in its bias-corrected form.
    """
    if looked_at >= rows:
        return float(seen)
    return min(seen + once * (once - 1) / (2.0 * (twice + 1)), float(rows))


def _pays(patterns: float, rows: int) -> bool:
    return patterns * ROWS_A_PATTERN <= rows


def _of_frame(frame: Frame) -> Frame | None:
    if not _pays(_frame_estimate(frame), frame.rows):
        return None
    arrays = {f"c{i}": np.ascontiguousarray(array) for i, array in enumerate(frame.arrays.values())}
    listed = ", ".join(arrays)
    with connect() as connection:
        connection.register("rows_in_hand", {**arrays, "r": np.arange(frame.rows)})
        found = connection.execute(
            f"SELECT {listed}, count(*) AS n, min(r) AS f FROM rows_in_hand GROUP BY ALL ORDER BY f"
        ).fetchnumpy()
    # DuckDB takes a NaN for NULL.
    columns = {name: filled(found[c]) for name, c in zip(frame.arrays, arrays, strict=True)}
    once = replace(frame, arrays=columns, rows=len(found["n"]))
    return _patterns(once, found, lambda: frame)


def _frame_estimate(frame: Frame) -> float:
    m = min(LOOKED_AT, frame.rows)
    # An even stride would fall into step with a table's own period; a golden-ratio sequence does not.
    at = (np.arange(m) * 0.6180339887498949 % 1.0 * frame.rows).astype(np.int64)
    pattern, patterns = np.zeros(m, dtype=np.int64), 1.0
    for array in frame.arrays.values():
        _, code = np.unique(array[at], return_inverse=True)
        _, pattern, count = np.unique(pattern * m + code, return_inverse=True, return_counts=True)
        once, twice = (int(np.count_nonzero(count == times)) for times in (1, 2))
        patterns = patterns_estimate(m, len(count), once, twice, frame.rows)
        if not _pays(patterns, frame.rows):  # further columns only make more of them
            break
    return patterns


def _of_relation(relation: Relation) -> Frame | None:
    step = relation.rows // LOOKED_AT + 1
    listed = ", ".join(relation.identifiers.values())
    sample = f"SELECT {listed} FROM {relation.table} WHERE hash(rowid) % {step} = 0"
    if not _pays(_sql_estimate(relation.connection, sample, (), listed, relation.rows), relation.rows):
        return None
    query = f"SELECT {listed}, count(*) AS n, min(rowid) AS f FROM {relation.table} GROUP BY ALL"
    return _grouped(relation, [query], [()], lambda: relation)


def _of_scan(scan: Scan, names: Sequence[str], kinds: Mapping[str, Kind]) -> Frame | None:
    """The patterns of files that can be read twice for less than a table of all their rows costs; None as below.

    Anything out of the ordinary (few rows, a value that does not fit, a fault) is left to the way over all rows,
    which knows the words for it.
    """
    import duckdb

    columns = [scan.columns[name] for name in names]
    if any(column.kind == "other" for column in columns):
        return None
    places = {name: i for i, name in enumerate(scan.columns)}
    readings = {name: scan.read(f"c{places[name]}", scan.columns[name], kinds[name]) for name in names}
    if not names or any(reading.bad is not None and not reading.late for reading in readings.values()):
        return None
    identifiers = {name: f"c{i}" for i, name in enumerate(names)}
    values = ", ".join(f"{readings[name].value} AS {c}" for name, c in identifiers.items())
    listed = ", ".join(identifiers.values())
    relation = Relation(
        scan.connection,
        new_table(),
        identifiers,
        {column.name: read_as(column, kinds[column.name]) for column in columns},
        0,
        scan.label,
    )
    try:
        counts = [_count(scan.connection, part) for part in scan.parts]
        rows = sum(counts)
        if rows < LEAST_ROWS:
            return None
        looks, bound = _stretches(scan.parts, counts, values)
        if not _pays(_sql_estimate(scan.connection, " UNION ALL ".join(looks), bound, listed, rows), rows):
            return None
        queries, before = [], 0
        for part, count in zip(scan.parts, counts, strict=True):
            inner = f"SELECT {values}, r FROM {part.numbered}"
            queries.append(f"SELECT {listed}, count(*) AS n, min(r) + {before} AS f FROM ({inner}) GROUP BY ALL")
            before += count
        late = [name for name, reading in readings.items() if reading.late]
        return _grouped(
            relation, queries, [part.parameters for part in scan.parts], lambda: scan.stage(names, kinds), late
        )
    except duckdb.Error:
        return None


def _stretches(parts: Sequence[Part], counts: Sequence[int], values: str) -> tuple[list[str], list[Any]]:
    """Queries for stretches of rows all over the files, and what they bind."""
    length, rows = LOOKED_AT // STRETCHES, sum(counts)
    ends = np.cumsum(counts)
    looks: list[str] = []
    bound: list[Any] = []
    for i in range(STRETCHES):
        start = i * max(rows - length, 0) // (STRETCHES - 1)
        which = int(np.searchsorted(ends, start, side="right"))
        part, first = parts[which], start - int(ends[which]) + counts[which]
        clause = (part.numbered or "").replace("$1", f"${len(bound) + 1}")
        bound.extend(part.parameters)
        looks.append(f"SELECT {values} FROM {clause} WHERE r BETWEEN {first} AND {first + length - 1}")
    return looks, bound


def _count(connection: duckdb.DuckDBPyConnection, part: Part) -> int:
    found = connection.execute(f"SELECT count(*) FROM {part.clause}", list(part.parameters)).fetchone()
    assert found is not None
    return int(found[0])


def _sql_estimate(
    connection: duckdb.DuckDBPyConnection, sample: str, bound: Sequence[Any], listed: str, rows: int
) -> float:
    found = connection.execute(
        "SELECT count(*), coalesce(sum(k), 0), count(*) FILTER (k = 1), count(*) FILTER (k = 2) "
        f"FROM (SELECT {listed}, count(*) AS k FROM ({sample}) GROUP BY ALL)",
        list(bound),
    ).fetchone()
    assert found is not None
    seen, looked_at, once, twice = (int(number) for number in found)
    return patterns_estimate(looked_at, seen, once, twice, rows)


def _grouped(
    relation: Relation,
    queries: Sequence[str],
    bound: Sequence[Sequence[Any]],
    written: Callable[[], Relation | Frame],
    checked: Sequence[str] = (),
) -> Frame | None:
    """The patterns that the queries find, one a part of the rows; None where a ``checked`` number is infinite."""
    connection, table = relation.connection, new_table()
    for i, (query, parameters) in enumerate(zip(queries, bound, strict=True)):
        verb = f"INSERT INTO {table}" if i else f"CREATE TEMP TABLE {table} AS"
        connection.execute(f"{verb} {query}", list(parameters))
    if not_finite(connection, table, checked, list(relation.columns)):
        return None
    listed = ", ".join(relation.identifiers.values())
    connection.execute(
        f"CREATE TEMP TABLE {relation.table}_once AS SELECT {listed}, sum(n)::DOUBLE AS n, min(f) AS f FROM {table} "
        "GROUP BY ALL ORDER BY f"
    )
    found = connection.execute(f"SELECT n, f FROM {relation.table}_once").fetchnumpy()
    once = Relation(
        connection,
        f"{relation.table}_once",
        relation.identifiers,
        relation.columns,
        len(found["n"]),
        relation.label,
    ).frame()
    connection.execute(f"DROP TABLE {table}; DROP TABLE {relation.table}_once")
    return _patterns(once, found, written)


def _patterns(once: Frame, found: Mapping[str, NDArray[Any]], written: Callable[[], Relation | Frame]) -> Frame:
    """The different rows with how often each stands there (n) and where first (f)."""
    first = found["f"]
    return replace(
        once,
        locate=lambda row: written().where(int(first[row])),
        counts=np.asarray(found["n"], dtype=np.float64),
        written=written,
    )
