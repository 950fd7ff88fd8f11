"""A service as a process of its own, the models it serves, and connections on which requests are written as bytes."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

import passline
from browser import browser, playwright

COMMAND = [sys.executable, "-c", "from passline.cli import main; main()", "serve"]


@dataclass
class Running:
    """A service: its process, its address, and the file of its log."""

    process: subprocess.Popen[str]
    address: str
    log: Path

    @property
    def port(self) -> int:
        return int(self.address.rstrip("/").rpartition(":")[2])

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def wait(
        self, event: str, within: float = 10.0, where: Callable[[dict[str, Any]], bool] = lambda _entry: True
    ) -> dict[str, Any]:
        """The last event of that kind, once there is one."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            found = [entry for entry in self.events() if entry["event"] == event and where(entry)]
            if found:
                return found[-1]
            time.sleep(0.02)
        raise AssertionError(f"no event {event!r} in {self.log.read_text()}")

    def raw(
        self, *parts: bytes, pause: float = 0.0, close: bool = False, patience: float = 10.0, whole: bool = False
    ) -> bytes:
        """What comes back for bytes as they are written, until an answer is there or the other end closes.

        ``whole``: all that comes until it closes.
        """
        with socket.create_connection(("127.0.0.1", self.port), patience) as connection:
            for place, part in enumerate(parts):
                if place:
                    time.sleep(pause)
                connection.sendall(part)
            if close:
                connection.shutdown(socket.SHUT_WR)
            if whole:
                return b"".join(iter(lambda: connection.recv(65536), b""))
            return answer_on(connection)


def answer_on(connection: socket.socket) -> bytes:
    """One answer, or what there is of it when the other end closes."""
    found = b""
    while True:
        head, separator, body = found.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        if separator and length and len(body) >= int(length[1]):
            return found
        part = connection.recv(65536)
        if not part:
            return found
        found += part


@contextmanager
def running(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> Iterator[Running]:
    """A service while the block runs; it has to end well when it is told to."""
    log = folder / f"log-{time.monotonic_ns()}.txt"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [*COMMAND, *arguments, "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=stream,
            text=True,
            env=os.environ | (environment or {}),
        )
    assert process.stdout is not None
    try:
        ready, _, _ = select.select([process.stdout], [], [], 30)
        line = process.stdout.readline() if ready else ""
        found = re.search(r"http://\S+", line)
        assert found, f"{line!r}; {log.read_text()}"
        yield Running(process, found[0], log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        code = process.wait(20)
        process.stdout.close()
    assert code == 0, log.read_text()


@pytest.fixture(scope="package")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Model files by name: numbers, categories of several kinds, separated data."""
    folder = tmp_path_factory.mktemp("models")
    path = passline.datasets.path
    fits = {
        "students": passline.fit("passed ~ hours", path("students")),
        "births": passline.fit("low ~ age + log(lwt) + C(race) + smoke + age:smoke", path("birthwt")),
        "ship": passline.fit("survived ~ sex * passengerClass + rcs(age, 3)", titanic()),
        "kinds": passline.fit("y ~ flag + a:flag + C(code)", kinds()),
    }
    with pytest.warns(passline.errors.SeparationWarning):
        fits["separated"] = passline.fit("y ~ x", {"x": [1, 2, 3, 4], "y": [0, 0, 1, 1]})
    for name, fit in fits.items():
        fit.save(folder / f"{name}.json")
    return {name: folder / f"{name}.json" for name in fits}


def titanic() -> dict[str, list[Any]]:
    """The complete rows of the table of passengers."""
    lines = passline.datasets.path("titanic").read_text().splitlines()
    names, *rows = (line.split(",") for line in lines)
    whole = [row for row in rows if "" not in row and "NA" not in row]
    table: dict[str, list[Any]] = {name: [row[i] for row in whole] for i, name in enumerate(names)}
    return table | {"age": [float(age) for age in table["age"]]}


def kinds() -> dict[str, list[Any]]:
    """Rows with yes/no, a number and codes that are text."""
    places = range(60)
    return {
        "flag": [i % 2 == 0 for i in places],
        "a": [(i * 37 % 11) / 11 for i in places],
        "code": [("1:5", "1", "5")[i % 3] for i in places],
        "y": [int((i * 7) % 5 < 2) for i in places],
    }


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where logs are written."""
    return tmp_path_factory.mktemp("service")


@pytest.fixture(scope="package")
def service(models: dict[str, Path], folder: Path) -> Iterator[Running]:
    """A service of all the models, with little patience and few rows."""
    limits = ("--max-seconds", "1", "--max-rows", "2000", "--max-requests", "20")
    with running(folder, *map(str, models.values()), *limits) as found:
        yield found


@pytest.fixture(scope="package")
def ask(service: Running) -> Iterator[Callable[..., httpx.Response]]:
    """``ask("/predict", {...})`` posts a document, ``ask("/docs")`` gets."""
    with httpx.Client(base_url=service.address, timeout=20, verify=False) as client:

        def send(path: str, document: Any = None, **more: Any) -> httpx.Response:
            if document is None and "content" not in more:
                return client.get(path, **more)
            if document is not None:
                more["json"] = document
            return client.post(path, **more)

        yield send
