"""The coordinator signs only the permit that it would have written itself, once, and within the budget."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.membership import GOVERNMENT, Consortium, identity, keys
from support.rulebooks import NOTICE, NOW, offer, rulebook

from coordinator.permits import Permits
from trisect.clock import to_text
from trisect.errors import DeniedError, StaleError, TrisectError, VerificationError
from trisect.indicators.kinds import Kind
from trisect.record import entries
from trisect.record.quorum import require_fresh
from trisect.rules.budgets import BUDGET
from trisect.rules.notices import Notice
from trisect.rules.permit import Answer, Permit, propose
from trisect.rules.regime import Regime
from trisect.store.budgets import Budgets
from trisect.store.database import Database, sqlite_url
from trisect.store.tables import coordinator_budgets
from trisect.trust import documents
from trisect.trust.filings import NoticeFiling, RulebookFiling
from trisect.trust.statements import KeyCheck, Role, Standing, Vetting

VETTED = Vetting("licensing", "file 7", to_text(NOW + dt.timedelta(days=30)))
COORDINATOR = identity("coordinator")


@pytest.fixture
def consortium() -> Consortium:
    found = Consortium.founded()
    for name in ("telco", "bank", "shop"):
        found.take(found.admission(name, vetting=VETTED))
        found.take(found.filing(NoticeFiling, name, Notice.parse(NOTICE, Role.PROVIDER).content))
    found.review("telco", "bank")
    found.review("bank", "telco")
    found.take(found.filing(RulebookFiling, GOVERNMENT, rulebook(approvals=1).content))
    return found


@dataclasses.dataclass
class Office:
    """The coordinator's permits over a real ledger, and the record as a list."""

    consortium: Consortium
    permits: Permits
    recorded: list[bytes]
    now: list[dt.datetime]
    counted: list[dt.datetime]
    """When a head of the record last counted."""

    def proposed(self, *, size: int = 1_024, **changes: Any) -> tuple[bytes, Permit]:
        """Offer and propose honestly; gives the signed offer and the permit."""
        regime = Regime(self.consortium.membership)
        made = offer(
            asker_key=keys("telco").identity.fingerprint,
            answerer_key=keys("bank").identity.fingerprint,
            notice=regime.notice_hash("telco"),
            asked_padded=size,
            **changes,
        )
        answer = Answer(b"p" * 16, "c2", 5, frozenset({Kind.PHONE}), "statutory-duty", 2_048, 90)
        envelope = made.sign(identity("telco"))
        return envelope, propose(made, documents.payload_hash(envelope), answer, regime)

    def issue(self, made: bytes, permit: Permit, *, answerer: str = "bank", signer: str = "bank") -> bytes:
        envelope = permit.sign(identity(signer))
        return self.permits.sign(self.permits.check(answerer, made, envelope), envelope)

    def refuses(self, made: bytes, permit: Permit, **how: Any) -> TrisectError:
        with pytest.raises(TrisectError) as caught:
            self.issue(made, permit, **how)
        assert self.recorded == []
        return caught.value


@pytest.fixture
def office(consortium: Consortium, tmp_path: Path) -> Iterator[Office]:
    database = Database(sqlite_url(tmp_path / "coordinator.db"))
    database.migrate("coordinator")
    recorded: list[bytes] = []
    now = [NOW]
    registry: Any = SimpleNamespace(membership=consortium.membership)
    counted = [NOW]
    record: Any = SimpleNamespace(
        add=recorded.append,
        of_exchange=lambda exchange: [one for one in recorded if entries.exchange(one) == exchange],
        require_fresh=lambda age_s: require_fresh(counted[0], age_s, now[0]),
    )
    yield Office(
        consortium,
        Permits(registry, record, Budgets(database, coordinator_budgets), COORDINATOR, lambda: now[0]),
        recorded,
        now,
        counted,
    )
    database.close()


