"""What holds for every test: in continuous integration a skip is a failure, but for a named list. One PostgreSQL."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from support import postgres

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what runs in its background so, and every process that a test starts would be deaf to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("trisect", deadline=None)  # what takes long on a busy machine is no defect
settings.load_profile("trisect")

ALLOWED_SKIPS: frozenset[str] = frozenset()
"""Node ids that may be skipped, each with its reason in a comment."""


def pytest_xdist_auto_num_workers() -> int:
    """Take two processes more than there are cores: walks wait for daemons and for what takes its time."""
    return (os.cpu_count() or 1) + 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put walks first: the longest files go to the processes while there are many others to fill the end with."""
    items.sort(key=lambda item: item.get_closest_marker("walk") is None)


def pytest_collection_finish() -> None:
    """Leave what was loaded out of every search for garbage: it stays, and is most of what there is."""
    gc.freeze()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgres.Server]:
    """A real PostgreSQL, started for the first test that asks for it."""
    from support import postgres

    with postgres.running() as server:
        yield server


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Look at each test."""
    report = yield
    _refuse(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Look at each file, which can skip itself with all its tests before there is one."""
    report = yield
    _refuse(report)
    return report


def _refuse(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and os.environ.get("CI") and report.nodeid not in ALLOWED_SKIPS:
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped, and no skip is allowed here: {report.longrepr}"
