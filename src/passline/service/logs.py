"""Structured logs: one JSON document a line on standard error, written in lots so that no request waits for it."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from typing import Any, TextIO

import msgspec

# How long a line may wait for others, in seconds; at a stop they are all written.
PATIENCE = 0.1


class _Request(msgspec.Struct, kw_only=True, gc=False):
    """The line of a request: a type of its own, since it is written at each."""

    time: str
    level: str
    event: str = "request"
    id: str
    method: str
    path: str
    status: int
    seconds: float
    bytes_in: int
    bytes_out: int
    model: str | msgspec.UnsetType
    rows: int | msgspec.UnsetType


class Log:
    """Writes events. What is in rows never enters one: numbers of rows, names of models, places and statuses do."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._lines: list[bytes] = []
        self._second = 0, ""
        self._waiting: asyncio.TimerHandle | None = None
        self._encode = msgspec.json.Encoder().encode

    def write(self, event: str, level: str = "info", **fields: Any) -> None:
        """One event, with the time in UTC."""
        self._wait_with({"time": self._now(), "level": level, "event": event, **fields})

    def request(self, **fields: Any) -> None:
        """One request that is over: the fields of its line but for the time."""
        self._wait_with(_Request(time=self._now(), **fields))

    def _wait_with(self, line: Any) -> None:
        self._lines.append(self._encode(line))
        if self._waiting is None:
            try:
                self._waiting = asyncio.get_running_loop().call_later(PATIENCE, self.flush)
            except RuntimeError:  # no loop yet, or no more
                self.flush()

    def _now(self) -> str:
        """The time in UTC to the millisecond. Of a second only the thousandths are written anew."""
        now = time.time()
        second = int(now)
        if second != self._second[0]:
            self._second = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._second[1]}.{int((now - second) * 1000):03d}Z"

    def flush(self) -> None:
        """Write what is there. A reader that has gone is no reason to stop serving."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        lines, self._lines = self._lines, []
        if not lines:
            return
        try:
            self._stream.write(b"\n".join(lines).decode() + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return


class Handler(logging.Handler):
    """Passes on what the server's own loggers say, from warnings up, as events of ours."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """One record; of an exception its type and place, never its text, which may hold what was sent."""
        fields: dict[str, Any] = {"message": record.getMessage()}
        if record.exc_info and record.exc_info[0] is not None:
            fields |= exception_fields(record.exc_info[1])
        self._log.write("server", record.levelname.lower(), **fields)


def exception_fields(error: BaseException | None) -> dict[str, Any]:
    """An exception for the log: its type, and in which functions it arose."""
    places = []
    trace = error.__traceback__ if error else None
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_qualname} ({code.co_filename}:{trace.tb_lineno})")
        trace = trace.tb_next
    return {"exception": type(error).__name__, "where": places[-5:]}
