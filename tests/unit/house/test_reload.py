"""A reload takes over what may change, names what may not, and refuses a wrong file whole."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable

import pytest
from unit.deploy.test_configurations import keys

import coordinator.config
import nodes.config
from nodes.config import Config, Import, Limits
from trisect import config
from trisect.daemon import reloaded
from trisect.errors import BadInputError

RUNNING = Config("anti-fraud", "telco", "provider", "c.example:1", "aaaa-" * 7 + "aaaa", log_level="warning")


@pytest.fixture(autouse=True)
def level():
    """The root logger's level as it was."""
    found = logging.getLogger().level
    yield
    logging.getLogger().setLevel(found)


def read(wanted: Config) -> Callable[[], Config]:
    def reading() -> Config:
        wanted.check()
        return wanted

    return reading


@pytest.mark.parametrize("module", [coordinator.config, nodes.config], ids=lambda module: module.__name__)
def test_what_may_change_exists(module) -> None:
    assert {key for key, _ in keys(module.Config)} >= module.RELOADABLE


def test_what_may_change_is_taken_over_and_the_rest_is_named() -> None:
    wanted = dataclasses.replace(
        RUNNING, party="bank", drain_s=1.0, limits=Limits(20, 30, import_workers=2), imports=Import("GB")
    )
    found, taken, left = config.merge(RUNNING, wanted, nodes.config.RELOADABLE)
    assert (found.party, found.drain_s, found.imports.region) == ("telco", 1.0, "GB")
    assert found.limits == Limits(20, 30)
    assert taken == ["drain_s", "imports.region", "limits.min_set", "limits.max_set"]
    assert left == ["party", "limits.import_workers"]
    assert config.merge(found, found, nodes.config.RELOADABLE) == (found, [], [])


def test_a_reload_sets_the_level_and_warns(caplog: pytest.LogCaptureFixture) -> None:
    wanted = dataclasses.replace(RUNNING, log_level="info", database="sqlite:////elsewhere")
    found = reloaded(read(wanted), RUNNING, nodes.config.RELOADABLE)
    assert found == dataclasses.replace(RUNNING, log_level="info")
    assert logging.getLogger().level == logging.INFO
    (warning,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert vars(warning)["settings"] == "database"


@pytest.mark.parametrize("limits", [Limits(0), Limits(20, 10), Limits(max_exchanges=65)])
def test_what_is_wrong_changes_nothing(limits: Limits, caplog: pytest.LogCaptureFixture) -> None:
    wanted = dataclasses.replace(RUNNING, log_level="debug", limits=limits)
    before = logging.getLogger().level
    assert reloaded(read(wanted), RUNNING, nodes.config.RELOADABLE) is RUNNING
    assert logging.getLogger().level == before
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "limits" in vars(record)["reason"]


def test_what_cannot_be_read_changes_nothing() -> None:
    def reading() -> Config:
        raise BadInputError("no TOML")

    assert reloaded(reading, RUNNING, nodes.config.RELOADABLE) is RUNNING


@pytest.mark.parametrize("shape", [Config, coordinator.config.Config])
@pytest.mark.parametrize("drain_s", [-1.0, float("nan"), float("inf")])
def test_how_long_a_stop_waits_is_checked(shape, drain_s: float) -> None:
    good = RUNNING if shape is Config else coordinator.config.Config("anti-fraud")
    dataclasses.replace(good, drain_s=0.0).check()
    with pytest.raises(BadInputError, match="drain_s"):
        dataclasses.replace(good, drain_s=drain_s).check()
