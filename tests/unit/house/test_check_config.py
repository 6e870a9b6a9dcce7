"""What `check-config` finds before the daemon would: databases, names, regions."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from coordinator.config import Config as CoordinatorConfig
from nodes.config import Config as NodeConfig
from nodes.config import Import
from trisect.errors import BadInputError
from trisect.trust.keys import fingerprint

GOOD: dict[str, Any] = {
    "node": NodeConfig("anti-fraud", "telco", "provider", "relay:7443", fingerprint(b"founder")),
    "coordinator": CoordinatorConfig("anti-fraud"),
}
DATABASES = (
    "",
    "sqlite:////var/lib/node.db",
    "postgresql://u@h/n",
    "postgresql+psycopg://u:p@h:5432/n?sslmode=verify-full",
    "postgresql+psycopg:///n?host=/run/postgresql",
)
NO_DATABASES = (
    "mysql://x/y",
    "x",
    "node.db",
    "sqlite",
    "postgres://x/y",
    "postgresql://h:many/n",
    " sqlite://",
)


@pytest.mark.parametrize("daemon", GOOD)
@pytest.mark.parametrize("url", DATABASES)
def test_a_database_that_is_one(daemon: str, url: str) -> None:
    dataclasses.replace(GOOD[daemon], database=url).check()


@pytest.mark.parametrize("daemon", GOOD)
@pytest.mark.parametrize("url", NO_DATABASES)
def test_a_database_that_is_none(daemon: str, url: str) -> None:
    with pytest.raises(BadInputError, match="configuration key database") as caught:
        dataclasses.replace(GOOD[daemon], database=url).check()
    assert "sqlite:///FILE" in caught.value.hint


@pytest.mark.parametrize("daemon", GOOD)
@pytest.mark.parametrize("name", ["", "Anti-Fraud", "a b", "-a", "a-", "a/b", "ä", "a" * 64, "a\n"])
def test_a_consortium_that_no_certificate_could_name(daemon: str, name: str) -> None:
    with pytest.raises(BadInputError, match="configuration key consortium"):
        dataclasses.replace(GOOD[daemon], consortium=name).check()


@pytest.mark.parametrize("region", ["us", "USA", "XX", "U", "1"])
def test_a_region_that_is_none(region: str) -> None:
    dataclasses.replace(GOOD["node"], imports=Import(region="US")).check()
    with pytest.raises(BadInputError, match=r"imports\.region"):
        dataclasses.replace(GOOD["node"], imports=Import(region=region)).check()
