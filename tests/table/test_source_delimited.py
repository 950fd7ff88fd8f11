"""Delimited files: what is read, what is refused, and where messages point."""

import csv
import gzip
import io
import os
import sys
import tempfile
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passline.errors import DataError, SourceError
from passline.table.source import Frame, Relation, open_source


@pytest.fixture
def write(tmp_path):
    def written(content, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


def kinds(path):
    return {name: column.kind for name, column in open_source(path).columns.items()}


def staged(path, **asked) -> Relation:
    source = open_source(path)
    default = {name: "category" if c.kind == "mixed" else c.kind for name, c in source.columns.items()}
    relation = source.stage(list(default), default | asked)
    assert isinstance(relation, Relation)
    return relation


def frame(path, **asked) -> Frame:
    return staged(path, **asked).frame()


def texts(frame, name):
    return [None if code < 0 else frame.values[name][code] for code in frame.arrays[name]]


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("a,b\n1,x\n2\n", 3, "1 cell where the header has 2"),
        ("a,b\n1,x\n2,y,z\n3,x\n", 3, "3 cells"),
        ("a,b\n1,x\n2", 3, "1 cell"),
        ("a,b\n1,x\n2,y,z", 3, "3 cells"),
        ("a,b\n1,x\n2,y,,,,,,\n", 3, "8 cells"),
        ("a,b\r\n1,x\r\n2,,\r\n", 3, "3 cells"),
        ("a,b\r1,x\r,,,\r2,y\r", 3, "4 cells"),
        ("a,b\n1,x\n2,,", 3, "3 cells"),
        ("a\n1\n2,\n", 3, "2 cells"),
        ('a,b\n1,x\n2,y,""\n', 3, "3 cells"),
        ('a,b\n1,x\n2,"y\ny",\n', 3, "3 cells"),
        ("a\n1\n2,3\n", 3, "2 cells"),
        ('a,b\n1,x\n2,"y\n3,z\n', 3, "quote"),
        ('a,"b\n1,2\n', 1, "quote"),
        ('a,b\n1,"x"y\n', 2, "quote"),
        ("a,b,a\n1,2,3\n", 1, "two columns are called 'a'"),
        ("a,,c\n1,2,3\n", 1, "column 2 of 3 has no name"),
        (b"a,b\n1,x\n2,\0y\n", 3, "NUL"),
        ("a,b\n1,x\n2,caf\xe9\n".encode("latin-1"), 3, "0xe9 is not UTF-8"),
        ("a,b\n1,x\n2,é".encode()[:-1], 3, "not UTF-8"),
        ("a,b\n" + "1,x\n" * 30_000 + "2,y,z\n", 30_002, "3 cells"),
    ],
)
def test_a_broken_file_is_refused_with_its_name_and_line(write, content, line, words):
    with pytest.raises(SourceError, match=f"t.csv, line {line}: ") as caught:
        staged(write(content))
    assert words in str(caught.value)


@pytest.mark.parametrize("column", ["a", "b"])
def test_a_fault_in_a_column_that_is_not_asked_for_is_refused_too(write, column):
    path = write('a,b\n1,2\n3,"4\n')
    with pytest.raises(SourceError, match="line 3"):
        open_source(path).stage([column], {column: "number"})


def test_empty_last_cells_and_quoted_delimiters_are_no_surplus(write):
    found = frame(write('a,b,c\n1,"x,,y",\n2,,\n'))
    assert texts(found, "b") == ["x,,y", None]


@pytest.mark.parametrize("content", ["", " \n\n \n", "\ufeff", "\ufeff\n"])
def test_a_file_of_nothing_is_empty(write, content):
    with pytest.raises(SourceError, match=r"t\.csv is empty"):
        open_source(write(content))


def test_a_header_alone_has_no_rows(write):
    for content in ("a,b\n", "a,b"):
        assert staged(write(content)).rows == 0


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("abc", "not a number"),
        ("1_000", "not a number"),
        ("0x10", "not a number"),
        ("1 2", "not a number"),
        ("NAN", "not a number"),
        ("1e309", "infinite"),
        ("-1e999", "infinite"),
        ("inf", "infinite"),
        ("-Infinity", "infinite"),
    ],
)
def test_a_late_slip_in_a_column_of_numbers_is_named_with_line_column_and_value(write, value, words):
    path = write("x,y\n" + "1.5,2\n" * 30_000 + f"{value},2\n" + "1,2\n" * 10)
    with pytest.raises(DataError, match=rf"t\.csv, line 30002: column 'x' holds '{value}', which is {words}"):
        staged(path)


def test_infinity_is_an_error_even_where_most_values_are_infinite(write):
    for content in ("x\ninf\n1\n", "x\ninf\n", "x\n1e309\n"):
        with pytest.raises(DataError, match=r"line 2.*infinite"):
            staged(write(content))


