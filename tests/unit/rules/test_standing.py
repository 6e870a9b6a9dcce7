"""Nobody is put out for good without having been heard, nor by suspensions one after the other, nor by old dates."""

from __future__ import annotations

from typing import Any

import pytest
from support.breach_files import FOUND, at, file, named_officers, opening, order, refused, ruled
from support.membership import GOVERNMENT, Consortium, signed

from trisect.errors import ConflictError, VerificationError
from trisect.rules import checking
from trisect.rules.breaches import Appeal, Closing, Decision, Reply
from trisect.rules.vocabulary import Sanction
from trisect.trust.filings import (
    AppealDecisionFiling,
    AppealFiling,
    BreachClosingFiling,
    BreachFiling,
    BreachReplyFiling,
    MeasureFiling,
    SanctionFiling,
)
from trisect.trust.statements import Standing


@pytest.fixture
def consortium() -> Consortium:
    return ruled()


def stand(found: Consortium, standing: Standing, issued: float = 0, days: float = 7) -> None:
    """Change the standing of telco, as everybody takes it or refuses it."""
    until = at(issued + days) if standing is Standing.SUSPENDED else ""
    change = found.standing("telco", standing, issued=at(issued), until=until)
    trial = found.membership.copy()
    trial.apply(signed(change, GOVERNMENT))
    checking.check(change, trial)
    checking.check(change, found.membership)
    found.membership = trial


def test_nobody_is_expelled_without_a_sanction_that_says_so(consortium: Consortium) -> None:
    with pytest.raises(VerificationError, match="no sanction in force"):
        stand(consortium, Standing.EXPELLED)
    file(consortium, BreachFiling, "telco", FOUND, by=GOVERNMENT)
    file(consortium, BreachReplyFiling, "telco", Reply(1, "it was mended"))
    file(consortium, SanctionFiling, "telco", order(Sanction.SUSPEND, begins=at(1)), by=GOVERNMENT)
    with pytest.raises(VerificationError, match="no sanction in force"):
        stand(consortium, Standing.EXPELLED, 2)
    file(
        consortium,
        SanctionFiling,
        "telco",
        order(Sanction.EXPEL, begins=at(5), ends=at(90)),
        by=GOVERNMENT,
        issued=2,
    )
    with pytest.raises(VerificationError, match="no sanction in force"):
        stand(consortium, Standing.EXPELLED, 4)
    with pytest.raises(VerificationError, match=f"may appeal against its expulsion until {at(2 + 37)}"):
        stand(consortium, Standing.EXPELLED, 5)
    with pytest.raises(VerificationError, match="may appeal"):
        stand(consortium, Standing.EXPELLED, 2 + 30 + 7)
    stand(consortium, Standing.EXPELLED, 2 + 30 + 7.01)


@pytest.mark.parametrize("lifts", [0, 1])
def test_an_appeal_against_an_expulsion_is_decided_first(consortium: Consortium, lifts: int) -> None:
    file(consortium, BreachFiling, "telco", FOUND, by=GOVERNMENT)
    file(consortium, BreachReplyFiling, "telco", Reply(1, "it was mended"))
    file(consortium, SanctionFiling, "telco", order(Sanction.EXPEL, begins=at(1), ends=at(90)), by=GOVERNMENT)
    against = Appeal(SanctionFiling.KIND, 1, "it is too much")
    file(consortium, AppealFiling, "telco", against, issued=36.9)  # after 30 days, and a week for officers
    for day in (37, 60):
        with pytest.raises(VerificationError, match="is not decided"):
            stand(consortium, Standing.EXPELLED, day)
    file(consortium, AppealDecisionFiling, "telco", Decision(1, lifts, "so it is"), by="office", issued=61)
    if lifts:
        with pytest.raises(VerificationError, match="no sanction in force"):
            stand(consortium, Standing.EXPELLED, 62)
    else:
        stand(consortium, Standing.EXPELLED, 62)


