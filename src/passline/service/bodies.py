"""A request's body: whole, of JSON, and no longer than it may be; and when it is not, why."""

from __future__ import annotations

import re

from starlette.types import Receive

from passline.service.guard import Asked, State
from passline.service.problems import Problem
from passline.service.settings import Limits

_JSON = re.compile(rb'application/json\s*(;\s*charset="?utf-8"?\s*)?', re.IGNORECASE)
# The connection ends with the answer: the rest of such a body would stand before the next request.
_CLOSE = {"connection": "close"}


async def read_body(receive: Receive, asked: Asked, limits: Limits, state: State) -> bytes:
    """The body of a request. Raises Problem: 400, 413, 415, or 503 where too much is being read at once."""
    headers = asked.headers
    kind = headers.get(b"content-type", b"")
    if kind != b"application/json" and not _JSON.fullmatch(kind.strip()):
        raise Problem(415, "the body has to be JSON: Content-Type: application/json", _CLOSE)
    if b"content-encoding" in headers and headers[b"content-encoding"].strip().lower() != b"identity":
        raise Problem(415, "the body is taken as it is, not compressed: send it without Content-Encoding", _CLOSE)
    announced = headers.get(b"content-length", b"")
    if announced.isdigit() and int(announced[:20]) > limits.body_bytes:
        raise _too_long(limits)
    parts: list[bytes] = []
    asked.reading = True
    held = 0
    try:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Problem(400, "the body broke off", _CLOSE)
            part = message.get("body", b"")
            held += len(part)
            state.held_bytes += len(part)
            if held > limits.body_bytes:
                raise _too_long(limits)
            if not message.get("more_body", False):
                break
            parts.append(part)
            if state.held_bytes > limits.held_bytes:
                raise Problem(503, "too much is being sent at once; come again", {"retry-after": "1", **_CLOSE})
    finally:
        asked.bytes_in = held
        state.held_bytes -= held
    asked.reading = False
    return b"".join([*parts, part]) if parts else part


def _too_long(limits: Limits) -> Problem:
    told = f"the body is longer than {limits.body_bytes:,} bytes: send the rows in several requests"
    return Problem(413, told, _CLOSE)
