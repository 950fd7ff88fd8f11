"""What all tests share: the reference tables as files, and a folder in which documents are run."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from reference import reference_tables


@pytest.fixture(scope="session")
def reference_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every reference table as NAME.csv."""
    folder = tmp_path_factory.mktemp("reference")
    for table in reference_tables():
        table.write(folder)
    return folder


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder to write in, from which the project's files can be read by their own paths."""
    from documents import make_workplace  # what runs documents knows the whole command line

    make_workplace(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGPIPE)
    yield
    signal.signal(signal.SIGPIPE, before)
