"""What the service answers is what predict and explain say, for every kind of column, however the rows come."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

import passline
from passline.service.catalogue import open_catalogue
from passline.service.problems import Problem
from passline.service.rows import DoubtError
from passline.service.settings import Limits

ROWS = {
    "students": [{"hours": 2}, {"hours": 0.5}, {"hours": 4.75}],
    "births": [
        {"age": 20, "lwt": 120, "race": 1, "smoke": 0},
        {"age": 33.5, "lwt": 99.5, "race": 3.0, "smoke": 1},
        {"age": 14, "lwt": 250, "race": 2, "smoke": 1},
    ],
    "ship": [
        {"sex": "male", "passengerClass": "3rd", "age": 22},
        {"sex": "female", "passengerClass": "1st", "age": 70.5},
        {"sex": "male", "passengerClass": "2nd", "age": 1},
    ],
    "kinds": [
        {"flag": True, "a": 0.25, "code": "1:5"},
        {"flag": False, "a": -3, "code": "1"},
        {"flag": False, "a": 1e3, "code": "5"},
    ],
}


def columns(rows):
    return {name: [row[name] for row in rows] for name in rows[0]}


@pytest.mark.parametrize("name", ROWS)
def test_probabilities_are_those_of_predict_for_one_row_and_for_many(ask, models, name):
    expected = passline.load(models[name]).predict(columns(ROWS[name]))
    together = ask("/predict", {"rows": ROWS[name], "model": name}).json()
    assert set(together) == {"probabilities"}
    assert np.abs(np.array(together["probabilities"]) - expected).max() < 1e-15
    for row, probability in zip(ROWS[name], expected, strict=True):
        alone = ask(f"/models/{name}/predict", {"rows": [row]}).json()["probabilities"]
        assert alone == [pytest.approx(probability, rel=1e-14)]


@pytest.mark.parametrize("name", ROWS)
def test_shares_and_the_average_row_add_up_to_the_log_odds_of_predict(ask, models, name):
    fit = passline.load(models[name])
    found = ask(f"/models/{name}/explain", {"rows": ROWS[name]}).json()
    logits = fit.predict(columns(ROWS[name]), scale="logit")
    assert found["base"] == pytest.approx(fit.model.average @ fit.model.coef, abs=1e-12)
    for row, logit in zip(found["rows"], logits, strict=True):
        assert row["logit"] == pytest.approx(logit, rel=1e-12)
        assert found["base"] + sum(row["shares"].values()) == pytest.approx(logit, abs=1e-9)
        assert row["probability"] == pytest.approx(expit(logit), rel=1e-12)
        assert tuple(row["shares"]) == tuple(term.text for term in fit.model.design.terms)


def test_two_thousand_rows_of_every_kind_are_answered_in_their_order(ask, models):
    generator = np.random.default_rng(4)
    rows = [
        {"sex": str(sex), "passengerClass": str(rank), "age": float(age)}
        for sex, rank, age in zip(
            generator.choice(["male", "female"], 2000),
            generator.choice(["1st", "2nd", "3rd"], 2000),
            generator.uniform(1, 80, 2000),
            strict=True,
        )
    ]
    found = ask("/predict", {"rows": rows, "model": "ship"}).json()["probabilities"]
    assert np.abs(np.array(found) - passline.load(models["ship"]).predict(columns(rows))).max() < 1e-14


def test_beyond_the_edge_of_separated_rows_the_probability_is_0_or_1_and_has_no_shares(ask):
    rows = {"rows": [{"x": 1.5}, {"x": 3.5}]}
    assert ask("/models/separated/predict", rows).json() == {"probabilities": [0.0, 1.0]}
    refused = ask("/models/separated/explain", rows)
    assert refused.status_code == 409
    assert refused.json()["errors"][0]["path"] == "rows[0]"
    assert "separated" in refused.json()["error"]


def test_within_the_gap_of_separated_rows_there_is_no_probability_and_never_a_null(ask):
    for path in ("predict", "explain"):
        refused = ask(f"/models/separated/{path}", {"rows": [{"x": 3.5}, {"x": 2.5}]})
        assert refused.status_code == 409
        assert "null" not in refused.text


def test_escaped_names_and_texts_mean_what_they_say(ask):
    plain = ask("/predict", {"rows": ROWS["kinds"], "model": "kinds"}).json()
    escaped = (
        json.dumps({"rows": ROWS["kinds"], "model": "kinds"}).replace("1:5", "1\\u003a5").replace('"a"', '"\\u0061"')
    )
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert ask("/predict", content=escaped.encode(), headers=headers).json() == plain


def test_a_name_with_quotes_and_control_signs_can_be_asked_for(tmp_path):
    name = 'a"b\\c\u0001:d'
    fit = passline.fit("y ~ .", {name: [1.0, 2.0, 3.0, 4.0, 5.0], "y": [0, 1, 0, 1, 1]})
    fit.save(tmp_path / "odd.json")
    served = open_catalogue([str(tmp_path / "odd.json")], Limits()).only
    body = json.dumps({"rows": [{name: 2.5}, {name: 4}]}).encode()
    with pytest.raises(DoubtError):  # it is looked at first
        served.reader.read(body)
    assert served.reader.problem(body) is None
    found = served.probabilities(served.reader.read(body, looked_at=True))
    assert found == pytest.approx(fit.predict({name: [2.5, 4]}).tolist())
    wrong = served.reader.problem(json.dumps({"rows": [{name: "x"}]}).encode())
    assert isinstance(wrong, Problem)
    assert wrong.faults[0].path == 'rows[0]["a\\"b\\\\c\\u0001:d"]'


def test_a_model_is_described_so_that_its_defaults_can_be_asked_for(ask, models):
    assert ask("/models").json() == {"models": list(models)}
    for name in models:
        found = ask(f"/models/{name}").json()
        assert found["name"] == name
        row = {column["name"]: column["default"] for column in found["columns"]}
        answer = ask(f"/models/{name}/predict", {"rows": [row]})
        # The default of separated data lies within their gap.
        assert answer.status_code == (409 if name == "separated" else 200), answer.text


def test_liveness_readiness_and_every_other_address_answer(ask):
    for path in ("/healthz", "/readyz", "/v2", "/v2/health/live", "/v2/health/ready", "/openapi.json"):
        answer = ask(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_what_is_counted_is_what_was_asked(ask, models):
    def counted():
        lines = ask("/metrics").text.splitlines()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}

    before = counted()
    ask("/predict", {"rows": ROWS["ship"], "model": "ship"})
    ask("/predict", {"rows": [], "model": "ship"})
    after = counted()
    grown = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name)}
    assert grown['passline_rows_total{model="ship"}'] == 3
    assert grown['passline_requests_total{method="POST",route="/predict",status="200"}'] == 1
    assert grown['passline_requests_total{method="POST",route="/predict",status="422"}'] == 1
    assert grown['passline_request_seconds_count{route="/predict"}'] == 2
    assert grown['passline_request_seconds_bucket{le="+Inf",route="/predict"}'] == 2
    assert after["passline_requests_in_progress"] == 1  # this one


def test_the_log_says_what_happened_and_nothing_of_the_rows(ask, service):
    ask("/predict", {"rows": [{"hours": 1.234567}], "model": "students"}, headers={"X-Request-ID": "mine.1"})
    ask(
        "/predict",
        {"rows": [{"hours": "secret", "private": 1}], "model": "students"},
        headers={"X-Request-ID": "mine.2"},
    )
    service.wait("request", where=lambda entry: entry["id"] == "mine.2")
    found = {entry["id"]: entry for entry in service.events() if "id" in entry}
    fine, refused = found["mine.1"], found["mine.2"]
    assert (fine["status"], fine["model"], fine["rows"], fine["path"]) == (200, "students", 1, "/predict")
    assert refused["status"] == 422
    text = service.log.read_text()
    assert "1.234567" not in text
    assert "secret" not in text
    assert "private" not in text


@pytest.mark.parametrize("document", ["docs/how-to/serve.md", "src/passline/service/page/docs.html"])
def test_the_examples_of_the_documents_are_answered_as_they_stand_there(ask, document):
    text = (Path(__file__).resolve().parents[2] / document).read_text(encoding="utf-8")
    pattern = r"curl http://127\.0\.0\.1:8000(/\S+)[^\n]*(?:\\\n)?[^\n]*?-d '(.*)'\s+(\{.*\})"
    found = re.findall(pattern, text)
    assert found
    for path, body, expected in found:
        answer = ask(f"/models/students{path}", json.loads(body)).text
        start = expected.partition("[...]")[0]  # what is left out
        assert answer.startswith(start)
        assert answer == expected or start != expected
