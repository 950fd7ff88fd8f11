"""Files with types, databases and queries: names, kinds, conversions, and what is refused."""

import datetime
import decimal
import gzip
import json
import sqlite3
import subprocess
import sys

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from passline.errors import DataError, SourceError
from passline.table.source import Frame, open_source


def frame(data, sql=None, **asked):
    source = open_source(data, sql=sql)
    default = {name: c.kind for name, c in source.columns.items() if c.kind != "other"}
    found = source.stage(list(default), default | asked)
    return found if isinstance(found, Frame) else found.frame()


def texts(found, name):
    return [None if code < 0 else found.values[name][code] for code in found.arrays[name]]


@pytest.fixture
def table():
    columns = {
        "x": [1, 2, None],
        "X": ["a", None, "b"],
        "f": [1.5, float("nan"), 2.0],
        "b": [True, None, False],
        "s": [{"q": 1}, None, None],
        "d": [datetime.date(2020, 1, 1)] * 3,
        "dec": [decimal.Decimal("1.5")] * 3,
    }
    return pa.table(columns)


def write_stream(table, path):
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


@pytest.fixture(params=["t.parquet", "t.feather", "t.arrows", "t.arrow.gz"])
def path(request, table, tmp_path):
    path = tmp_path / request.param
    if path.suffix == ".parquet":
        parquet.write_table(table, path)
    elif path.suffix == ".feather":
        feather.write_feather(table, path)
    else:
        write_stream(table, path)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(path.read_bytes()))
    return path


def test_typed_files_keep_names_kinds_and_missing_values(path):
    kinds = {name: column.kind for name, column in open_source(path).columns.items()}
    expected = ["number", "category", "number", "boolean", "other", "other", "number"]
    assert list(kinds.items()) == list(zip(["x", "X", "f", "b", "s", "d", "dec"], expected, strict=True))
    found = frame(path)
    np.testing.assert_array_equal(found.arrays["x"], [1, 2, np.nan])
    np.testing.assert_array_equal(found.arrays["f"], [1.5, np.nan, 2])
    assert texts(found, "X") == ["a", None, "b"]
    assert texts(found, "b") == ["TRUE", None, "FALSE"]
    assert found.arrays["dec"].tolist() == [1.5] * 3
    assert found.where(2) == f"{path.name}, row 3"


def test_typed_columns_can_be_read_as_another_kind_where_values_allow_it(path):
    found = frame(path, x="category", f="category", b="number")
    assert texts(found, "x") == ["1", "2", None]
    assert texts(found, "f") == ["1.5", None, "2"]
    np.testing.assert_array_equal(found.arrays["b"], [1, np.nan, 0])
    assert texts(frame(path, b="category"), "b") == ["TRUE", None, "FALSE"]
    with pytest.raises(DataError, match="row 1: column 'X' holds 'a', which is not a number"):
        frame(path, X="number")
    with pytest.raises(DataError, match="row 2: column 'x' holds '2', which is neither true nor false"):
        frame(path, x="boolean")


def test_a_column_of_dates_is_refused_by_its_type(path):
    with pytest.raises(DataError, match=r"column 'd' is of type (DATE|date32)"):
        open_source(path).stage(["d"], {"d": "number"})


def test_an_infinity_in_a_parquet_column_is_named_with_its_row(tmp_path):
    parquet.write_table(pa.table({"f": [1.0, float("nan"), float("-inf")]}), tmp_path / "i.parquet")
    with pytest.raises(DataError, match=r"i\.parquet, row 3: column 'f' holds '-inf', which is infinite"):
        frame(tmp_path / "i.parquet")


def test_a_doubled_name_and_a_file_of_another_kind_are_refused(tmp_path):
    path = tmp_path / "d.parquet"
    parquet.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"]), path)
    with pytest.raises(SourceError, match="two columns are called 'x'"):
        open_source(path)
    for name in ("bad.parquet", "bad.arrow"):
        (tmp_path / name).write_text("not at all")
        with pytest.raises(SourceError, match=name):
            open_source(tmp_path / name)
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(SourceError, match="is empty"):
            open_source(tmp_path / name)


