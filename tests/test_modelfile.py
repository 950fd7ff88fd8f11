"""The model file: bit for bit there and back, and refused when a single byte is not its own."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import passline
from passline import datasets, documents, modelfile
from passline.engine.penalty import Penalty
from passline.errors import ModelFileError, OptionError

MODELS = {
    "numbers": ("passed ~ hours", "students", None),
    "categories": ("survived ~ sex * passengerClass + age", "titanic", None),
    "functions": ("lfp ~ rcs(age, 4) + scale(inc) + log1p(k5) + wc:hc + C(k618)", "mroz", None),
    "separated": ("HG ~ NV + PI + EH", "endometrial", None),
    "completely separated": ("passed ~ hours", "lesson", None),
    "penalised": ("low ~ age + lwt + C(race)", "birthwt", Penalty(l2=0.01)),
}


def fitted(name: str) -> passline.Fit:
    formula, table, penalty = MODELS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return passline.fit(formula, datasets.path(table), penalty=penalty)


def nested(inner: Any) -> Any:
    return st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)


@pytest.fixture(scope="module")
def text() -> str:
    return modelfile.dump(fitted("numbers").model)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_comes_back_bit_for_bit(name: str, tmp_path: Path) -> None:
    fit = fitted(name)
    path = tmp_path / "model.json"
    fit.save(path)
    found = passline.load(path)
    assert found.as_json() == fit.as_json()
    assert found.warnings == fit.warnings
    data = datasets.path(MODELS[name][1])
    interval = None if name == "penalised" else "wald"
    for a, b in zip(fit.predict(data, interval=interval), found.predict(data, interval=interval), strict=True):
        assert a.tobytes() == b.tobytes()
    np.testing.assert_array_equal(found.covariance, fit.covariance)
    assert modelfile.dump(found.model) == path.read_text(encoding="utf-8")
    assert repr(found) == repr(fit)
    assert found.rows is None


def test_a_boundary_of_a_loaded_model_is_that_of_the_fit(tmp_path: Path) -> None:
    fit = fitted("numbers")
    fit.save(tmp_path / "m.json")
    assert passline.load(tmp_path / "m.json").boundary("hours", interval="delta") == fit.boundary(
        "hours", interval="delta"
    )


def test_a_file_cut_off_anywhere_is_refused(text: str) -> None:
    data = text.encode()
    for end in range(len(data)):
        with pytest.raises(ModelFileError):
            modelfile.parse(data[:end])


def test_a_file_with_any_one_bit_flipped_is_refused(text: str) -> None:
    data = text.encode()
    for place in range(len(data)):
        for bit in range(8):
            altered = bytearray(data)
            altered[place] ^= 1 << bit
            with pytest.raises(ModelFileError):
                modelfile.parse(bytes(altered))


def test_text_that_reads_as_the_same_json_is_refused(text: str) -> None:
    document = json.loads(text)
    turned = dict(reversed(document.items()))
    for altered in (
        json.dumps(document, ensure_ascii=False, indent=1) + " \n",
        json.dumps(document, ensure_ascii=False) + "\n",
        json.dumps(turned, ensure_ascii=False, indent=1, separators=(",", ": ")) + "\n",
        text.replace('"level": 0.95', '"level": 0.950'),
        text.replace("hours", "h\\u006furs"),
    ):
        assert json.loads(altered) == document
        with pytest.raises(ModelFileError, match="altered"):
            modelfile.parse(altered.encode())


def test_a_key_that_stands_twice_is_refused_by_name(text: str) -> None:
    altered = text.replace(' "level": 0.95,\n', ' "level": 0.9,\n "level": 0.95,\n')
    assert altered != text
    with pytest.raises(ModelFileError, match="'level' twice"):
        modelfile.parse(altered.encode())


def test_depth_and_number_of_lists_are_bounded_before_anything_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr("passline.modelfile.json.loads", refuse)
    for hostile in (b"[" * 9, b'{"a":' * 9, b"[[]" * 9 + b"[" * 8, b"[],"):
        with pytest.raises(ModelFileError if hostile != b"[]," else AssertionError):
            modelfile.parse(hostile)
    monkeypatch.setattr(modelfile, "MAX_CONTAINERS", 100)
    with pytest.raises(ModelFileError, match="too many lists"):
        modelfile.parse(b"[" + b"[]," * 101)


@given(st.recursive(st.none() | st.text(max_size=5) | st.sampled_from(['"[', "\\", '\\"]']), nested, max_leaves=20))
def test_depth_is_counted_as_the_parser_nests(value: object) -> None:
    def deep(item: object) -> int:
        items = item.values() if isinstance(item, dict) else item if isinstance(item, list) else None
        return 0 if items is None else 1 + max(map(deep, items), default=0)

    for ascii_only in (True, False):
        text = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
        assert documents.depth(text, 100, 1000) == deep(value)


@pytest.mark.parametrize(
    "content", [b'{"a": ' + b"9" * 5000 + b"}", b'"\\ud800"', b'{"format": "passline model", "version": 2}']
)
def test_numbers_without_end_and_half_characters_are_refused(content: bytes) -> None:
    with pytest.raises(ModelFileError):
        modelfile.parse(content)


def test_a_name_that_no_file_can_hold_is_refused_when_it_is_saved(tmp_path: Path) -> None:
    fit = passline.fit("y ~ `a\ud800`", {"a\ud800": [1.0, 2, 3, 4], "y": [0, 1, 0, 1]})
    with pytest.raises(OptionError, match=r"half a character \('\\ud800'\)"):
        fit.save(tmp_path / "m.json")
    assert list(tmp_path.iterdir()) == []


def test_a_file_larger_than_any_model_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted("numbers").save(tmp_path / "m.json")
    monkeypatch.setattr(modelfile, "MAX_BYTES", 100)
    with pytest.raises(ModelFileError, match="larger than 100 bytes"):
        passline.load(tmp_path / "m.json")


def schema_of(version: int) -> dict[str, object]:
    folder = Path(passline.__file__).parent / "data"
    found: dict[str, object] = json.loads((folder / f"model-{version}.schema.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", MODELS)
def test_a_saved_model_fits_the_schema_of_its_version(name: str, tmp_path: Path) -> None:
    fitted(name).save(tmp_path / "m.json")
    document = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema_of(modelfile.VERSION)).validate(document)


def test_each_version_has_a_schema_that_is_one() -> None:
    for version in range(1, modelfile.VERSION + 1):
        jsonschema.Draft202012Validator.check_schema(schema_of(version))


OLD = Path(__file__).parent / "models"
FILES = sorted(path for path in OLD.rglob("*.json") if not path.name.endswith(".expected.json"))


def test_every_version_has_its_files() -> None:
    versions = {json.loads(path.read_text(encoding="utf-8"))["version"] for path in FILES}
    assert versions == set(range(1, modelfile.VERSION + 1))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_files_of_every_version_load_and_predict_as_they_did(path: Path, tmp_path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    assert f"v{document['version']}" == path.parent.name
    jsonschema.Draft202012Validator(schema_of(document["version"])).validate(document)
    expected = json.loads(path.with_suffix(".expected.json").read_text(encoding="utf-8"))
    fit = passline.load(path)
    logits = np.array([np.nan if value is None else float(value) for value in expected["logits"]])
    found = fit.predict(expected["rows"], scale="logit")
    np.testing.assert_allclose(found, logits, rtol=1e-13, atol=1e-13)
    assert fit.as_json() == expected["document"]
    fit.save(tmp_path / "again.json")
    again = passline.load(tmp_path / "again.json")
    np.testing.assert_array_equal(again.predict(expected["rows"], scale="logit"), found)
    assert again.as_json() == fit.as_json()


ODD = st.sampled_from([None, True, 0, -1, 1.5, 3.0, "", "ml", "none", [], [1], [None], {}, {"a": 1}])


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_our_reading_of_the_schema_is_that_of_a_full_implementation(text: str, data: st.DataObject) -> None:
    document = json.loads(text)
    inner = document
    while isinstance(inner, dict | list) and inner:
        keys = sorted(inner) if isinstance(inner, dict) else list(range(len(inner)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(inner[key], dict | list) or not inner[key] or data.draw(st.booleans()):
            break
        inner = inner[key]
    action = data.draw(st.sampled_from(["set", "delete", "add"]))
    if action == "set":
        inner[key] = data.draw(ODD)
    elif action == "delete":
        del inner[key]
    elif isinstance(inner, dict):
        inner["more"] = data.draw(ODD)
    else:
        inner.append(data.draw(ODD))
    schema = schema_of(modelfile.VERSION)
    full = jsonschema.Draft202012Validator(schema).is_valid(document)
    assert (documents.misfit(document, schema) is None) == full


def test_a_file_with_bytes_added_is_refused(text: str) -> None:
    for altered in (text + "\n", " " + text, text + text, "\ufeff" + text, text.replace("\n", "\r\n")):
        with pytest.raises(ModelFileError):
            modelfile.parse(altered.encode())


def test_a_number_that_is_changed_with_its_key_left_alone_is_refused(text: str) -> None:
    document = json.loads(text)
    document["coef"][1] = 99.0
    with pytest.raises(ModelFileError, match="altered"):
        modelfile.parse((json.dumps(document, ensure_ascii=False, indent=1, separators=(",", ": ")) + "\n").encode())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\x00",
        b"\xff\xfe",
        b'{"format": "passline model"}',
        b"1e999",
        b"NaN",
        b"[" * 10_000,
    ],
)
def test_what_is_no_model_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(ModelFileError, match=r"model file|passline model|version|number of JSON"):
        modelfile.parse(content)


@pytest.mark.parametrize("version", [3, 0, -1, True, "1", None, 1.5])
def test_another_version_is_refused_and_says_so(text: str, version: object) -> None:
    with pytest.raises(ModelFileError, match=r"version|altered"):
        modelfile.parse(json.dumps(json.loads(text) | {"version": version}).encode())


@pytest.mark.parametrize(
    "changes",
    [
        {"coef": [1.0]},
        {"coef": [None, 1.0]},
        {"coef": ["1", "2"]},
        {"covariance": []},
        {"covariance": [[1.0], [2.0]]},
        {"terms": {}},
        {"glance": None},
        {"design": {}},
        {"directions": 3},
        {"level": "high"},
        {"warnings": None},
        {"summaries": []},
        {"coef": [10**400, 1.0]},
        {"glance": {"deviance": -(10**400)}},
    ],
)
def test_a_document_that_was_sealed_again_is_still_checked(text: str, changes: dict[str, object]) -> None:
    document = json.loads(text) | changes
    del document["sha256"]
    with pytest.raises(ModelFileError):
        modelfile.parse(modelfile._sealed(document).encode())


def test_a_model_file_holds_no_row_of_the_data(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=500)
    y = (rng.random(500) < 0.5).astype(int)
    passline.fit("y ~ x", {"x": x, "y": y}).save(tmp_path / "m.json")
    text = (tmp_path / "m.json").read_text(encoding="utf-8")
    assert [v for v in np.sort(x)[1:-1].tolist() if repr(v) in text] == []  # the range's ends are in its summary
    assert len(text) < 6000


def test_of_columns_that_no_term_uses_and_of_roles_nothing_is_saved(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    n = 300
    data: dict[str, Any] = {name: rng.normal(size=n) for name in ("a", "b", "unused", "offset")}
    data |= {"weight": rng.integers(1, 1_000_000, n), "cluster": [f"person-{i % 97:08d}" for i in range(n)]}
    data |= {"id": [f"secret-{i:08d}" for i in range(n)], "g": rng.choice(["north", "south"], n).tolist()}
    data["y"] = rng.integers(0, 2, n)
    fit = passline.fit("y ~ rcs(a, 3) + scale(b) + g", data, weights="weight", offset="offset", cluster="cluster")
    fit.save(tmp_path / "m.json")
    text = (tmp_path / "m.json").read_text(encoding="utf-8")
    assert "secret-" not in text
    assert "person-" not in text
    for name in ("unused", "offset"):
        assert not any(repr(value) in text for value in data[name].tolist())
    assert not any(f" {value},\n" in text for value in data["weight"].tolist() if value > 1000)
    model = json.loads(text)
    known = {model["summaries"][name][end] for name in "ab" for end in ("min", "max")}
    knots = set(model["design"]["states"]["rcs(a, 3)"])
    inside = [v for name in "ab" for v in data[name].tolist() if v not in known and v not in knots]
    assert len(inside) >= 2 * n - 7
    assert not any(repr(value) in text for value in inside)


def test_the_size_of_a_file_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    sizes = []
    for n in (1_000, 30_000):
        rng = np.random.default_rng(n)
        fit = passline.fit(
            "y ~ x + g", {"x": rng.random(n), "g": rng.choice(["a", "b"], n), "y": rng.integers(0, 2, n)}
        )
        fit.save(tmp_path / "m.json")
        sizes.append((tmp_path / "m.json").stat().st_size)
    assert sizes[1] < 1.1 * sizes[0]


def test_a_save_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit = fitted("numbers")
    path = tmp_path / "m.json"
    path.write_text("the old model")
    with pytest.raises(OptionError, match="folder"):
        fit.save(tmp_path)
    with pytest.raises(OptionError, match="does not exist"):
        fit.save(tmp_path / "nowhere" / "m.json")

    def full(_: int) -> None:
        raise OSError("no space left on the device")

    monkeypatch.setattr("passline.output.os.fsync", full)
    with pytest.raises(OptionError, match="no space"):
        fit.save(path)
    assert path.read_text() == "the old model"
    assert [file.name for file in tmp_path.iterdir()] == ["m.json"]


@pytest.mark.parametrize("name", ["nowhere.json", "."])
def test_a_model_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelFileError, match="cannot read the model file"):
        passline.load(tmp_path / name)
