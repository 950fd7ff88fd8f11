"""The service as a process: when it starts and does not, how it stops, how a replaced file takes its place."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

import passline
from passline.service.catalogue import open_catalogue
from passline.service.running import Application
from passline.service.settings import Limits, Settings
from service.conftest import COMMAND, answer_on, running
from service.test_refusals import head, status

ONE = {"rows": [{"hours": 2}]}


def refused(*arguments):
    done = subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_a_file_that_is_no_model_ends_with_2_before_anything_listens(models, tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text(models["students"].read_text().replace("hours", "days"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, told = refused(models["students"], f"b={bad}", "--port", port)
        assert (code, "altered" in told or "hash" in told) == (2, True), told
        code, told = refused(tmp_path / "none.json")
        assert code == 2
        assert "none.json" in told
        code, told = refused(models["students"], "--port", port)
        assert code == 2
        assert f"port {port}" in told
        assert "Give another --port" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "MODEL"),
        (["--host", "0.0.0.0"], "--token-file"),
        (["--host", "nowhere.invalid"], "--token-file"),
        (["--token-file", "no-such-file"], "no-such-file"),
        (["--port", "70000"], "--port"),
        (["--max-rows", "0"], "--max-rows"),
        (["--max-seconds", "nan"], "--max-seconds"),
    ],
)
def test_what_cannot_be_served_so_ends_with_2_and_what_to_do(models, arguments, told):
    given = arguments if not arguments else [models["students"], *arguments]
    code, said = refused(*given)
    assert code == 2
    assert told in said


def test_two_models_of_one_name_or_a_name_that_is_none_end_with_2(models, tmp_path):
    odd = tmp_path / "my model.json"
    shutil.copy(models["students"], odd)
    for arguments, told in (([models["students"], models["students"]], "two models"), ([odd], "model=")):
        code, said = refused(*arguments)
        assert code == 2
        assert told in said


def test_a_short_token_is_none(models, tmp_path):
    token = tmp_path / "token"
    token.write_text("a1b2c3\n")
    code, said = refused(models["students"], "--token-file", token)
    assert code == 2
    assert "at least 16" in said
    assert "a1b2c3" not in said


def test_beyond_the_loopback_it_listens_with_a_token_and_names_have_to_be_allowed(models, folder, tmp_path):
    token = tmp_path / "token"
    token.write_text("0123456789abcdef")
    told = ("--token-file", str(token), "--host", "0.0.0.0", "--allow-host", "models.example")
    with running(folder, str(models["students"]), *told) as service:
        known = ("models.example", "192.0.2.7:8000", "[2001:db8::1]", "localhost")
        assert {status(service.raw(head("/healthz", "GET", host))) for host in known} == {200}
        assert status(service.raw(head("/healthz", "GET", "other.example"))) == 421
        assert status(service.raw(head("/models", "GET", "models.example"))) == 401


def test_neither_torch_nor_a_reader_of_tables_is_in_the_process(service, ask):
    for path in ("/predict", "/explain"):
        for rows in (ONE["rows"], ONE["rows"] * 2):
            assert ask(path, {"rows": rows, "model": "students"}).status_code == 200
    for path in ("/", "/docs", "/metrics", "/openapi.json"):
        assert ask(path).status_code == 200
    loaded = Path(f"/proc/{service.process.pid}/maps").read_text()
    assert "numpy" in loaded
    for heavy in ("torch", "pandas", "duckdb", "pyarrow", "polars", "sklearn", "matplotlib", "scipy"):
        assert f"/{heavy}/" not in loaded
        assert f"/_{heavy}" not in loaded


def test_a_worker_takes_less_than_80_megabytes_after_many_requests(service, ask):
    rows = {"rows": [{"sex": "male", "passengerClass": "3rd", "age": i % 80 + 1} for i in range(2000)], "model": "ship"}
    for _ in range(30):
        assert ask("/predict", rows).status_code == 200
        assert ask("/models/ship/explain", {"rows": rows["rows"][:200]}).status_code == 200
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{service.process.pid}/status").read_text())
    assert int(found[1]) * 1024 < 80e6


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_finishes_what_is_in_progress_and_takes_nothing_new(models, folder, number):
    body = b'{"rows": [{"hours": 2}]}'
    with running(folder, str(models["students"])) as service:
        with socket.create_connection(("127.0.0.1", service.port), 10) as connection:
            connection.sendall(head(Content_Type="application/json", Content_Length=len(body)) + body[:9])
            time.sleep(0.2)
            service.process.send_signal(number)
            time.sleep(0.5)
            assert service.process.poll() is None
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", service.port), 1)
            connection.sendall(body[9:])
            answer = answer_on(connection)
        assert status(answer) == 200
        assert b"connection: close" in answer
        assert service.process.wait(10) == 0


def test_while_it_stops_it_is_alive_and_not_ready(models):
    application = Application(open_catalogue([str(models["students"])], Limits()), Settings())

    def answer(path):
        sent = []

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"host", b"localhost")]}
        with ThreadPoolExecutor(1) as thread:  # a loop of its own, whatever runs here
            thread.submit(asyncio.run, application(scope, receive, send)).result()
        return sent[0]["status"]

    assert answer("/readyz") == answer("/v2/health/ready") == 200
    application.state.stopping = True
    assert answer("/readyz") == answer("/v2/health/ready") == 503
    assert answer("/healthz") == answer("/v2/health/live") == 200


def replace(source: Path, target: Path) -> None:
    """Put a file in another's place, whole."""
    aside = target.with_suffix(".new")
    shutil.copy(source, aside)
    os.replace(aside, target)


