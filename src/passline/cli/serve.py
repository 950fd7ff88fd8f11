"""passline serve: models over HTTP, on this machine or, with a token, beyond it."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter


def serve(
    *models: Annotated[
        str,
        Parameter(help="[NAME=]MODEL: a model file, and under which name; else that of the file without its ending."),
    ],
    host: Annotated[
        str, Parameter(help="Where to listen; another address than the loopback needs --token-file.")
    ] = "127.0.0.1",
    port: Annotated[int, Parameter(help="On which port; 0 takes a free one.")] = 8000,
    token_file: Annotated[
        str | None, Parameter(help="A file with the token that requests bring: Authorization: Bearer TOKEN.")
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        Parameter(negative="", help="A name under which the service is asked, as behind a proxy. May be repeated."),
    ] = None,
    max_rows: Annotated[int, Parameter(help="Rows of one request.")] = 10_000,
    max_body: Annotated[int, Parameter(help="Bytes of one request's body.")] = 4_000_000,
    max_seconds: Annotated[float, Parameter(help="Until a request is there, and until it is answered.")] = 10.0,
    max_requests: Annotated[
        int, Parameter(help="Requests in progress; what comes beyond is told to come again.")
    ] = 256,
) -> None:
    """Serve models over HTTP: probabilities, explanations, the Open Inference Protocol, and a page to try them."""
    from passline.errors import MissingDependencyError

    try:
        from passline.service.catalogue import open_catalogue
        from passline.service.running import serve as run
        from passline.service.settings import Limits, Settings, checked, read_token
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"serving needs {error.name}, which is not installed: pip install 'passline[serve]'"
        ) from None

    settings = checked(
        Settings(
            host=host,
            port=port,
            token=None if token_file is None else read_token(token_file),
            allowed_hosts=tuple(allow_host or ()),
            limits=Limits(body_bytes=max_body, rows=max_rows, seconds=max_seconds, at_once=max_requests),
        )
    )
    catalogue = open_catalogue(list(models), settings.limits)
    names = ", ".join(catalogue.models)
    run(catalogue, settings, lambda address: print(f"{names} at {address} (Ctrl-C ends it).", flush=True))
