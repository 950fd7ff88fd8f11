"""What all tests share: the reference tables, as files."""

from __future__ import annotations

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