def test_a_replaced_file_is_served_without_a_request_being_dropped(models, folder, tmp_path):
    served = tmp_path / "model.json"
    shutil.copy(models["students"], served)
    other = passline.fit("passed ~ hours", passline.datasets.path("students"), estimator="firth")
    other.save(tmp_path / "firth.json")
    old, new = passline.load(served).predict({"hours": 2})[0], other.predict({"hours": 2})[0]
    with running(folder, str(served)) as service, httpx.Client(base_url=service.address, verify=False) as client:
        answers: list[tuple[int, float]] = []
        over = threading.Event()

        def keep_asking() -> None:
            with httpx.Client(base_url=service.address, verify=False) as mine:
                while not over.is_set():
                    answer = mine.post("/predict", json=ONE)
                    answers.append((answer.status_code, answer.json()["probabilities"][0]))

        asking = [threading.Thread(target=keep_asking) for _ in range(2)]
        for thread in asking:
            thread.start()
        try:
            # A bad file first: the old one stays, the log and the metrics say so, once.
            (tmp_path / "bad").write_text("{}")
            replace(tmp_path / "bad", served)
            service.process.send_signal(signal.SIGHUP)
            kept = service.wait("reload refused")
            assert kept["model"] == "model"
            assert client.post("/predict", json=ONE).json()["probabilities"][0] == pytest.approx(old)
            served.unlink()
            service.process.send_signal(signal.SIGHUP)
            service.wait("reload refused", where=lambda entry: "cannot read" in entry["reason"])
            replace(tmp_path / "firth.json", served)
            service.wait("reload")  # by itself, within the second in which the files are looked at
            assert client.post("/predict", json=ONE).json()["probabilities"][0] == pytest.approx(new)
        finally:
            over.set()
            for thread in asking:
                thread.join()
        assert {code for code, _ in answers} == {200}
        assert {round(probability, 12) for _, probability in answers} <= {round(old, 12), round(new, 12)}
        metrics = client.get("/metrics").text
        assert 'passline_model_reloads_total{model="model",result="refused"} 2.0' in metrics
        assert 'passline_model_reloads_total{model="model",result="ok"} 1.0' in metrics


def test_a_bug_in_reading_a_file_leaves_the_model_that_was_there_and_the_watch_goes_on(models, tmp_path, monkeypatch):
    served = tmp_path / "model.json"
    shutil.copy(models["students"], served)
    catalogue = open_catalogue([str(served)], Limits())
    before, told = catalogue.only, []

    def break_down(*_):
        raise ZeroDivisionError("1.5")

    def renew():
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, catalogue.renew(lambda name, error: told.append((name, error)))).result()

    with monkeypatch.context() as broken:
        broken.setattr("passline.service.catalogue.load_served", break_down)
        replace(models["students"], served)
        renew()
    assert catalogue.only is before
    assert "a bug of ours" in told[0][1]
    assert "ZeroDivisionError" in told[0][1]
    renew()  # it has not changed, and is not read again
    assert len(told) == 1
    replace(models["students"], served)
    renew()
    assert told[1] == ("model", None)
    assert catalogue.only is not before
