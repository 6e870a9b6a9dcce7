"""The register of duties, as it follows from what was filed."""

from __future__ import annotations

import datetime as dt

from support.membership import GOVERNMENT, Consortium
from support.rulebooks import NOTICE, NOW, rulebook

from trisect.clock import to_text
from trisect.rules.breaches import Ground, Opening, Reply
from trisect.rules.duties import Duty, duties
from trisect.rules.notices import Notice
from trisect.rules.regime import Regime
from trisect.trust.filings import BreachFiling, BreachReplyFiling, NoticeFiling, RulebookFiling
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