def test_the_advice_spells_an_odd_name_in_backticks(write):
    path = write("odd name,y\n1,2\n2,3\nfoo,3\n")
    with pytest.raises(DataError, match=r"C\(`odd name`\)"):
        staged(path, **{"odd name": "number"})


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-2.5", "+3", ".5", "5.", "1e5", "2E-3", " 7 ", "0", "-0.0"], "number"),
        (["1", "NA", "", "NaN", "nan"], "number"),
        (["NA", "", "NaN"], "number"),
        (["yes", "no"], "category"),
        (["true", "false", "NA"], "category"),
        (["T", "F"], "category"),
        (["01234", "12345", "99999"], "category"),
        (["007", "008"], "category"),
        (["1", "2", "3", "4", "5", "6", "7", "8", "9", "ten"], "mixed"),
        (["1,5", "2,5"], "category"),
        (["0x1", "0x2"], "category"),
        (["a", "b", "1"], "category"),
        (["2020-01-01", "2020-01-02"], "category"),
    ],
)
def test_kinds_of_delimited_text(write, values, kind):
    path = write("x;y\n" + "".join(f"{value};a\n" for value in values))
    assert kinds(path)["x"] == kind


def test_a_column_that_is_missing_in_the_sample_takes_its_kind_from_the_rest(write):
    head = "x,y,z\n" + "NA,,1\n" * 20_480
    assert kinds(write(head + "a,5,1\n")) == {"x": "category", "y": "number", "z": "number"}


def test_text_stays_text_to_the_last_digit(write):
    relation = staged(write("id,y\n12345678901234567,1\n12345678901234568,2\n"), id="category")
    assert texts(relation.frame(), "id") == ["12345678901234567", "12345678901234568"]


def test_missing_words_are_missing_in_numbers_and_categories_quoted_or_not(write):
    found = frame(write('x,c\n1,a\n"",""\nNA,NA\n"NaN","nan"\n nan , a\n'))
    np.testing.assert_array_equal(found.arrays["x"], [1, np.nan, np.nan, np.nan, np.nan])
    assert texts(found, "c") == ["a", None, None, None, " a"]


def test_a_relation_holds_null_and_never_nan(write):
    relation = staged(write("x,c\n1,a\nNaN,b\n"))
    found = relation.connection.execute(f"SELECT {relation.identifiers['x']} FROM {relation.table}").fetchall()
    assert found == [(1.0,), (None,)]


def test_true_and_false_are_read_as_booleans_when_asked(write):
    found = frame(write("b,y\nTRUE,1\nf,2\nNA,3\n1,4\n"), b="boolean")
    assert texts(found, "b") == ["TRUE", "FALSE", None, "TRUE"]
    with pytest.raises(DataError, match="line 2: column 'b' holds 'maybe', which is neither true nor false"):
        staged(write("b,y\nmaybe,1\n"), b="boolean")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("a,b\n1,x\n", "t.csv"),
        ("a;b\n1;x\n", "t.csv"),
        ("a\tb\n1\tx\n", "t.csv"),
        ("a|b\n1|x\n", "t.txt"),
        ("a\tb\n1\tx\n", "t.tsv"),
        ("\ufeffa,b\n1,x\n", "t.csv"),
        ("a,b\r\n1,x\r\n", "t.csv"),
        ("a,b\r1,x\r", "t.csv"),
        ("a,b\r\n1,x\n", "t.csv"),
        ("a,b\n1,x", "t.csv"),
        ("a,b\n1,x\n\n\n", "t.csv"),
        ("\n\na,b\n1,x\n", "t.csv"),
        ("a, b\n1,x\n", "t.csv"),
        ("a,b\n1,x\n".encode("utf-16"), "t.csv"),
        (gzip.compress(b"a,b\n1,x\n", mtime=0), "t.csv.gz"),
        (gzip.compress(b"a\tb\n1\tx\n", mtime=0), "t.tsv.gz"),
        ('"a","b"\n"1","x"\n', "odd [1]*?'\" name.csv"),
    ],
)
def test_spellings_of_one_table_read_alike(write, content, name):
    found = frame(write(content, name))
    assert found.arrays["a"].tolist() == [1.0]
    assert texts(found, "b") == ["x"]


def test_a_tsv_is_split_at_tabs_whatever_else_it_holds(write):
    assert list(kinds(write("a,b\tc;d\n1,2\t3\n", "t.tsv"))) == ["a,b", "c;d"]


def test_names_that_differ_in_case_are_two_columns(write):
    found = frame(write("x,X\n1,2\n"))
    assert (found.arrays["x"][0], found.arrays["X"][0]) == (1.0, 2.0)


