"""Breaches: opened with proofs that hold, answered before they are punished, judged by nobody in its own case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from support.breach_files import (
    DAY,
    FOUND,
    RED_LINE,
    at,
    file,
    named_officers,
    opened,
    opening,
    order,
    refused,
    ruled,
    the,
    unfounded,
)
from support.membership import GOVERNMENT, Consortium, identity
from support.receipts import ANSWERED, ASKED
from support.rulebooks import NOW, rulebook

from trisect.clock import to_text
from trisect.errors import BadInputError, ConflictError, DeniedError, TrisectError, VerificationError
from trisect.rules import breaches, checking
from trisect.rules.breaches import Appeal, Closing, Decision, Ground, Opening, Order, Reply
from trisect.rules.permit import crossed, preview
from trisect.rules.regime import SANCTIONED, Regime
from trisect.rules.vocabulary import Purpose, Sanction
from trisect.trust.filings import (
    AppealDecisionFiling,
    AppealFiling,
    BreachClosingFiling,
    BreachFiling,
    BreachReplyFiling,
    Filing,
    MeasureFiling,
    SanctionFiling,
)


@pytest.fixture
def consortium() -> Consortium:
    return ruled()


def test_a_peer_opens_a_breach_with_the_offer_that_crosses_a_red_line(consortium: Consortium) -> None:
    found = opened(consortium)
    assert (found.name, found.state, found.opening.rule) == ("telco/1", "open", RED_LINE)
    assert breaches.read_reference(found.name) == ("telco", 1)


def test_an_offer_crosses_a_red_line_only_where_no_answer_would_mend_it(consortium: Consortium) -> None:
    regime = Regime(consortium.membership)
    assert crossed(unfounded(consortium), regime) == RED_LINE
    honest = unfounded(consortium, basis="statutory-duty")
    preview(honest, regime)
    assert crossed(honest, regime) == ""
    assert crossed(unfounded(consortium, purpose="supervision"), regime) in {"", RED_LINE}
    assert crossed(unfounded(consortium, rulebook=b"0" * 32), regime) == "", "by another rulebook"


@pytest.mark.parametrize(
    "forge",
    [
        lambda found: opening(found, rule="no-biometrics"),
        lambda found: opening(found, rule=""),
        lambda found: opening(found, proof=b""),
        lambda found: opening(found, second_proof=b"more"),
        lambda found: opening(found, ground="malice"),
        lambda found: opening(found, text=" "),
        lambda found: opening(found, text="x" * 2_001),
        lambda found: opening(found, proof=unfounded(found).sign(identity("bank"))),
        lambda found: opening(found, proof=unfounded(found, basis="statutory-duty").sign(identity("telco"))),
        lambda found: opening(found, proof=unfounded(found, answerer="office").sign(identity("telco"))),
        lambda found: opening(found, proof=b"x" * 70_000),
        lambda found: opening(found, proof=unfounded(found, kinds="thoughts").sign(identity("telco"))),
        lambda found: opening(found, proof=unfounded(found, purpose="revenge").sign(identity("telco"))),
        lambda found: opening(found, proof=unfounded(found, created="soon").sign(identity("telco"))),
        lambda found: opening(found, proof=unfounded(found, basis="whim").sign(identity("telco"))),
        lambda _found: FOUND,
        lambda _found: replace(FOUND, ground=Ground.DRIFT),
        lambda _found: replace(FOUND, ground=Ground.RECEIPTS),
    ],
)
def test_a_peer_opens_none_without_a_proof_that_holds(
    consortium: Consortium, forge: Callable[[Consortium], Opening]
) -> None:
    error = refused(consortium, BreachFiling, "telco", forge(consortium), by="bank")
    assert isinstance(error, VerificationError), error


def test_a_breach_is_told_once(consortium: Consortium) -> None:
    opened(consortium)
    again = opening(consortium)
    assert "same proof" in refused(consortium, BreachFiling, "telco", again, by="bank").message
    another = unfounded(consortium, exchange=b"2" * 16).sign(identity("telco"))
    error = refused(consortium, BreachFiling, "telco", replace(again, proof=another), by="bank")
    assert "open on the same ground" in error.message
    file(consortium, BreachClosingFiling, "telco", Closing(1, "it was a mistake"), by=GOVERNMENT)
    assert "same proof" in refused(consortium, BreachFiling, "telco", again, by="bank").message
    file(consortium, BreachFiling, "telco", replace(again, proof=another), by="bank")
    assert [one.state for one in breaches.of_party(consortium.membership, "telco")] == ["closed", "open"]


def receipts(**changes: Any) -> tuple[bytes, bytes]:
    """What telco as asker and bank as answerer have signed about an exchange."""
    return replace(ASKED, **changes).sign(identity("telco")), ANSWERED.sign(identity("bank"))


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        ({"elements_evaluated": 59}, True),
        ({"asker_transcript": b"x" * 32}, True),
        ({}, False),
        ({"answered_snapshot": b"x" * 32}, True),
        ({"exchange": b"x" * 16}, False),
        ({"side": "answerer", "elements_evaluated": 59}, False),
    ],
)
def test_receipts_that_contradict_each_other_are_a_proof(
    consortium: Consortium, changes: dict[str, Any], holds: bool
) -> None:
    proof, second = receipts(**changes)
    made = Opening(Ground.RECEIPTS, "", "they contradict each other", proof, second)
    if holds:
        file(consortium, BreachFiling, "telco", made, by="bank")
    else:
        assert isinstance(refused(consortium, BreachFiling, "telco", made, by="bank"), VerificationError)
    swapped = replace(made, proof=second, second_proof=proof)
    assert isinstance(refused(consortium, BreachFiling, "telco", swapped, by="bank"), TrisectError)


def test_a_party_tells_of_its_own_drift_and_a_government_of_what_it_finds(consortium: Consortium) -> None:
    drift = replace(FOUND, ground=Ground.DRIFT, text="declares 90 days; oldest entry 143 days")
    file(consortium, BreachFiling, "telco", drift)
    file(consortium, BreachFiling, "telco", FOUND, by=GOVERNMENT)
    file(consortium, BreachFiling, "telco", FOUND, by="office")
    refused(consortium, BreachFiling, GOVERNMENT, FOUND, by=GOVERNMENT)
    refused(consortium, BreachFiling, "telco", FOUND)
    file(consortium, BreachFiling, GOVERNMENT, FOUND, by="office")


def test_a_sanction_waits_until_the_party_was_heard(consortium: Consortium) -> None:
    opened(consortium)
    sanction = (SanctionFiling, "telco", order())
    assert "has not been heard" in refused(consortium, *sanction, by=GOVERNMENT, issued=13).message
    trial = Consortium(consortium.membership.copy())
    file(trial, *sanction, by=GOVERNMENT, issued=14)
    file(consortium, BreachReplyFiling, "telco", Reply(1, "we have mended it"), issued=1)
    assert the(consortium).state == "replied"
    file(consortium, *sanction, by=GOVERNMENT, issued=2)
    assert the(consortium).state == "ordered"


def test_an_order_of_no_other_time_begins_when_it_is_signed(consortium: Consortium) -> None:
    opened(consortium)
    file(consortium, MeasureFiling, "telco", order(Sanction.WARN, begins=""), by=GOVERNMENT, issued=3)
    found = the(consortium).orders[0]
    assert (found.begins, found.in_force(NOW + 2 * DAY), found.in_force(NOW + 3 * DAY)) == (
        at(3),
        False,
        True,
    )
    late = order(Sanction.WARN, begins=at(3))
    error = refused(consortium, MeasureFiling, "telco", late, by=GOVERNMENT, issued=3.001)
    assert "before it is signed" in error.message
    outlasted = order(Sanction.WARN, begins="", ends=at(3))
    refused(consortium, MeasureFiling, "telco", outlasted, by=GOVERNMENT, issued=3)


def test_a_measure_needs_no_hearing(consortium: Consortium) -> None:
    opened(consortium)
    for act in (Sanction.WARN, Sanction.THROTTLE):
        file(consortium, MeasureFiling, "telco", order(act), by=GOVERNMENT)


@pytest.mark.parametrize(
    ("kind", "made", "by"),
    [
        (MeasureFiling, order(Sanction.SUSPEND), GOVERNMENT),
        (SanctionFiling, order(Sanction.WARN), GOVERNMENT),
        (MeasureFiling, order(Sanction.WARN, breach=2), GOVERNMENT),
        (MeasureFiling, order(Sanction.WARN, reasons=""), GOVERNMENT),
        (MeasureFiling, order(Sanction.WARN, factor=2), GOVERNMENT),
        (MeasureFiling, order(Sanction.THROTTLE, factor=1), GOVERNMENT),
        (MeasureFiling, order(Sanction.THROTTLE, factor=1_001), GOVERNMENT),
        (MeasureFiling, order(Sanction.WARN, purpose="rights"), GOVERNMENT),
        (MeasureFiling, order(Sanction.WARN, ends=at(20)), GOVERNMENT),
        (MeasureFiling, order(Sanction.WARN, ends=at(2_000)), GOVERNMENT),
        (MeasureFiling, order(Sanction.WARN, begins="soon"), GOVERNMENT),
        (MeasureFiling, order(Sanction.WARN, begins=at(-1)), GOVERNMENT),
        (SanctionFiling, order(Sanction.SUSPEND_PURPOSE, purpose=""), GOVERNMENT),
        (SanctionFiling, order(Sanction.SUSPEND_PURPOSE, purpose="revenge"), GOVERNMENT),
        (MeasureFiling, order(Sanction.WARN), "bank"),
        (MeasureFiling, order(Sanction.WARN), "telco"),
    ],
)
def test_an_order_that_nobody_may_give(
    consortium: Consortium, kind: type[Filing], made: Order, by: str
) -> None:
    opened(consortium)
    file(consortium, BreachReplyFiling, "telco", Reply(1, "no"))
    assert isinstance(refused(consortium, kind, "telco", made, by=by), VerificationError)


def suspended(found: Consortium, act: Sanction = Sanction.SUSPEND, **how: Any) -> None:
    opened(found)
    file(found, BreachReplyFiling, "telco", Reply(1, "no"))
    file(found, SanctionFiling, "telco", order(act), *how.pop("officers", ()), by=GOVERNMENT, **how)


@pytest.mark.parametrize(
    ("act", "days", "holds"),
    [
        *((act, *row) for act in (Sanction.SUSPEND, Sanction.SUSPEND_PURPOSE)
          for row in ((19.9, False), (20, True), (49.9, True), (50, False))),
        *((Sanction.EXPEL, *row) for row in ((19.9, False), (20, True), (50, True))),
    ],
)  # fmt: skip
def test_a_sanction_keeps_its_party_from_exchanging_while_it_is_in_force(
    consortium: Consortium, act: Sanction, days: float, holds: bool
) -> None:
    suspended(consortium, act)
    regime, moment = Regime(consortium.membership), NOW + days * DAY
    made = unfounded(consortium, basis="statutory-duty", created=to_text(moment))
    if holds:
        with pytest.raises(DeniedError, match="for the breach telco/1: it has done so twice") as caught:
            preview(made, regime)
        assert caught.value.rule == SANCTIONED
        assert crossed(made, regime) == ""
    else:
        preview(made, regime)
    regime.require_unsanctioned("bank", Purpose.SCAM_PREVENTION, moment)
    if act is Sanction.SUSPEND_PURPOSE:
        regime.require_unsanctioned("telco", Purpose.SUPERVISION, moment)


@pytest.mark.parametrize(
    ("day", "divided"), [(at(19), False), (at(20), True), (at(50), True), (at(51), False)]
)
def test_a_throttle_divides_what_its_party_may_ask_in_a_day(
    consortium: Consortium, day: str, divided: bool
) -> None:
    regime = Regime(consortium.membership)
    asked = ("telco", "bank", Purpose.SCAM_PREVENTION, day[:10], rulebook(approvals=1).hash)
    full = regime.budget(*asked)
    opened(consortium)
    file(consortium, MeasureFiling, "telco", order(Sanction.THROTTLE), by=GOVERNMENT)
    regime = Regime(consortium.membership)
    assert regime.budget(*asked) == (full // 4 if divided else full)
    assert regime.budget("bank", "telco", *asked[2:]) == full


def test_an_appeal_is_decided_by_other_officers(consortium: Consortium) -> None:
    named_officers(consortium)
    suspended(consortium, officers=["anna"])
    appeal = Appeal("sanction.v1", 1, "it is too hard")
    file(consortium, AppealFiling, "telco", appeal, issued=3)
    assert the(consortium).state == "appealed"
    decision = (AppealDecisionFiling, "telco", Decision(1, 1, "the proof is old"))
    assert "same officer" in refused(consortium, *decision, "anna", by=GOVERNMENT, issued=4).message
    assert refused(consortium, *decision, by=GOVERNMENT, issued=4).rule == "approvals"
    file(consortium, *decision, "boris", by=GOVERNMENT, issued=4)
    found = the(consortium)
    assert (found.state, found.orders[0].stands) == ("ordered", False)
    Regime(consortium.membership).require_unsanctioned("telco", Purpose.SCAM_PREVENTION, NOW + 30 * DAY)
    assert "has been decided" in refused(consortium, *decision, "boris", by=GOVERNMENT, issued=5).message


def test_an_officer_alone_does_not_decide_over_its_own_order(consortium: Consortium) -> None:
    suspended(consortium)
    file(consortium, AppealFiling, "telco", Appeal("sanction.v1", 1, "no"), issued=1)
    decision = (AppealDecisionFiling, "telco", Decision(1, 0, "it stands"))
    assert "same officer" in refused(consortium, *decision, by=GOVERNMENT, issued=2).message
    file(consortium, *decision, by="office", issued=2)
    assert the(consortium).orders[0].in_force(NOW + 30 * DAY)


def test_who_ordered_a_measure_does_not_decide_over_the_appeal(consortium: Consortium) -> None:
    opened(consortium)
    file(consortium, MeasureFiling, "telco", order(Sanction.WARN), by=GOVERNMENT)
    file(consortium, AppealFiling, "telco", Appeal("measure.v1", 1, "no"), issued=1)
    decision = (AppealDecisionFiling, "telco", Decision(1, 1, "taken back"))
    assert "same officer" in refused(consortium, *decision, by=GOVERNMENT).message
    file(consortium, *decision, by="office")


@pytest.mark.parametrize(
    ("made", "issued", "message"),
    [
        (Appeal("sanction.v1", 2, "no"), 1, "order that there is not"),
        (Appeal("measure.v1", 1, "no"), 1, "order that there is not"),
        (Appeal("notice.v1", 1, "no"), 1, "order that there is not"),
        (Appeal("sanction.v1", 1, ""), 1, "characters"),
        (Appeal("sanction.v1", 1, "no"), 37.1, "could be appealed against until"),
    ],
)
def test_an_appeal_that_is_none(consortium: Consortium, made: Appeal, issued: float, message: str) -> None:
    suspended(consortium)
    assert message in refused(consortium, AppealFiling, "telco", made, issued=issued).message


def test_an_order_is_appealed_against_once(consortium: Consortium) -> None:
    suspended(consortium)
    appeal = (AppealFiling, "telco", Appeal("sanction.v1", 1, "no"))
    file(consortium, *appeal, issued=30)
    assert "been appealed against" in refused(consortium, *appeal, issued=30).message
    for made in (Decision(2, 1, "x"), Decision(1, 2, "x"), Decision(1, 1, "")):
        assert isinstance(refused(consortium, AppealDecisionFiling, "telco", made, by="office"), TrisectError)


def test_a_government_neither_closes_nor_judges_its_own_breach(consortium: Consortium) -> None:
    file(consortium, BreachFiling, GOVERNMENT, FOUND, by="office")
    closing = (BreachClosingFiling, GOVERNMENT, Closing(1, "nothing to see"))
    assert "its own breach" in refused(consortium, *closing, by=GOVERNMENT).message
    warning = (MeasureFiling, GOVERNMENT, order(Sanction.WARN))
    assert "its own breach" in refused(consortium, *warning, by=GOVERNMENT).message
    file(consortium, *closing, by="office")


def test_nothing_goes_into_a_closed_file(consortium: Consortium) -> None:
    opened(consortium)
    file(consortium, BreachClosingFiling, "telco", Closing(1, "mended"), by=GOVERNMENT)
    for kind, content, by in (
        (BreachReplyFiling, Reply(1, "too late"), "telco"),
        (MeasureFiling, order(Sanction.WARN), GOVERNMENT),
        (BreachClosingFiling, Closing(1, "again"), GOVERNMENT),
    ):
        assert isinstance(refused(consortium, kind, "telco", content, by=by), ConflictError)


def test_only_the_party_replies_and_appeals(consortium: Consortium) -> None:
    suspended(consortium)
    for kind, content in (
        (BreachReplyFiling, Reply(1, "in its name")),
        (AppealFiling, Appeal("sanction.v1", 1, "in its name")),
    ):
        assert isinstance(refused(consortium, kind, "telco", content, by="bank"), VerificationError)


@pytest.mark.parametrize(
    ("kind", "content"),
    [(MeasureFiling, order(Sanction.WARN)), (BreachFiling, FOUND), (BreachReplyFiling, Reply(1, "no"))],
)
def test_a_filing_that_does_not_say_when_is_refused(
    consortium: Consortium, kind: type[Filing], content: Any
) -> None:
    """Deadlines count from it, at every node."""
    opened(consortium)
    statement = consortium.filing(kind, "telco", content.to_body(), issuer=GOVERNMENT, issued="yesterday")
    with pytest.raises(VerificationError, match="when it was signed"):
        checking.check(statement, consortium.membership)


@pytest.mark.parametrize("text", ["telco", "telco/", "telco/0", "telco/x", "/1", "Telco/1", ""])
def test_what_names_no_breach(text: str) -> None:
    with pytest.raises(BadInputError):
        breaches.read_reference(text)