def test_suspensions_do_not_follow_one_another_without_a_breach(consortium: Consortium) -> None:
    stand(consortium, Standing.SUSPENDED)
    stand(consortium, Standing.ACTIVE, 1)
    for day in (2, 7, 20.9):
        with pytest.raises(VerificationError, match="no breach of its was opened since"):
            stand(consortium, Standing.SUSPENDED, day)
    stand(consortium, Standing.SUSPENDED, 21)
    file(consortium, BreachFiling, "telco", FOUND, by=GOVERNMENT, issued=22)
    stand(consortium, Standing.SUSPENDED, 23)
    with pytest.raises(VerificationError, match="no breach of its was opened since"):
        stand(consortium, Standing.SUSPENDED, 23.5)  # one suspension for each
    file(consortium, BreachClosingFiling, "telco", Closing(1, "mended"), by=GOVERNMENT, issued=24)
    with pytest.raises(VerificationError, match="no breach of its was opened since"):
        stand(consortium, Standing.SUSPENDED, 25)


@pytest.mark.parametrize(("days", "fits"), [(-20.0, False), (-0.05, False), (-0.04, True), (0.0, True)])
def test_a_file_is_not_opened_with_an_old_date(consortium: Consortium, days: float, *, fits: bool) -> None:
    """Else its party would have had its time to reply before it heard of it."""
    stand(consortium, Standing.SUSPENDED)  # somebody has signed something today
    what: Any = (consortium, BreachFiling, "telco", FOUND)
    if fits:
        file(*what, by=GOVERNMENT, issued=days)
    else:
        assert "others have come since" in refused(*what, by=GOVERNMENT, issued=days).message
    file(consortium, BreachFiling, "telco", opening(consortium), by="bank")


def test_an_appeal_that_comes_too_late_is_not_dated_back(consortium: Consortium) -> None:
    file(consortium, BreachFiling, "telco", FOUND, by=GOVERNMENT)
    file(consortium, MeasureFiling, "telco", order(Sanction.WARN), by=GOVERNMENT)
    file(consortium, BreachFiling, "bank", FOUND, by=GOVERNMENT, issued=31)
    appeal = (consortium, AppealFiling, "telco", Appeal("measure.v1", 1, "it is wrong"))
    assert isinstance(refused(*appeal, issued=31), ConflictError)
    assert isinstance(refused(*appeal, issued=29), VerificationError)


def test_what_officers_have_to_sign_may_wait_for_them(consortium: Consortium) -> None:
    file(consortium, BreachFiling, "telco", FOUND, by=GOVERNMENT)
    file(consortium, BreachReplyFiling, "telco", Reply(1, "it was mended"))
    file(consortium, BreachFiling, "bank", FOUND, by=GOVERNMENT, issued=5)
    file(consortium, SanctionFiling, "telco", order(begins=at(6)), by=GOVERNMENT, issued=2)


def test_officers_decide_over_a_measure_that_their_node_has_ordered(consortium: Consortium) -> None:
    """A consortium with one government can decide over an appeal against one."""
    named_officers(consortium)
    file(consortium, BreachFiling, "telco", FOUND, by=GOVERNMENT)
    file(consortium, MeasureFiling, "telco", order(Sanction.THROTTLE), by=GOVERNMENT)
    file(consortium, AppealFiling, "telco", Appeal("measure.v1", 1, "it is wrong"))
    decision = (consortium, AppealDecisionFiling, "telco", Decision(1, 1, "taken back"))
    assert refused(*decision, by=GOVERNMENT).rule == "approvals"
    file(*decision, "anna", by=GOVERNMENT)


def test_an_order_to_expel_lasts_until_an_appeal_can_be_decided(consortium: Consortium) -> None:
    """One that ended before could never expel, and the party would be back."""
    file(consortium, BreachFiling, "telco", FOUND, by=GOVERNMENT)
    file(consortium, BreachReplyFiling, "telco", Reply(1, "it was mended"))
    for days, taken in ((66, False), (67, True)):
        expelling = (SanctionFiling, "telco", order(Sanction.EXPEL, begins=at(1), ends=at(days)))
        if taken:
            file(consortium, *expelling, by=GOVERNMENT)
        else:
            assert "the order ends before" in refused(consortium, *expelling, by=GOVERNMENT).message
