"""The page on a port of this machine, to this machine alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from passline.errors import OptionError

LAST_PORT = 65535


def serve(page: str, port: int, report: Callable[[str], object]) -> None:
    """Serve a page on 127.0.0.1 until interrupted; ``report`` gets the address. Port 0 takes a free one.

    Raises OptionError where the port is taken or no port at all.
    """
    if not 0 <= port <= LAST_PORT:
        raise OptionError(f"--port is {port}: give a number from 1 to {LAST_PORT}.")
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, page.encode()))
    except OSError as error:
        raise OptionError(f"port {port} cannot be used: {error.strerror}. Give another one, or none.") from None
    with server:
        report(f"http://127.0.0.1:{server.server_port}/")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, body: bytes, *arguments: Any) -> None:
        self.body = body
        super().__init__(*arguments)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, with_body: bool) -> None:
        if self.path.partition("?")[0] not in {"/", "/index.html"}:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(self.body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if with_body:
            self.wfile.write(self.body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of each request."""
