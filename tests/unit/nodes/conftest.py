"""A node's database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from trisect.store.database import Database, sqlite_url


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database(sqlite_url(tmp_path / "node.db"))
    found.migrate("node")
    yield found
    found.close()
