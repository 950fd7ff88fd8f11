"""A PostgreSQL of the tests' own: from the system's programs, in a folder that goes when they are done."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

SECONDS = 60
# Where distributions keep the programs off the PATH; scripts/setup looks at the same places.
KEPT = (
    ("/usr/lib/postgresql", "*/bin"),
    ("/usr", "pgsql*/bin"),
    ("/usr/local", "pgsql/bin"),
)
NONE = (
    "these tests run SQL in a real PostgreSQL, and its programs initdb and postgres are not there: install them "
    "(on Debian and Ubuntu: apt-get install postgresql; scripts/setup does it as root)"
)


def programs() -> Path:
    """The folder of initdb and postgres: on the PATH, or where distributions keep them off it."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    for root, pattern in KEPT:
        folders += sorted(Path(root).glob(pattern), key=lambda folder: folder.parent.name, reverse=True)  # newest first
    usable = [folder for folder in folders if all((folder / name).exists() for name in ("initdb", "postgres"))]
    assert usable, NONE
    return usable[0]


def owner() -> dict[str, Any]:
    """As whom the server runs: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names.get("nobody")
    assert entry, "PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as"
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@contextmanager
def running() -> Iterator[psycopg.Connection]:
    """A connection to a fresh server, on a socket in a folder of its own."""
    binaries, who = programs(), owner()
    folder = Path(tempfile.mkdtemp(prefix="passline-"))  # not pytest's: its folders are closed to other users
    try:
        if who:
            os.chown(folder, who["user"], who["group"])
        init = [binaries / "initdb", "-D", folder / "data", "-U", "passline", "--auth=trust", "--no-sync"]
        made = subprocess.run(
            [*init, "-E", "UTF8", "--locale=C"], cwd=folder, capture_output=True, text=True, check=False, **who
        )
        assert made.returncode == 0, made.stderr
        serve = [binaries / "postgres", "-D", folder / "data", "-k", folder, "-h", "", "-c", "fsync=off"]
        with (folder / "log").open("w") as log:
            server = subprocess.Popen(serve, cwd=folder, stdout=log, stderr=log, **who)
        try:
            with connected(server, folder) as connection:
                yield connection
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def connected(server: subprocess.Popen[bytes], folder: Path) -> psycopg.Connection:
    """The first connection, as soon as the server takes one."""
    latest = time.monotonic() + SECONDS
    while True:
        try:
            return psycopg.connect(host=str(folder), user="passline", dbname="postgres", autocommit=True)
        except psycopg.OperationalError:
            assert server.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < latest, (folder / "log").read_text()
            time.sleep(0.05)


def ask(
    connection: psycopg.Connection, query: str, kinds: Sequence[tuple[str, str]], columns: Sequence[Sequence[Any]]
) -> list[tuple[Any, ...]]:
    """What a query over ``data`` gives, for a table of these columns (names with kinds) and a column ``id``."""
    types = {"number": "double precision", "boolean": "boolean", "category": "text"}
    quoted = [f'"{name.replace(chr(34), chr(34) * 2)}" {types[kind]}' for name, kind in kinds]
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS data")
        cursor.execute(f"CREATE TEMP TABLE data ({', '.join(['id bigint', *quoted])})".encode())
        with cursor.copy("COPY data FROM STDIN") as copy:
            for row in zip(range(len(columns[0])), *columns, strict=True) if columns else [(0,)]:
                copy.write_row(row)
        return cursor.execute(query.encode()).fetchall()
