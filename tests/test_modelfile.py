"""The model file: bit for bit there and back, and refused when a single byte is not its own."""

from __future__ import annotations

import json
import random
import warnings
from pathlib import Path

import numpy as np
import pytest

import passline
from passline import datasets, modelfile
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
    for end in [*range(0, len(data) - 1, 37), len(data) - 1]:
        with pytest.raises(ModelFileError):
            modelfile.parse(data[:end])


def test_a_file_with_one_bit_flipped_is_refused(text: str) -> None:
    data = text.encode()
    rng = random.Random(0)
    for place in range(0, len(data), 11):
        altered = bytearray(data)
        altered[place] ^= 1 << rng.randrange(8)
        with pytest.raises(ModelFileError):
            modelfile.parse(bytes(altered))


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
