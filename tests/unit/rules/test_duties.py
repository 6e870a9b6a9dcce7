"""The register of duties, as it follows from what was filed."""

from __future__ import annotations

import datetime as dt

import pytest
from support.membership import GOVERNMENT, Consortium
from support.rulebooks import NOTICE, NOW, rulebook

from trisect.clock import to_text
from trisect.errors import VerificationError
from trisect.rules.breaches import Ground, Opening, Reply
from trisect.rules.checking import check
from trisect.rules.duties import Duty, duties
from trisect.rules.notices import Notice
from trisect.rules.regime import Regime
from trisect.rules.stale import Kept, outstanding
from trisect.trust.filings import (
    BreachFiling,
    BreachReplyFiling,
    NoticeFiling,
    RulebookFiling,
    StaleHitsFiling,
)
from trisect.trust.statements import Role, Standing, Vetting

DAY = dt.timedelta(days=1)


def consortium() -> Consortium:
    found = Consortium.founded()
    vetted = Vetting("licensing", "file 7", to_text(NOW + 30 * DAY))
    found.take(found.admission("telco", vetting=vetted))
    found.take(found.filing(NoticeFiling, "telco", Notice.parse(NOTICE, Role.PROVIDER).content))
    found.take(found.filing(RulebookFiling, GOVERNMENT, rulebook(approvals=1).content))
    return found


def owed(found: Consortium, days: float = 0) -> dict[tuple[str, str], tuple[str, bool]]:
    listed = duties(Regime(found.membership), NOW + days * DAY)
    assert listed == sorted(listed, key=lambda one: not one.overdue)
    return {(one.party, one.duty): (one.due, one.overdue) for one in listed}


def test_an_overdue_duty_is_visible() -> None:
    found = consortium()
    vetting = ("telco", "have its vetting renewed")
    assert owed(found)[vetting] == (to_text(NOW + 30 * DAY), False)
    assert owed(found, 30)[vetting] == (to_text(NOW + 30 * DAY), True)
    first = duties(Regime(found.membership), NOW)[0]
    assert first == Duty(first.party, "publish a notice", to_text(NOW), overdue=True)
    assert first.party == GOVERNMENT


def test_a_rulebook_that_has_ended_is_the_founders_overdue_duty() -> None:
    found = consortium()
    duty = (GOVERNMENT, "publish the next rulebook before this one ends")
    assert owed(found)[duty] == (to_text(NOW + 365 * DAY), False)
    assert owed(found, 400)[duty][1]


def test_a_breach_is_to_be_answered_until_it_is() -> None:
    found = consortium()
    opening = Opening(Ground.FINDING, "", "found", b"", b"")
    issued = to_text(NOW)
    found.take(
        found.filing(BreachFiling, "telco", opening.to_body(), issuer=GOVERNMENT, issued=issued), GOVERNMENT
    )
    duty = ("telco", "reply to the breach telco/1")
    assert owed(found)[duty] == (to_text(NOW + 14 * DAY), False)
    assert owed(found, 14)[duty][1]
    found.take(found.filing(BreachReplyFiling, "telco", Reply(1, "mended").to_body()))
    assert duty not in owed(found, 14)


def test_the_expelled_owe_nothing() -> None:
    found = consortium()
    found.take(found.standing("telco", Standing.EXPELLED))
    assert not [party for party, _ in owed(found) if party == "telco"]


def kept(found: Consortium, count: int, *, days: float, exchange: str = "ab" * 16, by: str = "bank") -> None:
    content = Kept(exchange, count, to_text(NOW)).to_body()
    issued = to_text(NOW + days * DAY)
    filing = found.filing(StaleHitsFiling, "telco", content, issuer=by, issued=issued)
    check(filing, found.membership)
    found.take(filing, by)


def test_stale_hits_that_are_kept_are_owed_until_they_are_dropped() -> None:
    found = consortium()
    found.take(found.admission("bank"))
    owing = ("telco", f"drop the stale hits of the exchange {'ab' * 16} with bank, or repeat it")
    kept(found, 3, days=7)
    assert owed(found, 8)[owing] == (to_text(NOW + 7 * DAY), True)
    kept(found, 1, days=9, exchange="cd" * 16)
    assert len(outstanding(found.membership, "telco")) == 2
    kept(found, 0, days=9)
    assert owing not in owed(found, 10)
    assert [word.exchange for _, word in outstanding(found.membership, "telco")] == ["cd" * 16]


def test_an_answerer_waits_until_the_time_to_drop_is_over() -> None:
    found = consortium()
    found.take(found.admission("bank"))
    for bad in ({"days": 6.9}, {"days": 8, "exchange": "AB" * 16}, {"days": 8, "by": "telco"}):
        with pytest.raises(VerificationError):
            kept(found, 3, **bad)
    with pytest.raises(VerificationError):
        kept(found, -1, days=8)
    far = Kept("ab" * 16, 3, "9999-12-31T00:00:00Z").to_body()
    with pytest.raises(VerificationError):
        check(found.filing(StaleHitsFiling, "telco", far, issuer="bank"), found.membership)
    found.take(found.standing("bank", Standing.SUSPENDED, issued=to_text(NOW), until=to_text(NOW + 14 * DAY)))
    kept(found, 3, days=8)
