"""HTTP as it is parsed and written: headers within limits and in time, an answer's head and body in one piece."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from passline.service.problems import Problem
from passline.service.settings import Limits

_TOO_LONG = "the request line and headers are too long"
_PHRASES = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large"}


def protocol(limits: Limits) -> type[asyncio.Protocol]:
    """The protocol by which uvicorn reads HTTP/1.1, within limits."""
    return type("Protocol", (_LimitedProtocol,), {"limits": limits})


class _Corked:
    """A transport that keeps the head of an answer until its body comes: a write is a sixth of a request's time.

    The guard sends the two in a row, so nothing waits; whatever else is written goes out at once.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport, self._head = transport, b""
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        if not self._head and data.endswith(b"\r\n\r\n") and data.startswith(b"HTTP/1.1 ") and data[9:10] != b"1":
            self._head = data
            return
        data, self._head = self._head + data, b""
        self._transport.write(data)

    def flush(self) -> None:
        if self._head:
            self.write(b"")

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _LimitedProtocol(HttpToolsProtocol):
    limits: ClassVar[Limits]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        self.corked = _Corked(transport)
        super().connection_made(cast("asyncio.Transport", self.corked))
        self.head_bytes = self.arrived = 0
        self.in_body = self.too_long = False
        self.patience: asyncio.TimerHandle | None = None
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self.in_body:
            self.head_bytes += len(data)
        self.arrived = max(self.head_bytes, len(data))
        super().data_received(data)
        # Bytes that came with the end of the headers are none of them.
        if self.head_bytes > self.limits.header_bytes:
            self._refuse(431, _TOO_LONG)
        elif self.head_bytes and self.patience is None:
            self._wait()  # a further request has begun

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        # What arrived may hold more than the headers; only where it is long are they measured themselves.
        limit = self.limits.header_bytes
        self.too_long = self.arrived > limit and self._size() > limit
        self.in_body, self.head_bytes = True, 0
        if self.too_long:
            raise ValueError  # ends the parsing, and comes back as send_400_response
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self.in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self.corked.flush()  # an answer to HEAD is its head alone
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(*((431, _TOO_LONG) if self.too_long else (400, msg)))

    def _size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _wait(self) -> None:
        self.patience = self.loop.call_later(self.limits.seconds, self._late)

    def _stop_waiting(self) -> None:
        if self.patience is not None:
            self.patience.cancel()
            self.patience = None

    def _late(self) -> None:
        if self.head_bytes:
            self._refuse(408, "the headers did not arrive in time")
        elif not self.transport.is_closing():
            self.transport.close()

    def _refuse(self, status: int, message: str) -> None:
        if self.transport.is_closing():
            return
        body = Problem(status, message).body()
        head = f"HTTP/1.1 {status} {_PHRASES[status]}\r\ncontent-type: application/json\r\n"
        head += f"content-length: {len(body)}\r\nconnection: close\r\nx-content-type-options: nosniff\r\n\r\n"
        transport: Any = self.transport
        transport.write(head.encode() + body)
        transport.close()
