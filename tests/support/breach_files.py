"""A consortium in which a breach can be opened, and what is filed in its file."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from support.membership import GOVERNMENT, Consortium, identity, keys, signed
from support.rulebooks import NOTICE, NOW, offer, rulebook

from trisect.clock import to_text
from trisect.errors import TrisectError
from trisect.rules import breaches, checking
from trisect.rules.breaches import Breach, Ground, Opening, Order
from trisect.rules.notices import Notice
from trisect.rules.offers import Offer
from trisect.rules.regime import Regime
from trisect.rules.vocabulary import Sanction
from trisect.trust import officers
from trisect.trust.filings import BreachFiling, Filing, NoticeFiling, OfficerFiling, RulebookFiling
from trisect.trust.statements import Role, Vetting

RED_LINE = "no-basis-no-exchange"
DAY = dt.timedelta(days=1)
VETTED = Vetting("licensing", "file 7", to_text(NOW + 900 * DAY))


def at(days: float) -> str:
    return to_text(NOW + days * DAY)


def ruled() -> Consortium:
    """Two providers and a second government; everybody has a notice, and there is a rulebook."""
    found = Consortium.founded()
    for name in ("telco", "bank"):
        found.take(found.admission(name, vetting=VETTED))
        found.take(found.filing(NoticeFiling, name, Notice.parse(NOTICE, Role.PROVIDER).content))
    found.take(found.admission("office", Role.GOVERNMENT))
    found.review("telco", "bank")
    found.review("bank", "telco")
    found.take(found.filing(RulebookFiling, GOVERNMENT, rulebook(approvals=1).content))
    return found


def file(
    found: Consortium,
    kind: type[Filing],
    party: str,
    content: Any,
    *signers: str,
    by: str = "",
    issued: float = 0,
) -> Filing:
    """File something that everybody takes, or raise what the first would."""
    statement = found.filing(kind, party, content.to_body(), issuer=by or party, issued=at(issued))
    trial = found.membership.copy()
    trial.apply(signed(statement, *{statement.issuer, *signers}))
    checking.check(statement, trial)
    checking.check(statement, found.membership)
    found.membership = trial
    return statement


def refused(found: Consortium, *what: Any, **how: Any) -> TrisectError:
    before = found.membership
    with pytest.raises(TrisectError) as caught:
        file(found, *what, **how)
    assert found.membership is before
    return caught.value


def unfounded(found: Consortium, **changes: Any) -> Offer:
    """An offer of the telco that crosses a red line, whatever it is answered with."""
    return offer(
        notice=Regime(found.membership).notice_hash("telco"),
        asker_key=keys("telco").identity.fingerprint,
        **({"basis": "unspecified"} | changes),
    )


def opening(found: Consortium, **changes: Any) -> Opening:
    made = Opening(Ground.RED_LINE, RED_LINE, "crossed", unfounded(found).sign(identity("telco")), b"")
    return replace(made, **changes)


def named_officers(found: Consortium) -> None:
    """Have the government name two officers."""
    for name in ("anna", "boris"):
        content = officers.content(name, identity(name).public)
        statement = found.filing(OfficerFiling, GOVERNMENT, content)
        found.take(statement, GOVERNMENT, *(["anna"] if name == "boris" else []))


FOUND = Opening(Ground.FINDING, "", "an inspection has found it", b"", b"")


def order(act: Sanction = Sanction.SUSPEND, **changes: Any) -> Order:
    factor = 4 if act is Sanction.THROTTLE else 0
    purpose = "scam-prevention" if act is Sanction.SUSPEND_PURPOSE else ""
    ends = at(80 if act is Sanction.EXPEL else 50)
    made = Order(1, act, purpose, factor, "it has done so twice", at(20), ends)
    return replace(made, **changes)


def opened(found: Consortium) -> Breach:
    file(found, BreachFiling, "telco", opening(found), by="bank")
    return the(found)


def the(found: Consortium, number: int = 1) -> Breach:
    return breaches.find(found.membership, "telco", number)
