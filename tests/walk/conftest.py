"""One running consortium for each test process; tests that break daemons make their own.

Every one of them is searched for the values that it was given when it stops.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from support import planted
from support.cluster import Cluster


@pytest.fixture(scope="session", autouse=True)
def nothing_leaks() -> Iterator[None]:
    """Whatever a walk test imports must show in no home, log or page of any daemon when its cluster stops."""
    with planted.watched():
        yield


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, nothing_leaks: None) -> Iterator[Cluster]:
    """A coordinator and four admitted parties that nobody kills."""
    found = asyncio.run(Cluster.create(tmp_path_factory.mktemp("consortium")))
    yield found
    found.stop()


@pytest.fixture
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A coordinator, a government and a proxy of a test's own, for whatever it does to them."""
    found = asyncio.run(Cluster.create(tmp_path_factory.mktemp("pair"), ("government", "proxy")))
    yield found
    found.stop()
