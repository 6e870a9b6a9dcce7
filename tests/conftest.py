"""What holds for every test: in continuous integration a skip is a failure, but for a named list."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

ALLOWED_SKIPS: frozenset[str] = frozenset()
"""Node ids that may be skipped, each with its reason in a comment."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and os.environ.get("CI") and item.nodeid not in ALLOWED_SKIPS:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and no skip is allowed here: {report.longrepr}"
    return report
