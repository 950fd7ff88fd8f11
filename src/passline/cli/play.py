"""passline play: the lesson, live, as a page in a file or on a port."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from passline.cli.options import Data, output


def play(
    data: Data | None = None,
    formula: Annotated[
        str | None,
        Parameter(help="outcome ~ x, or outcome ~ x + z: columns of numbers. With DATA, in place of the lesson."),
    ] = None,
    /,
    *,
    write_to: Annotated[
        str | None, output("Write the page here: one HTML file that works offline, with nothing installed.")
    ] = None,
    port: Annotated[
        int | None, Parameter(help="Serve the page on this port of this machine; a free one if neither is said.")
    ] = None,
) -> None:
    """Play with the lesson, or a table of your own: points to drag, steps to take, and what comes of them."""
    from passline.errors import OptionError
    from passline.output import write_text

    if write_to is not None and port is not None:
        raise OptionError("-o writes a file and --port serves the page: give one of them.")
    from passline.show.play.page import play_page, read_table

    table = read_table(data, formula)
    page = play_page(table)
    if table is not None and len(table.y) < table.read:
        print(f"The page shows {len(table.y):,} of {table.read:,} rows.")
    if write_to is not None:
        write_text(write_to, page)
        print(f"The page is in {write_to}. Open it in a browser.")
        return
    from passline.show.play.serve import serve

    serve(page, port or 0, lambda address: print(f"The page is at {address} (Ctrl-C ends it).", flush=True))
