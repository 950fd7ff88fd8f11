"""What stands before every endpoint: who may ask, how much at once, until when; and what is said of each request."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import itertools
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from passline.service.logs import Log, exception_fields
from passline.service.metrics import Metrics
from passline.service.problems import Problem
from passline.service.settings import Settings

# Answered without a token: whether the service lives, and pages that hold nothing of a model.
PUBLIC = frozenset({"/", "/docs", "/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"})
# Asked too often, and by machines, to be worth a line each.
QUIET = frozenset({"/healthz", "/readyz", "/v2/health/live", "/v2/health/ready", "/metrics"})
_ONCE = frozenset({b"host", b"origin", b"authorization", b"content-type", b"content-length"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
_REQUEST_ID = re.compile(rb"[\w.-]{1,64}", re.ASCII)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

# Of every answer. That to a POST no cache keeps unasked (RFC 9111, 3), and JSON that is not sniffed is no page: each
# header less saves a hundredth of the time of a request. Pages bring a policy of their own, and more (pages.py).
_NOT_SNIFFED = ((b"x-content-type-options", b"nosniff"),)
_NOT_KEPT = (*_NOT_SNIFFED, (b"cache-control", b"no-store"))
NO_PAGE = ((b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),)
# Hosts that were asked under are remembered up to so many.
_REMEMBERED = 100


class Reply(NamedTuple):
    """An answer: its body, and what is said of it. ``closing``: the connection ends with it."""

    body: bytes
    content_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = NO_PAGE
    status: int = 200
    closing: bool = False


_NOTHING = Reply(b"", status=500)


@dataclass
class State:
    """What changes while the service runs."""

    stopping: bool = False
    in_progress: int = 0
    held_bytes: int = 0  # of bodies that are being read


@dataclass(slots=True)
class Asked:
    """What is known of one request; the endpoints write down what the log and the metrics say of it."""

    id: str
    headers: dict[bytes, bytes]
    route: str = "other"
    model: str | None = None
    rows: int | None = None
    bytes_in: int = 0
    status: int = 0
    bytes_out: int = 0
    reply: Reply = _NOTHING
    reading: bool = False  # its body
    late: bool = False
    repeated: frozenset[bytes] = frozenset()


class Guard:
    """The outermost application: checks, counts, logs, and turns a Problem into its answer."""

    def __init__(self, app: ASGIApp, settings: Settings, log: Log, metrics: Metrics, state: State) -> None:
        self._app, self._settings, self._log, self._metrics, self._state = app, settings, log, metrics, state
        self._token = None if settings.token is None else settings.token.encode()
        self._hosts = {*_LOOPBACK, settings.host.lower(), *(name.lower() for name in settings.allowed_hosts)}
        self._open = not is_loopback(settings.host)
        self._admitted: set[bytes] = set()
        self._prefix, self._counter = secrets.token_hex(6), itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        asked = self._asked(scope)
        scope["passline"] = asked
        state, seconds = self._state, self._settings.limits.seconds
        state.in_progress += 1
        # As asyncio.timeout, which takes a tenth of the time of a whole request.
        task = asyncio.current_task()
        assert task is not None
        alarm = task.get_loop().call_later(seconds, _ring, task, asked)
        try:
            try:
                self._admit(scope, asked)
                await self._app(scope, receive, send)
                reply = asked.reply
            except Problem as problem:
                reply = _refusal(problem)
            except asyncio.CancelledError:
                if not asked.late:
                    raise
                task.uncancel()
                reply = _refusal(_late(asked))
            except HTTPException as error:  # of the router: no such method
                told = f"{scope['method'][:20]} is not done here; see Allow, and /docs"
                reply = _refusal(Problem(error.status_code, told, error.headers))
            except Exception as error:
                self._log.write("bug", "error", id=asked.id, **exception_fields(error))
                reply = _refusal(Problem(500, "this is a bug of ours; the log has its place"))
            asked.status, asked.bytes_out = reply.status, len(reply.body)
            headers = [
                (b"content-type", reply.content_type),
                (b"content-length", b"%d" % len(reply.body)),
                (b"x-request-id", asked.id.encode()),
                *(_NOT_SNIFFED if scope["method"] == "POST" and reply.status == 200 else _NOT_KEPT),
                *reply.headers,
            ]
            await send({"type": "http.response.start", "status": reply.status, "headers": headers})
            if reply.closing and not asked.late:
                # Whoever is still sending reads no answer: what is left of the body is thrown away, for a while.
                await send({"type": "http.response.body", "body": reply.body, "more_body": True})
                await _drain(receive, task, asked)
                await send({"type": "http.response.body"})
            else:
                await send({"type": "http.response.body", "body": reply.body})
        finally:
            alarm.cancel()
            state.in_progress -= 1
            self._over(scope, asked, time.perf_counter() - started)

    def _asked(self, scope: Scope) -> Asked:
        headers: dict[bytes, bytes] = {}
        repeated: frozenset[bytes] = frozenset()
        for name, value in scope["headers"]:
            if name in headers:
                repeated |= {name}
            headers[name] = value
        given = headers.get(b"x-request-id")
        theirs = given is not None and _REQUEST_ID.fullmatch(given)
        id_ = theirs[0].decode() if theirs else f"{self._prefix}-{next(self._counter):x}"
        return Asked(id_, headers, repeated=repeated)

    def _admit(self, scope: Scope, asked: Asked) -> None:
        """Raise Problem for a request that is not to be answered, the cheapest reason first."""
        headers = asked.headers
        if asked.repeated & _ONCE:
            raise Problem(400, "a header stands twice that may stand once")
        host = headers.get(b"host", b"").lower()
        if host not in self._admitted:
            self._admit_host(host.decode("latin-1"))
            if len(self._admitted) < _REMEMBERED:
                self._admitted.add(host)
        origin = headers.get(b"origin")
        if origin is not None and origin.lower() not in (b"http://" + host, b"https://" + host):
            raise Problem(403, "pages of another origin may not ask here")
        if self._token is not None and scope["path"] not in PUBLIC:
            scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
            # Both are compared in a time that does not tell how much of the token was right.
            if not (hmac.compare_digest(given.strip(), self._token) and scheme.lower() == b"bearer"):
                raise Problem(401, "give the token: Authorization: Bearer TOKEN", {"www-authenticate": "Bearer"})
        if self._state.in_progress > self._settings.limits.at_once and scope["path"] not in QUIET:
            raise Problem(503, "too many requests are in progress; come again", {"retry-after": "1"})

    def _admit_host(self, host: str) -> None:
        if not host:
            raise Problem(400, "the Host header is missing")
        name = _without_port(host)
        # Under an address nobody can be led here by a name that was bound anew; on the loopback it is foreign still.
        if name not in self._hosts and not (self._open and is_address(name)):
            told = "this service is not asked under that Host; start it with --allow-host NAME if it is to be"
            raise Problem(421, told)

    def _over(self, scope: Scope, asked: Asked, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.answered(asked.route, method, asked.status, seconds)
        if asked.model is not None and asked.rows is not None:
            self._metrics.rows(asked.model, asked.rows)
        if scope["path"] in QUIET and asked.status < 400:
            return
        self._log.request(
            level="info" if asked.status < 500 else "error",
            id=asked.id,
            method=method,
            path=scope["path"][:200],
            status=asked.status,
            seconds=round(seconds, 6),
            bytes_in=asked.bytes_in,
            bytes_out=asked.bytes_out,
            model=msgspec.UNSET if asked.model is None else asked.model,
            rows=msgspec.UNSET if asked.rows is None else asked.rows,
        )


def _refusal(problem: Problem) -> Reply:
    headers = tuple((name.encode(), value.encode()) for name, value in problem.headers.items())
    closing = (b"connection", b"close") in headers
    return Reply(problem.body(), headers=(*NO_PAGE, *headers), status=problem.status, closing=closing)


def _ring(task: asyncio.Task[Any], asked: Asked) -> None:
    asked.late = True
    task.cancel()


def _late(asked: Asked) -> Problem:
    if asked.reading:
        return Problem(408, "the body did not arrive in time", {"connection": "close"})
    return Problem(503, "the answer took too long", {"retry-after": "1"})


async def _drain(receive: Receive, task: asyncio.Task[Any], asked: Asked) -> None:
    """Read on until the body is over, the other end has gone, or the time of the request is."""
    try:
        more = True
        while more:
            message = await receive()
            more = message["type"] != "http.disconnect" and message.get("more_body", False)
    except asyncio.CancelledError:
        if not asked.late:
            raise
        task.uncancel()


def is_loopback(host: str) -> bool:
    """Whether an address, or the name localhost, is this machine's own loopback."""
    return host.lower() == "localhost" or (is_address(host) and ipaddress.ip_address(host).is_loopback)


def is_address(host: str) -> bool:
    """Whether it is the number of a host, not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host