def test_a_glob_of_parquet_files_wants_one_schema(tmp_path):
    parquet.write_table(pa.table({"x": [1, 2]}), tmp_path / "p1.parquet")
    parquet.write_table(pa.table({"x": [3]}), tmp_path / "p2.parquet")
    source = open_source(str(tmp_path / "p?.parquet"))
    relation = source.stage(["x"], {"x": "number"})
    assert relation.frame().arrays["x"].tolist() == [1, 2, 3]
    assert relation.where(2) == "p2.parquet, row 1"
    parquet.write_table(pa.table({"x": ["a"]}), tmp_path / "p3.parquet")
    with pytest.raises(SourceError, match=r"p3\.parquet has not the columns of p1\.parquet"):
        open_source(str(tmp_path / "p?.parquet"))


def test_json_lines_keep_names_that_differ_in_case_and_odd_names(tmp_path):
    path = tmp_path / "j.jsonl"
    rows = [{"x": 1, "X": "a", "n": None}, {"X": "NA", "x": 2.5, "a/b~'\"": True, "o": {"k": 1}}]
    path.write_text("\n\n".join(map(json.dumps, rows)))
    source = open_source(path)
    kinds = {name: column.kind for name, column in source.columns.items()}
    assert kinds == {"x": "number", "X": "category", "n": "number", "a/b~'\"": "boolean", "o": "other"}
    found = frame(path)
    assert found.arrays["x"].tolist() == [1, 2.5]
    assert texts(found, "X") == ["a", None]
    assert texts(found, "a/b~'\"") == [None, "TRUE"]
    assert found.where(1) == "j.jsonl, line 3"


def test_a_json_array_and_gzipped_lines_are_read(tmp_path):
    (tmp_path / "a.json").write_text('[{"x": 1},\n {"x": NaN}]')
    np.testing.assert_array_equal(frame(tmp_path / "a.json").arrays["x"], [1, np.nan])
    (tmp_path / "a.ndjson.gz").write_bytes(gzip.compress(b'{"x": 1}\n{"x": 2}\n'))
    assert frame(tmp_path / "a.ndjson.gz").arrays["x"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"x": 1}\n{"x": }\n', "line 2: not a JSON object"),
        ('{"x": 1}\n{"x": 2', "line 2: not a JSON object"),
        ('{"x": 1}\n[1]\n', "line 2: array where an object is needed"),
        ("", "is empty"),
        ("\n", "is empty"),
        ("{}\n", "no columns"),
        ('{"x": 1e309}', "line 1: column 'x' holds '1e309', which is infinite"),
    ],
)
def test_broken_json_lines_are_refused_with_their_line(tmp_path, content, words):
    (tmp_path / "j.jsonl").write_text(content)
    with pytest.raises((SourceError, DataError), match=words):
        frame(tmp_path / "j.jsonl")


@pytest.fixture
def duck(tmp_path):
    path = tmp_path / "d.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TYPE mood AS ENUM ('z', 'a')")
        connection.execute("CREATE TABLE t AS SELECT 1 AS x, 'a'::mood AS e, true AS b, DATE '2020-01-01' AS d")
        connection.execute("CREATE VIEW v AS SELECT x + 6 AS q FROM t")
    return path


def test_a_duckdb_table_or_view_is_read_and_its_enumeration_keeps_its_order(duck):
    source = open_source(f"{duck}::t")
    assert source.label == "d.duckdb::t"
    assert source.columns["e"].order == ("z", "a")
    assert texts(frame(f"{duck}::t"), "e") == ["a"]
    assert frame(f"{duck}::v").arrays["q"].tolist() == [7]
    for name in (f"{duck}", f"{duck}::nope"):
        with pytest.raises(SourceError, match="Its tables: t, v"):
            open_source(name)


def test_a_query_reads_files_and_the_tables_of_its_database(duck, tmp_path):
    assert frame(str(duck), sql="SELECT x + 1 AS y FROM t -- the end\n;").arrays["y"].tolist() == [2]
    (tmp_path / "t.csv").write_text("a,b\n1,x\n2,y\n")
    assert frame(None, sql=f"SELECT sum(a) AS s FROM '{tmp_path}/t.csv'").arrays["s"].tolist() == [3]
    assert frame(tmp_path / "t.csv", sql="SELECT a * 2 AS a FROM data").arrays["a"].tolist() == [2, 4]
    assert frame({"a": [1, None], "b": ["x", None], "c": [True, None]}, sql="FROM data").values["b"] == ("x",)


