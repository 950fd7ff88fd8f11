"""Files that are whole or not there: written aside, synced, renamed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from passline.errors import OptionError


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends well, and vanishes when it does not.

    Raises OptionError where the folder does not exist, ``path`` is one, or the disk refuses.
    """
    target = Path(path)
    if target.is_dir():
        raise OptionError(f"cannot write {target}: it is a folder; give a file's name")
    folder = target.resolve().parent
    if not folder.is_dir():
        raise OptionError(f"cannot write {target}: the folder {folder} does not exist; make it first")
    try:
        # The suffix stays, since writers of pictures go by it.
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=target.suffix, dir=folder)
    except OSError as error:
        raise OptionError(f"cannot write {target}: {error.strerror}") from None
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        # mkstemp makes the file private; a result has the permissions of any new file.
        mask = os.umask(0)
        os.umask(mask)
        aside.chmod(0o666 & ~mask)
        aside.replace(target)
    except OSError as error:
        raise OptionError(f"cannot write {target}: {error.strerror or error}; nothing was written") from None
    finally:
        aside.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file in UTF-8, whole or not at all."""
    with whole_file(path) as aside:
        aside.write_bytes(text.encode())
