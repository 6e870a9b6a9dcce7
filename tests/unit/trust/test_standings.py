"""Suspended, back, expelled: by statements, and a suspension's end by time alone."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from support.membership import Consortium, keys, signed

from trisect.errors import ConflictError, DeniedError, VerificationError
from trisect.trust.filings import BreachFiling
from trisect.trust.statements import Role, Standing


@pytest.fixture
def found() -> Consortium:
    return Consortium.founded(("telco", Role.PROVIDER), ("bank", Role.PROVIDER))


def test_suspension_reinstatement_expulsion_and_a_new_admission(found: Consortium) -> None:
    telco = found.membership.party
    found.take(found.standing("telco", Standing.SUSPENDED))
    with pytest.raises(DeniedError, match="suspended"):
        telco("telco").require_active()
    found.take(found.standing("telco", Standing.ACTIVE))
    telco("telco").require_active()
    found.take(found.standing("telco", Standing.EXPELLED))
    with pytest.raises(DeniedError, match="expelled"):
        telco("telco").require_active()
    with pytest.raises(ConflictError, match="only a new admission"):
        found.take(found.standing("telco", Standing.ACTIVE))
    with pytest.raises(ConflictError, match="only a new admission"):
        found.take(found.succession("telco", "telco2"), "telco", "telco2")
    found.take(found.admission("telco", keys=keys("telco2")))
    telco("telco").require_active()
    assert telco("telco").keys == keys("telco2")
    assert telco("telco").pepper_epoch == -1


def test_a_suspension_lapses_by_itself(found: Consortium) -> None:
    suspended = found.standing("telco", Standing.SUSPENDED, until="2026-11-08T00:00:00Z")
    found.take(suspended)
    end = dt.datetime(2026, 11, 8, tzinfo=dt.UTC)
    assert found.membership.lapse(end - dt.timedelta(seconds=1)) == []
    with pytest.raises(DeniedError, match="suspended until 2026-11-08T00:00:00Z"):
        found.membership.party("telco").require_active()
    other = found.membership.copy()
    assert other.lapse(end) == ["telco"]
    other.party("telco").require_active()
    assert other.party("telco").suspended_until == ""
    assert found.membership.party("telco").standing is Standing.SUSPENDED, "a copy lapses alone"
    # Whoever applies the log later finds the same: what is said after its end is said by an active party.
    file = found.filing(BreachFiling, "bank", {}, issuer="telco", issued="2026-11-07T23:59:59Z")
    with pytest.raises(DeniedError, match="suspended"):
        found.membership.copy().apply(signed(file, "telco"))
    found.take(dataclasses.replace(file, issued="2026-11-08T00:00:00Z"), "telco")
    assert found.membership.party("telco").standing is Standing.ACTIVE


def test_what_is_said_with_a_time_before_the_end_is_refused_after_it_too(found: Consortium) -> None:
    """Else a log that was taken in could not be replayed: nobody lapses a suspension but by what is said."""
    log = [found.standing("telco", Standing.SUSPENDED, until="2026-11-08T00:00:00Z")]
    found.take(log[0])
    now = dt.datetime(2026, 11, 9, tzinfo=dt.UTC)
    found.membership.as_of(now).party("telco").require_active()
    assert found.membership.as_of(now) is found.membership.as_of(now), "it is made once"
    late = found.filing(BreachFiling, "bank", {}, issuer="telco", issued="2026-11-07T00:00:00Z")
    with pytest.raises(DeniedError, match="suspended"):
        found.membership.copy().apply(signed(late, "telco"))
    assert found.membership.party("telco").standing is Standing.SUSPENDED
    found.take(found.standing("telco", Standing.ACTIVE))
    assert found.membership.as_of(now) is found.membership


@pytest.mark.parametrize("after", [Standing.ACTIVE, Standing.EXPELLED])
def test_a_suspension_that_was_ended_does_not_lapse(found: Consortium, after: Standing) -> None:
    found.take(found.standing("telco", Standing.SUSPENDED))
    found.take(found.standing("telco", after))
    assert found.membership.lapse(dt.datetime(2030, 1, 1, tzinfo=dt.UTC)) == []
    assert found.membership.party("telco").standing is after


@pytest.mark.parametrize(
    ("standing", "until"),
    [
        (Standing.SUSPENDED, ""),
        (Standing.SUSPENDED, "soon"),
        (Standing.ACTIVE, "2026-11-08T00:00:00Z"),
        (Standing.EXPELLED, "2026-11-08T00:00:00Z"),
    ],
)
def test_a_suspension_and_nothing_else_says_when_it_lapses(
    found: Consortium, standing: Standing, until: str
) -> None:
    with pytest.raises(VerificationError):
        found.take(found.standing("telco", standing, until=until))
