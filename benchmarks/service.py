"""The service under load, beside an empty Starlette application in the same minutes.

Run by hand on a quiet machine: ``python -m benchmarks.service [--seconds 5] [--minutes 0]``. Everything
is on 127.0.0.1; the load comes from a process of its own, over a fixed number of connections, for a fixed time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import uvloop

import passline

CONNECTIONS = 16
EMPTY = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

async def nothing(request):
    return JSONResponse({})

app = Starlette(routes=[Route("/", nothing, methods=["GET", "POST"])])
uvicorn.run(app, port=int(sys.argv[1]), http="httptools", loop="uvloop", access_log=False, log_level="warning")
"""


@dataclass(frozen=True)
class Load:
    """Answers a second, the seconds of the median and of the slowest hundredth, and how many were no 200."""

    a_second: float
    median: float
    p99: float
    refused: int


class _Connection(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, request: bytes, until: float, times: list[float], refused: list[bytes]) -> None:
        self.request, self.until, self.times, self.refused = request, until, times, refused
        self.buffer, self.over = b"", asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head = self.buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        at = self.buffer.find(b"content-length: ")
        length = int(self.buffer[at + 16 : self.buffer.find(b"\r", at)])
        if len(self.buffer) < head + 4 + length:
            return
        now = time.perf_counter()
        self.times.append(now - self.asked)
        if not self.buffer.startswith(b"HTTP/1.1 200"):
            self.refused.append(self.buffer)
        self.buffer = b""
        if now < self.until:
            self._ask()
        else:
            self.transport.close()

    def connection_lost(self, _exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_result(None)

    def _ask(self) -> None:
        self.asked = time.perf_counter()
        self.transport.write(self.request)


def load(port: int, request: bytes, seconds: float, connections: int = CONNECTIONS) -> Load:
    """Ask for so long over so many connections."""

    async def run() -> Load:
        times: list[float] = []
        refused: list[bytes] = []
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        until = began + seconds
        made = [
            await loop.create_connection(lambda: _Connection(request, until, times, refused), "127.0.0.1", port)
            for _ in range(connections)
        ]
        await asyncio.gather(*(protocol.over for _, protocol in made))
        took = time.perf_counter() - began
        times.sort()
        return Load(len(times) / took, times[len(times) // 2], times[int(len(times) * 0.99)], len(refused))

    return uvloop.run(run())


def post(path: str, document: object) -> bytes:
    """A request, as it is sent."""
    body = json.dumps(document).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(port: int, path: str) -> None:
    """Wait until an address answers."""
    for _ in range(2000):
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as connection:
                connection.sendall(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode())
                if connection.recv(100).startswith(b"HTTP/1.1 200"):
                    return
        except OSError:
            time.sleep(0.005)
    raise SystemExit(f"port {port} does not answer")


@contextmanager
def process(command: list[str], port: int, path: str) -> Iterator[tuple[int, float]]:
    """A server while the block runs: its process, and in how many seconds it answered."""
    began = time.perf_counter()
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, path)
        yield server.pid, time.perf_counter() - began
    finally:
        server.terminate()
        server.wait(60)


def memory(pid: int) -> float:
    """Resident megabytes (10^6 bytes) of a process."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) * 1024 / 1e6


def processor(pid: int) -> float:
    """Seconds of the processor that a process has taken."""
    found = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(found[11]) + int(found[12])) / os.sysconf("SC_CLK_TCK")


def make_model(path: Path) -> None:
    """A model of five numbers, from rows that are made up."""
    random.seed(1)
    X = [[random.gauss(0, 1) for _ in range(500)] for _ in range(5)]
    y = [int(sum(column[i] for column in X) + random.gauss(0, 2) > 0) for i in range(500)]
    passline.fit("y ~ a + b + c + d + e", dict(zip("abcde", X, strict=True)) | {"y": y}).save(path)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=0.0, help="of load at the end, to see whether memory grows")
    given = parser.parse_args()
    rows = [{name: round(random.gauss(0, 1), 4) for name in "abcde"} for _ in range(1000)]
    one, many = post("/predict", {"rows": rows[:1]}), post("/predict", {"rows": rows})
    nothing = b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        model = Path(folder) / "model.json"
        make_model(model)
        ports = free_port(), free_port()
        serve = [sys.executable, "-m", "passline.cli", "serve", str(model), "--port", str(ports[0])]
        if not (Path(passline.__file__).parent / "cli" / "__main__.py").exists():
            serve[1:3] = ["-c", "from passline.cli import main; main()"]
        empty = [sys.executable, "-c", EMPTY, str(ports[1])]
        with process(serve, ports[0], "/readyz") as (pid, ready), process(empty, ports[1], "/") as (other, _):
            print(f"ready after {ready:.2f} s, {memory(pid):.1f} MB; {os.cpu_count()} processors")
            for _ in range(given.rounds):
                for name, server, port, request in (
                    ("empty Starlette", other, ports[1], nothing),
                    ("one row", pid, ports[0], one),
                    ("1000 rows", pid, ports[0], many),
                ):
                    before = processor(server)
                    found = pool.submit(load, port, request, given.seconds).result()
                    each = (processor(server) - before) / (found.a_second * given.seconds)
                    print(
                        f"{name:16s} {found.a_second:9.0f} a second, median {found.median * 1e3:6.2f} ms, "
                        f"p99 {found.p99 * 1e3:6.2f} ms, refused {found.refused}; {each * 1e6:6.1f} us of processor "
                        f"each, {memory(server):.1f} MB",
                        flush=True,
                    )
            end = time.monotonic() + 60 * given.minutes
            while time.monotonic() < end:
                pool.submit(load, ports[0], one, 10.0).result()
                pool.submit(load, ports[0], many, 5.0).result()
                print(
                    f"under load {60 * given.minutes - (end - time.monotonic()):5.0f} s: {memory(pid):.1f} MB",
                    flush=True,
                )


if __name__ == "__main__":
    main()