def test_an_honest_permit_is_signed_and_recorded_as_it_is(office: Office) -> None:
    made, permit = office.proposed()
    envelope = office.issue(made, permit)
    found, signed = Permit.verify(envelope, keys("bank").identity, COORDINATOR.public, signers=2)
    assert found == permit
    assert signed.signers == {keys("bank").identity.raw, COORDINATOR.public.raw}
    assert office.recorded == [envelope]


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ({"signer": "shop"}, VerificationError),
        ({"signer": "telco"}, VerificationError),
        ({"answerer": "shop", "signer": "shop"}, VerificationError),
        ({"answerer": "telco", "signer": "telco"}, VerificationError),
    ],
)
def test_a_permit_by_anybody_else_is_refused(
    office: Office, how: dict[str, str], kind: type[TrisectError]
) -> None:
    assert isinstance(office.refuses(*office.proposed(), **how), kind)


def forged_offer(office: Office) -> tuple[bytes, Permit]:
    made, permit = office.proposed()
    return documents.sign("offer.v1", documents.peek(made)[1], [identity("shop")]), permit


def other_key(office: Office) -> tuple[bytes, Permit]:
    made, permit = office.proposed(answerer="bank")
    body = dict(documents.peek(made)[1]) | {"answerer_key": keys("shop").identity.fingerprint}
    return documents.sign("offer.v1", body, [identity("telco")]), permit


def other_rules(office: Office) -> tuple[bytes, Permit]:
    made, permit = office.proposed()
    return made, dataclasses.replace(permit, rules="authorities-warn")


def unpermitted_kind(office: Office) -> tuple[bytes, Permit]:
    made, permit = office.proposed()
    return made, dataclasses.replace(permit, answered_kinds="voiceprint")


def smaller_budget(office: Office) -> tuple[bytes, Permit]:
    made, permit = office.proposed()
    return made, dataclasses.replace(permit, budget=1)


@pytest.mark.parametrize("forge", [forged_offer, other_key, other_rules, unpermitted_kind, smaller_budget])
def test_an_answerer_that_deviates_gets_no_signature(
    office: Office, forge: Callable[[Office], tuple[bytes, Permit]]
) -> None:
    assert isinstance(office.refuses(*forge(office)), VerificationError | DeniedError)


@pytest.mark.parametrize("late_s", [-61, 61, 600])
def test_a_wrong_clock_is_told(office: Office, late_s: int) -> None:
    made, permit = office.proposed()
    office.now[0] = NOW + dt.timedelta(seconds=late_s)
    assert isinstance(office.refuses(made, permit), StaleError)


def test_without_a_fresh_head_of_the_record_no_permit_is_signed(office: Office) -> None:
    made, permit = office.proposed()
    office.counted[0] = NOW - dt.timedelta(seconds=3_601)
    assert isinstance(office.refuses(made, permit), StaleError)
    office.counted[0] = NOW - dt.timedelta(seconds=3_600)
    office.issue(made, permit)


@pytest.mark.parametrize("name", ["telco", "bank"])
def test_the_suspended_get_none(office: Office, name: str) -> None:
    made, permit = office.proposed()
    office.consortium.take(office.consortium.standing(name, Standing.SUSPENDED))
    assert "suspended" in office.refuses(made, permit).message


def test_what_is_filed_meanwhile_counts(office: Office) -> None:
    made, permit = office.proposed()
    later = Notice.parse(NOTICE.replace("What we do", "What else we do"), Role.PROVIDER)
    office.consortium.take(office.consortium.filing(NoticeFiling, "bank", later.content))
    assert isinstance(office.refuses(made, permit), StaleError)
    made, permit = office.proposed()
    office.consortium.take(office.consortium.admission("bank", key_check=KeyCheck.FINGERPRINT))
    assert office.refuses(made, permit).rule == "vetting-in-force"


def test_an_exchange_has_one_permit_for_ever(office: Office) -> None:
    """Its id is public from then on, and what else is entered under it would be taken for its own."""
    office.issue(*office.proposed())
    first = list(office.recorded)
    for again in (office.proposed(), office.proposed(size=2_048)):
        with pytest.raises(DeniedError, match="has had its permit"):
            office.issue(*again)
    assert office.recorded == first


def test_a_budget_ends_to_the_element(office: Office) -> None:
    for number in range(2):
        office.issue(*office.proposed(size=99_928, exchange=bytes([number]) * 16))
    office.recorded.clear()
    found = office.refuses(*office.proposed(size=144 + 1))
    assert (found.rule, "199,856 of 200,000" in found.message) == (BUDGET, True)
    assert "budget request" in found.hint
    office.issue(*office.proposed(size=144))
