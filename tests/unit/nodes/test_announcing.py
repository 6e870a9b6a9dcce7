"""The end of a rulebook is announced thirty, seven and one days ahead; and at proxies a government's own breach."""

from __future__ import annotations

import datetime as dt
import logging
from types import SimpleNamespace

import pytest
from support.membership import GOVERNMENT, Consortium
from support.rulebooks import NOW, rulebook

from nodes.announcing import Announcing
from trisect.rules.breaches import Closing, Ground, Opening
from trisect.trust.filings import BreachClosingFiling, BreachFiling, RulebookFiling
from trisect.trust.statements import Role

DAY = dt.timedelta(days=1)


def publish(consortium: Consortium, version: int, begins: dt.datetime, life: dt.timedelta) -> None:
    found = rulebook(version=version, begins=begins, life=life, approvals=1)
    consortium.take(consortium.filing(RulebookFiling, GOVERNMENT, found.content))


class Watch:
    """A node's announcements on a day that the test chooses."""

    def __init__(self, role: Role = Role.PROVIDER) -> None:
        self.consortium = Consortium.founded()
        self.moment = NOW
        members = SimpleNamespace(membership=self.consortium.membership, role=role)
        self.announcing = Announcing(members, lambda: self.moment)  # type: ignore[arg-type]


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (dt.timedelta(days=30, seconds=1), ""),
        (dt.timedelta(days=30), "within 30 days"),
        (dt.timedelta(days=7, seconds=1), "within 30 days"),
        (dt.timedelta(days=7), "within 7 days"),
        (dt.timedelta(days=1, seconds=1), "within 7 days"),
        (dt.timedelta(days=1), "within a day"),
        (dt.timedelta(seconds=1), "within a day"),
        (dt.timedelta(), ""),
    ],
    ids=str,
)
def test_when_it_is_announced(watch: Watch, left: dt.timedelta, said: str) -> None:
    publish(watch.consortium, 1, NOW, 100 * DAY)
    watch.moment = NOW + 100 * DAY - left
    found = watch.announcing.now()
    assert [said in one for one in found] == ([True] if said else [])


def test_a_successor_that_was_signed_ahead_silences_it(watch: Watch) -> None:
    publish(watch.consortium, 1, NOW, 100 * DAY)
    watch.moment = NOW + 95 * DAY
    assert "rulebook 1" in watch.announcing.now()[0]
    publish(watch.consortium, 2, NOW + 100 * DAY, 50 * DAY)
    assert watch.announcing.now() == []
    watch.moment = NOW + 145 * DAY
    assert "rulebook 2" in watch.announcing.now()[0]


def test_a_successor_that_comes_too_late_does_not(watch: Watch) -> None:
    publish(watch.consortium, 1, NOW, 100 * DAY)
    publish(watch.consortium, 2, NOW + 101 * DAY, 50 * DAY)
    watch.moment = NOW + 99 * DAY
    assert "rulebook 1" in watch.announcing.now()[0]


def test_without_a_rulebook_nothing_is_announced(watch: Watch) -> None:
    assert watch.announcing.now() == []
    watch.announcing.announce()


def test_the_log_has_each_distance_once(watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    publish(watch.consortium, 1, NOW, 100 * DAY)
    with caplog.at_level(logging.WARNING):
        for hours in range(0, 100 * 24, 6):
            watch.moment = NOW + dt.timedelta(hours=hours)
            watch.announcing.announce()
    assert len(caplog.records) == 3


@pytest.mark.parametrize("role", Role)
def test_proxies_are_told_of_a_governments_own_breach_until_it_is_closed(
    role: Role, caplog: pytest.LogCaptureFixture
) -> None:
    watch = Watch(role)
    found = watch.consortium
    found.take(found.admission("office", Role.GOVERNMENT))
    found.take(found.admission("telco"))
    opening = Opening(Ground.FINDING, "", "it has read what it must not", b"", b"").to_body()
    for party in (GOVERNMENT, "telco"):
        found.take(found.filing(BreachFiling, party, opening, issuer="office"))
    for _ in range(2):
        watch.announcing.announce()
    told = [vars(record)["reason"] for record in caplog.records]
    expected = (
        "the government government has an open breach, government/1 (finding): it has read what it must not"
    )
    assert told == watch.announcing.now() == ([expected] if role is Role.PROXY else [])
    closing = Closing(1, "it was mended").to_body()
    found.take(found.filing(BreachClosingFiling, GOVERNMENT, closing, issuer="office"))
    assert watch.announcing.now() == []