def test_a_file_of_one_column_keeps_blank_lines_inside_and_drops_those_at_the_end(write):
    found = frame(write("x\n1\n\n2\n\n\n"))
    np.testing.assert_array_equal(found.arrays["x"], [1, np.nan, 2])
    assert found.where(2) == "t.csv, line 4"


def test_mixed_line_ends_are_read(write):
    found = frame(write('a,b\r\n1,x\n2,"y"\r\n3,z\r4,u\n'))
    assert found.arrays["a"].tolist() == [1, 2, 3, 4]
    assert texts(found, "b") == ["x", "y", "z", "u"]
    assert found.where(2) == "t.csv, line 4"


def test_lines_are_counted_through_quoted_line_ends_and_blank_lines(write):
    relation = staged(write('"a\nname",b\n1,"x\ny\nz"\n\n2,w\n'))
    assert [relation.where(row) for row in (0, 1)] == ["t.csv, line 3", "t.csv, line 7"]
    with pytest.raises(DataError, match="line 7: column 'b' holds 'w'"):
        staged(write('"a\nname",b\n1,"1\n"\n\n\n2,w\n'), b="number")


def test_only_the_columns_asked_for_are_staged(write):
    source = open_source(write("a,b,c\n1,x,2\n"))
    relation = source.stage(["c"], {"c": "number"})
    assert list(relation.columns) == ["c"]
    assert relation.frame().arrays["c"].tolist() == [2.0]


def test_a_glob_reads_files_of_one_header_in_order_of_their_names(write, tmp_path):
    write("a,b\n3,z\n", "p2.csv")
    write("a;b\n1;x\n2;y\n", "p1.csv")
    relation = staged(str(tmp_path / "p*.csv"))
    assert relation.frame().arrays["a"].tolist() == [1, 2, 3]
    assert [relation.where(row) for row in (1, 2)] == ["p1.csv, line 3", "p2.csv, line 2"]
    write("a,c\n3,z\n", "p3.csv")
    with pytest.raises(SourceError, match=r"p3\.csv, line 1: not the header of p1\.csv"):
        open_source(str(tmp_path / "p*.csv"))


def test_a_slip_in_a_later_file_of_a_glob_names_that_file(write, tmp_path):
    write("a,b\n" + "1,2\n" * 20_480, "p1.csv")
    write("a,b\n1,2\nfoo,2\n", "p2.csv")
    with pytest.raises(DataError, match=r"p2\.csv, line 3: column 'a' holds 'foo'"):
        staged(str(tmp_path / "p*.csv"))


class _Stdin:
    def __init__(self, content):
        self.buffer = io.BytesIO(content)


def test_standard_input_is_read_as_csv(monkeypatch):
    monkeypatch.setattr(sys, "stdin", _Stdin(b"a,b\n1,x\n2,y\n"))
    relation = staged("-")
    assert relation.frame().arrays["a"].tolist() == [1, 2]
    assert relation.where(1) == "standard input, line 3"


def test_a_named_pipe_is_read(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    thread = threading.Thread(target=path.write_bytes, args=(b"a,b\n1,x\n",))
    thread.start()
    assert frame(path).arrays["a"].tolist() == [1.0]
    thread.join()


def test_no_temporary_file_outlives_its_source_or_an_error(monkeypatch, tmp_path):
    spools = tmp_path / "spools"
    spools.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spools))
    for content in (
        b"",
        b"a,a\n1,2\n",
        b"a,b\n1\n",
        b"a,b\n1,\0\n",
        b"a\n\xff\n",
        b"\xff\xfea",
        gzip.compress(b"a\n1\n")[:-9],
    ):
        monkeypatch.setattr(sys, "stdin", _Stdin(content))
        try:
            staged("-")
        except SourceError:
            pass
        else:
            pytest.fail(f"{content!r} was read")
        assert list(spools.iterdir()) == []
    monkeypatch.setattr(sys, "stdin", _Stdin(b"a,b\n1,x\n"))
    relation = staged("-")
    assert len(list(spools.iterdir())) == 1
    del relation
    assert list(spools.iterdir()) == []


def test_a_number_column_can_be_read_as_a_category_and_back(write):
    path = write("a,b\n1,1\n2.50,x\n")
    assert texts(frame(path, a="category"), "a") == ["1", "2.50"]
    with pytest.raises(DataError, match="line 3: column 'b' holds 'x'"):
        staged(path, b="number")


cells = st.text(st.sampled_from('ab1.,;"\n\r \té'), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=6))
def test_whatever_the_csv_module_writes_comes_back_cell_by_cell(tmp_path, rows):
    path = tmp_path / "t.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(["a", "b"])
        writer.writerows(rows)
    found = frame(path, a="category", b="category")
    expected = [tuple(cell or None for cell in row) for row in rows]
    assert list(zip(texts(found, "a"), texts(found, "b"), strict=True)) == expected
