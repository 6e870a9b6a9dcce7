"""One running consortium for each test process; tests that break daemons make their own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from support.cluster import Cluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A coordinator and four admitted parties that nobody kills."""
    found = asyncio.run(Cluster.create(tmp_path_factory.mktemp("consortium")))
    yield found
    found.stop()


@pytest.fixture
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A coordinator, a government and a telco of a test's own, for whatever it does to them."""
    found = asyncio.run(Cluster.create(tmp_path_factory.mktemp("pair"), ("government", "telco")))
    yield found
    found.stop()