@pytest.mark.parametrize(
    "sql", ["DROP TABLE t", "SELECT 1; SELECT 2", "COPY t TO 'x.csv'", "", "SELEC 1", "SELECT nope FROM t"]
)
def test_anything_but_one_select_is_refused(duck, sql):
    with pytest.raises(SourceError, match="the query"):
        open_source(str(duck), sql=sql)


def test_a_query_with_doubled_names_is_refused_and_one_whose_names_differ_in_case_is_not():
    with pytest.raises(SourceError, match="two columns are called 'a'"):
        open_source(None, sql="SELECT 1 AS a, 2 AS a")
    found = frame(None, sql="SELECT 1 AS x, 2 AS X")
    assert (found.arrays["x"][0], found.arrays["X"][0]) == (1, 2)


def test_a_query_sees_no_python_variable():
    hidden = pa.table({"x": [1]})
    with pytest.raises(SourceError, match="hidden"):
        open_source(None, sql="SELECT * FROM hidden")
    assert hidden.num_rows == 1


@pytest.fixture
def lite(tmp_path):
    path = tmp_path / "q.sqlite"
    connection = sqlite3.connect(path)
    connection.execute('CREATE TABLE "odd ""t" (x, y, z, m)')
    rows = [(1, "a", b"x", 1), (2.5, None, None, "two"), (None, "b", None, 3)]
    connection.executemany('INSERT INTO "odd ""t" VALUES (?, ?, ?, ?)', rows)
    connection.commit()
    connection.close()
    return path


def test_a_sqlite_table_is_read_value_by_value(lite):
    source = open_source(f'{lite}::odd "t')
    assert {n: c.kind for n, c in source.columns.items()} == {
        "x": "number",
        "y": "category",
        "z": "other",
        "m": "mixed",
    }
    found = frame(f'{lite}::odd "t', m="category")
    np.testing.assert_array_equal(found.arrays["x"], [1, 2.5, np.nan])
    assert texts(found, "y") == ["a", None, "b"]
    assert texts(found, "m") == ["1", "two", "3"]
    assert frame(str(lite), sql='SELECT x * 2 AS k FROM "odd ""t" LIMIT 1').arrays["k"].tolist() == [2]
    with pytest.raises(SourceError):
        open_source(str(lite), sql='DELETE FROM "odd ""t"')
    with pytest.raises(SourceError, match="no table 'nope'"):
        open_source(f"{lite}::nope")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("birthwt.cvs", "Near names there: birthwt.csv"),
        ("no/such/folder.csv", "there is no file"),
        (".", "is a directory"),
        ("*.nothing", "no file matches"),
        ("birthwt.csv::t", "no DuckDB or SQLite file"),
        ("book.xlsx", "not read"),
        ("bad\0name.csv", "there is no file"),
    ],
)
def test_a_path_that_is_no_table_is_refused(tmp_path, monkeypatch, name, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "birthwt.csv").write_text("a\n1\n")
    (tmp_path / "book.xlsx").write_bytes(b"PK\3\4")
    with pytest.raises(SourceError, match=words):
        open_source(name)


def test_a_frame_is_opened_without_duckdb_and_nothing_heavy_is_imported():
    code = (
        "import sys; from passline.table.source import open_source; "
        "open_source({'x': [1.0]}).stage(['x'], {'x': 'number'}); "
        "print([m for m in ('duckdb', 'pandas', 'polars', 'pyarrow', 'torch', 'scipy') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_files_are_read_without_pandas_and_pyarrow(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,x\nNA,y\n")
    code = (
        "import sys; sys.modules['pandas'] = sys.modules['pyarrow'] = None\n"
        "from passline.table.source import open_source\n"
        "from passline.errors import MissingDependencyError\n"
        f"f = open_source({str(tmp_path / 't.csv')!r}).stage(['a', 'b'], {{'a': 'number', 'b': 'category'}}).frame()\n"
        "print(f.arrays['a'].tolist(), f.arrays['b'].tolist(), f.values)\n"
        "try: open_source(sys.argv[1])\n"
        "except MissingDependencyError as error: print(error)\n"
    )
    (tmp_path / "f.arrow").write_bytes(b"ARROW1")
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "f.arrow")], capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines()[0] == "[1.0, nan] [0, 1] {'b': ('x', 'y')}"
    assert "pip install 'passline[frames]'" in ran.stdout
