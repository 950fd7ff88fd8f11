"""passline play: the lesson, live, as a page in a file or on a port."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from passline.cli.options import output


def play(
    *,
    write_to: Annotated[
        str | None, output("Write the page here: one HTML file that works offline, with nothing installed.")
    ] = None,
    port: Annotated[
        int | None, Parameter(help="Serve the page on this port of this machine; a free one if neither is said.")
    ] = None,
) -> None:
    """Play with the lesson: points to drag, steps to take, and what comes of them, in a browser."""
    from passline.errors import OptionError

    if write_to is not None and port is not None:
        raise OptionError("-o writes a file and --port serves the page: give one of them.")
    if write_to is not None:
        from passline.show.play.page import write_lesson

        write_lesson(write_to)
        print(f"The page is in {write_to}. Open it in a browser.")
        return
    from passline.show.play.serve import serve

    serve(port or 0, lambda address: print(f"The lesson is at {address} (Ctrl-C ends it).", flush=True))
