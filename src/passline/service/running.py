"""The service as a process: the socket, the server, signals; told to stop, it finishes what is in progress."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config, Server

from passline.errors import OptionError
from passline.service.catalogue import Catalogue
from passline.service.endpoints import Service
from passline.service.guard import Guard, State, is_loopback
from passline.service.logs import Handler, Log
from passline.service.metrics import Metrics
from passline.service.protocol import protocol
from passline.service.settings import Settings

BACKLOG = 1024
# How long requests in progress may take to end once the service is told to stop, in seconds.
GRACE = 30
# How long an idle connection is kept, in seconds.
KEPT = 75


class Application:
    """The service as an ASGI application, with its watch over the model files."""

    def __init__(self, catalogue: Catalogue, settings: Settings, log: Log | None = None) -> None:
        self.catalogue, self.settings = catalogue, settings
        self.log, self.state = log or Log(), State()
        self.metrics = Metrics(lambda: self.state.in_progress)
        for name in catalogue.models:
            self.metrics.loaded(name)
        service = Service(catalogue, settings.limits, self.metrics, self.state, settings.token is not None)
        self._guarded: ASGIApp = Guard(service.application(), settings, self.log, self.metrics, self.state)
        self._wake = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or begin and end with the server."""
        if scope["type"] == "http":
            scope["app"] = self  # so that the router raises what is then answered as a problem
            await self._guarded(scope, receive, send)
            return
        assert scope["type"] == "lifespan"
        await receive()
        async with self._watching():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        self.log.flush()
        await send({"type": "lifespan.shutdown.complete"})

    def look_now(self) -> None:
        """Look at the model files at once."""
        self._wake.set()

    @asynccontextmanager
    async def _watching(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()

    async def _watch(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self.settings.watch_seconds):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            await self.catalogue.renew(self._told)

    def _told(self, name: str, error: str | None) -> None:
        self.metrics.reloaded(name, error)
        if error is None:
            self.log.write("reload", model=name)
        else:
            self.log.write("reload refused", "error", model=name, reason=error, kept="the model that was there")


def bind(settings: Settings) -> socket.socket:
    """The socket to listen on. Raises OptionError where it cannot be had, or would be open without a token."""
    if settings.token is None and not is_loopback(settings.host):
        raise OptionError(
            f"--host {settings.host} lets other machines ask, and there is no token: write one into a file "
            "(`openssl rand -hex 32 > token`) and give it with --token-file, or leave --host out."
        )
    if not 0 <= settings.port <= 65535:
        raise OptionError(f"--port is {settings.port}: give a number from 1 to 65535, or 0 for a free one.")
    try:
        family, _, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise OptionError(f"--host {settings.host} is no address of this machine.") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise OptionError(
            f"cannot listen on {settings.host} port {settings.port}: {os.strerror(error.errno or 0)}. "
            "Give another --port, or end what listens there."
        ) from None
    listener.setblocking(False)
    return listener


def serve(catalogue: Catalogue, settings: Settings, report: Callable[[str], Any]) -> None:
    """Serve until told to stop (SIGTERM, SIGINT); ``report`` gets the address once requests are taken.

    Raises OptionError where it cannot listen.
    """
    listener = bind(settings)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"http://{host}:{listener.getsockname()[1]}/"
    application = Application(catalogue, settings)
    handler = Handler(application.log)
    for name in ("uvicorn.error", "asyncio"):
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).propagate = False
    config = Config(
        application,
        http=protocol(settings.limits),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEPT,
        timeout_graceful_shutdown=GRACE,
        backlog=BACKLOG,
    )
    server = _Server(config, application, lambda: report(address))
    # A connection that its other end has closed is no reason to end; and the server raises the signal that stopped
    # it once more when it is done, which is to end nothing then.
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    # What is there by now stays; the collector has only what requests leave to walk through.
    gc.collect()
    gc.freeze()
    server.run(sockets=[listener])
    application.log.flush()


class _Server(Server):
    """uvicorn's server, which says when it listens and lets the application know when it is to stop."""

    def __init__(self, config: Config, application: Application, ready: Callable[[], Any]) -> None:
        super().__init__(config)
        self._application, self._ready = application, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        await super().startup(sockets)
        if hasattr(signal, "SIGHUP"):
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._application.look_now)
        self._application.log.write("start", models=list(self._application.catalogue.models), process=os.getpid())
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop: no new connection, those in progress end, and readiness says no meanwhile."""
        self._application.state.stopping = True
        super().handle_exit(sig, frame)
