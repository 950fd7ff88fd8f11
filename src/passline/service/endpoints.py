"""The endpoints: which address answers what, each in a few lines."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from passline import __version__
from passline.service import tensors
from passline.service.bodies import read_body
from passline.service.catalogue import Catalogue
from passline.service.guard import Asked, Reply, State
from passline.service.metrics import CONTENT_TYPE, Metrics
from passline.service.openapi import openapi
from passline.service.pages import Page, docs_page, play_page
from passline.service.problems import Problem
from passline.service.rows import DoubtError, Taken, addressed
from passline.service.served import Served
from passline.service.settings import Limits

# A longer body that is wrong is looked at in a thread, so that no other request waits for what is wrong with it.
AT_ONCE = 50_000


Handle = Callable[[Scope, Receive, Asked], Awaitable[Reply]]


@dataclass(frozen=True)
class Endpoint:
    """An address as an application: ``route`` is its name in metrics; what it answers is sent by the guard."""

    route: str
    handle: Handle

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        """Answer a request that the guard has let in."""
        asked: Asked = scope["passline"]
        asked.route = self.route
        asked.reply = await self.handle(scope, receive, asked)


@dataclass(frozen=True)
class Service:
    """What the endpoints share."""

    catalogue: Catalogue
    limits: Limits
    metrics: Metrics
    state: State
    token: bool  # is asked for
    encode: Callable[[Any], bytes] = field(default_factory=lambda: msgspec.json.Encoder().encode)

    def router(self) -> Router:
        """All addresses, those that are asked most first."""
        posted: list[tuple[str, Handle]] = [
            ("/predict", partial(self._answer, self._predicted)),
            ("/v2/models/{name}/infer", self._infer),
            ("/models/{name}/predict", partial(self._answer, self._predicted)),
            ("/explain", partial(self._answer, self._explained)),
            ("/models/{name}/explain", partial(self._answer, self._explained)),
        ]
        got: list[tuple[str, Handle]] = [
            ("/healthz", self._live),
            ("/readyz", self._ready),
            ("/metrics", self._metrics),
            ("/", partial(self._page, play_page)),
            ("/docs", partial(self._page, docs_page)),
            ("/openapi.json", self._openapi),
            ("/models", self._models),
            ("/models/{name}", self._model),
            ("/v2", self._server),
            ("/v2/health/live", self._live),
            ("/v2/health/ready", self._ready),
            ("/v2/models/{name}", self._metadata),
            ("/v2/models/{name}/ready", self._model_ready),
        ]
        routes = [Route(path, Endpoint(path, handle), methods=["POST"]) for path, handle in posted]
        routes += [Route(path, Endpoint(path, handle), methods=["GET"]) for path, handle in got]
        return Router(routes, redirect_slashes=False, default=_nowhere)

    def application(self) -> ASGIApp:
        """The router, and a short way past it: /predict is asked so often that matching patterns shows."""
        router = self.router()
        predict = next(route.app for route in router.routes if isinstance(route, Route) and route.path == "/predict")

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] == "/predict" and scope["method"] == "POST":
                scope["path_params"] = {}
                await predict(scope, receive, send)
            else:
                await router(scope, receive, send)

        return answer

    async def _answer(
        self, make: Callable[[Served, Taken], Any], scope: Scope, receive: Receive, asked: Asked
    ) -> Reply:
        body = await read_body(receive, asked, self.limits, self.state)
        name = scope["path_params"].get("name")
        served = self.catalogue.only if name is None else self.catalogue.named(name)
        if served is None:
            served = self.catalogue.meant(addressed(body))
        try:
            rows = served.reader.read(body)
        except DoubtError:
            problem = await _aside(body, served.reader.problem)
            if problem is not None:
                raise problem from None
            rows = served.reader.read(body, looked_at=True)
        found = self.encode(make(served, rows))
        asked.model, asked.rows = served.name, 1 if isinstance(rows, dict) else rows.rows
        return Reply(found, headers=())

    def _predicted(self, served: Served, rows: Taken) -> Any:
        return {"probabilities": served.probabilities(rows)}

    def _explained(self, served: Served, rows: Taken) -> Any:
        return served.explained(rows)

    async def _infer(self, scope: Scope, receive: Receive, asked: Asked) -> Reply:
        served = self.catalogue.named(scope["path_params"]["name"])
        body = await read_body(receive, asked, self.limits, self.state)
        request = await _aside(body, tensors.read_request)
        frame = await _aside(body, partial(tensors.read_tensors, served, request), given=False)
        found = tensors.answer(served, request, served.probabilities(frame))
        asked.model, asked.rows = served.name, frame.rows
        return Reply(self.encode(found))

    async def _live(self, _scope: Scope, _receive: Receive, _asked: Asked) -> Reply:
        return Reply(self.encode({"live": True}))

    async def _ready(self, _scope: Scope, _receive: Receive, _asked: Asked) -> Reply:
        ready = not self.state.stopping
        return Reply(self.encode({"ready": ready}), status=200 if ready else 503)

    async def _metrics(self, _scope: Scope, _receive: Receive, _asked: Asked) -> Reply:
        return Reply(self.metrics.text(), CONTENT_TYPE.encode())

    async def _page(self, make: Callable[[], Page], _scope: Scope, _receive: Receive, _asked: Asked) -> Reply:
        page = make()
        return Reply(page.html, b"text/html; charset=utf-8", page.headers)

    async def _openapi(self, _scope: Scope, _receive: Receive, _asked: Asked) -> Reply:
        return Reply(self.encode(openapi(self.catalogue.models, self.limits, self.token)))

    async def _models(self, _scope: Scope, _receive: Receive, _asked: Asked) -> Reply:
        return Reply(self.encode({"models": list(self.catalogue.models)}))

    async def _model(self, scope: Scope, _receive: Receive, _asked: Asked) -> Reply:
        return Reply(self.encode(self.catalogue.named(scope["path_params"]["name"]).described()))

    async def _server(self, _scope: Scope, _receive: Receive, _asked: Asked) -> Reply:
        return Reply(self.encode({"name": "passline", "version": __version__, "extensions": []}))

    async def _metadata(self, scope: Scope, _receive: Receive, _asked: Asked) -> Reply:
        return Reply(self.encode(tensors.described(self.catalogue.named(scope["path_params"]["name"]))))

    async def _model_ready(self, scope: Scope, _receive: Receive, _asked: Asked) -> Reply:
        served = self.catalogue.named(scope["path_params"]["name"])
        return Reply(self.encode({"name": served.name, "ready": True}))


async def _aside(body: bytes, look: Callable[..., Any], given: bool = True) -> Any:
    """What ``look`` finds, in a thread where the body is long."""
    arguments = (body,) if given else ()
    return look(*arguments) if len(body) <= AT_ONCE else await asyncio.to_thread(look, *arguments)


async def _nowhere(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise Problem(404, "there is nothing at this address; see /docs")
