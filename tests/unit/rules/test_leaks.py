"""The register of leaks: each cause goes its own way, everybody says its own part only, what is overdue escalates."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from support.membership import GOVERNMENT, ISSUED, Consortium

from trisect.clock import from_text, to_text
from trisect.errors import BadInputError, ConflictError, TrisectError, VerificationError
from trisect.indicators.kinds import Kind
from trisect.rules import checking, leaks
from trisect.rules.duties import duties
from trisect.rules.leaks import ROUTES, Act, Cause, Method, Report, Step, size_class
from trisect.rules.regime import Regime
from trisect.trust.filings import LeakFiling, LeakStepFiling
from trisect.trust.statements import Role, Standing

REPORTED = from_text(ISSUED)
HOURS_72 = dt.timedelta(hours=72)
REPORT = Report(
    "negligent", "iban,phone", 128, to_text(REPORTED - dt.timedelta(hours=5)), "insider", "a laptop was lost"
)


@pytest.fixture
def consortium() -> Consortium:
    return Consortium.founded(
        ("bank", Role.PROVIDER),
        ("telco", Role.PROVIDER),
        ("aid", Role.PROXY),
        ("union", Role.PROXY),
        ("second-ministry", Role.GOVERNMENT),
    )


def file(consortium: Consortium, kind: Any, content: Any, party: str = "bank", **changes: Any) -> None:
    """File and check as nodes and coordinator do."""
    statement = consortium.filing(kind, party, content.to_body(), **changes)
    checking.check(statement, consortium.membership)
    consortium.take(statement)


def report(consortium: Consortium, **changes: Any) -> None:
    file(consortium, LeakFiling, dataclasses.replace(REPORT, **changes), issuer="bank")


def step(consortium: Consortium, act: Act, issuer: str, party: str = "bank", **changes: Any) -> None:
    file(consortium, LeakStepFiling, Step(1, act, "as agreed"), party, issuer=issuer, **changes)


def owed(
    consortium: Consortium, after: dt.timedelta = dt.timedelta(), party: str = "bank"
) -> list[tuple[str, str]]:
    (leak,) = leaks.of_party(consortium.membership, party)
    return [(one.party, one.act) for one in leak.owed(Regime(consortium.membership), REPORTED + after)]


def test_a_negligent_leak_is_the_partys_own_to_stop_and_proxies_tell_people(consortium: Consortium) -> None:
    report(consortium)
    assert owed(consortium) == [("bank", "contained"), ("aid", "told"), ("union", "told")]
    assert owed(consortium, HOURS_72) == [*owed(consortium), (GOVERNMENT, "taken-up")], (
        "overdue, it escalates"
    )
    step(consortium, Act.CONTAINED, "bank")
    assert owed(consortium, HOURS_72) == [("aid", "told"), ("union", "told")]
    step(consortium, Act.TOLD, "aid")
    with pytest.raises(ConflictError, match="union has done its part"):
        step(consortium, Act.CLOSED, GOVERNMENT)
    step(consortium, Act.TOLD, "union")
    step(consortium, Act.CLOSED, GOVERNMENT)
    assert owed(consortium, HOURS_72) == []


def test_a_malicious_leak_is_for_a_government_at_once(consortium: Consortium) -> None:
    report(consortium, cause="malicious")
    assert owed(consortium)[0] == (GOVERNMENT, "taken-up")
    step(consortium, Act.TAKEN_UP, "second-ministry")
    assert (GOVERNMENT, "taken-up") not in owed(consortium), "one government is enough"


def test_after_an_intrusion_the_pepper_is_rotated(consortium: Consortium) -> None:
    report(consortium, cause="intrusion")
    assert (GOVERNMENT, "re-keyed") in owed(consortium)
    step(consortium, Act.REKEYED, GOVERNMENT)
    assert (GOVERNMENT, "re-keyed") not in owed(consortium)


def test_nobody_need_be_told_of_what_is_about_no_person(consortium: Consortium) -> None:
    report(consortium, kinds="domain,url")
    assert owed(consortium) == [("bank", "contained")]


def test_no_cause_goes_the_way_of_another() -> None:
    assert set(ROUTES) == set(Cause)
    assert len(set(ROUTES.values())) == len(Cause)


def test_duties_name_the_leak_and_are_overdue_in_time(consortium: Consortium) -> None:
    report(consortium)
    for after, overdue in ((HOURS_72 - dt.timedelta(seconds=1), False), (HOURS_72, True)):
        found = {
            one.duty: (one.party, one.overdue)
            for one in duties(Regime(consortium.membership), REPORTED + after)
            if "bank/1" in one.duty
        }
        assert found["say how the leak bank/1 was stopped"] == ("bank", overdue)
    assert found["take up the leak bank/1"] == (GOVERNMENT, False), "it has as much time again"


@pytest.mark.parametrize(("hours", "late"), [(71, False), (72, False), (73, True)])
def test_a_report_is_late_after_the_rulebooks_hours(consortium: Consortium, hours: int, late: bool) -> None:
    report(consortium, discovered=to_text(REPORTED - dt.timedelta(hours=hours)))
    (leak,) = leaks.of_party(consortium.membership, "bank")
    assert leak.late(Regime(consortium.membership)) is late


MAY = {
    Act.CONTAINED: {"bank", GOVERNMENT, "second-ministry"},
    Act.TAKEN_UP: {GOVERNMENT, "second-ministry"},
    Act.REKEYED: {GOVERNMENT, "second-ministry"},
    Act.TOLD: {"aid", "union"},
    Act.CLOSED: {GOVERNMENT, "second-ministry"},
}


@pytest.mark.parametrize("act", Act)
def test_everybody_says_its_own_part_only(consortium: Consortium, act: Act) -> None:
    report(consortium)
    for who in ("bank", "telco", "aid", "union", GOVERNMENT, "second-ministry"):
        if who not in MAY[act]:
            with pytest.raises(VerificationError, match="not the one to say"):
                step(consortium, act, who)


def test_a_government_neither_takes_up_nor_closes_its_own_leak(consortium: Consortium) -> None:
    file(
        consortium, LeakFiling, dataclasses.replace(REPORT, cause="malicious"), GOVERNMENT, issuer=GOVERNMENT
    )
    assert owed(consortium, party=GOVERNMENT)[0] == ("second-ministry", "taken-up")
    for act in (Act.TAKEN_UP, Act.CLOSED):
        with pytest.raises(VerificationError, match="not the one to say"):
            step(consortium, act, GOVERNMENT, GOVERNMENT)


def test_what_was_said_is_not_said_again(consortium: Consortium) -> None:
    report(consortium)
    step(consortium, Act.CONTAINED, "bank")
    with pytest.raises(ConflictError, match="said before"):
        step(consortium, Act.CONTAINED, "bank")
    for who in ("aid", "union"):
        step(consortium, Act.TOLD, who)
        with pytest.raises(ConflictError, match="said before"):
            step(consortium, Act.TOLD, who)
    step(consortium, Act.CLOSED, GOVERNMENT)
    with pytest.raises(ConflictError, match="closed"):
        step(consortium, Act.TAKEN_UP, GOVERNMENT)


def test_a_suspended_party_reports_and_a_peer_may_report_for_it(consortium: Consortium) -> None:
    consortium.take(consortium.standing("bank", Standing.SUSPENDED))
    report(consortium)
    file(consortium, LeakFiling, REPORT, issuer="telco")
    assert [one.name for one in leaks.of_party(consortium.membership, "bank")] == ["bank/1", "bank/2"]


@pytest.mark.parametrize(
    "changes",
    [
        {"cause": "bad luck"},
        {"kinds": ""},
        {"kinds": "phone,iban"},
        {"kinds": "phone,phone"},
        {"kinds": "telephone"},
        {"persons": 100},
        {"persons": -1},
        {"persons": 2**40},
        {"text": " "},
        {"discovered": "yesterday"},
        {"discovered": to_text(REPORTED + dt.timedelta(seconds=1))},
    ],
)
def test_a_report_that_is_none_is_refused(consortium: Consortium, changes: dict[str, Any]) -> None:
    with pytest.raises(TrisectError):
        report(consortium, **changes)
    assert not leaks.of_party(consortium.membership, "bank")


@pytest.mark.parametrize(
    "step_", [Step(2, "contained", "x"), Step(1, "forgotten", "x"), Step(1, "contained", "")]
)
def test_a_step_that_is_none_is_refused(consortium: Consortium, step_: Step) -> None:
    report(consortium)
    with pytest.raises(TrisectError):
        file(consortium, LeakStepFiling, step_, issuer="bank")


def test_numbers_of_persons_are_told_as_powers_of_two() -> None:
    assert [size_class(one) for one in (0, 1, 2, 3, 64, 65, 1_000)] == [0, 1, 2, 4, 64, 128, 1_024]
    for persons in (-1, 2**40):
        with pytest.raises(BadInputError):
            size_class(persons)


def test_every_kind_can_leak() -> None:
    dataclasses.replace(REPORT, kinds=",".join(sorted(Kind))).check()


def test_a_leak_of_a_party_that_was_expelled_can_be_closed(consortium: Consortium) -> None:
    report(consortium, cause="malicious", kinds="domain")
    consortium.take(consortium.standing("bank", Standing.EXPELLED))
    step(consortium, Act.TAKEN_UP, GOVERNMENT)
    assert owed(consortium) == []
    step(consortium, Act.CLOSED, GOVERNMENT)


def test_a_government_may_find_that_there_is_nothing_to_stop(consortium: Consortium) -> None:
    file(consortium, LeakFiling, dataclasses.replace(REPORT, kinds="domain"), issuer="telco")
    step(consortium, Act.CONTAINED, "second-ministry")
    step(consortium, Act.CLOSED, GOVERNMENT)


@pytest.mark.parametrize("method", Method)
def test_by_what_means_it_was_collected_is_read_back(consortium: Consortium, method: Method) -> None:
    file(consortium, LeakFiling, dataclasses.replace(REPORT, method=method.value))
    (leak,) = leaks.of_party(consortium.membership, "bank")
    assert leak.report.method == method


def test_a_method_that_there_is_not_is_refused(consortium: Consortium) -> None:
    with pytest.raises(VerificationError, match="no such method"):
        file(consortium, LeakFiling, dataclasses.replace(REPORT, method="magic"))
