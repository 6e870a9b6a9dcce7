"""Who may file what, in which order, and with whose approval: a table of attempts, most of them refused."""

from __future__ import annotations

from typing import Any

import pytest
from support.membership import GOVERNMENT, Consortium, identity, keys

from trisect.errors import ConflictError, DeniedError, NotFoundError, TrisectError, VerificationError
from trisect.trust.filings import (
    FILINGS,
    BudgetGrantFiling,
    Filing,
    NoticeFiling,
    OfficerFiling,
    RulebookFiling,
    VettingFiling,
)
from trisect.trust.officers import NODE, content, officer_name
from trisect.trust.statements import Role, Standing, Vetting

VETTING = Vetting("supervision", "file 7", "2027-01-01T00:00:00Z").to_body()


@pytest.fixture
def consortium() -> Consortium:
    return Consortium.founded(
        ("telco", Role.PROVIDER), ("bank", Role.PROVIDER), ("office", Role.GOVERNMENT), ("people", Role.PROXY)
    )


def rulebook(found: Consortium, *, by: str = GOVERNMENT, approvals: Any = 1, **changes: Any) -> Filing:
    return found.filing(RulebookFiling, by, {"approvals": approvals}, **changes)


def officer(found: Consortium, name: str, *, key: bool = True, **changes: Any) -> Filing:
    public = identity(f"officer {name}").public if key else None
    return found.filing(OfficerFiling, GOVERNMENT, content(name, public), **changes)


def with_officers(found: Consortium, *names: str, approvals: int = 2) -> Consortium:
    """Name officers, and publish a rulebook by which so many approve."""
    for number, name in enumerate(names):
        approving = [f"officer {names[0]}"] if number else [GOVERNMENT]
        found.take(officer(found, name), GOVERNMENT, *approving)
    found.take(rulebook(found, approvals=approvals), GOVERNMENT, f"officer {names[0]}")
    return found


def refused(found: Consortium, statement: Any, *signers: str) -> TrisectError:
    before = found.state()
    with pytest.raises(TrisectError) as caught:
        found.take(statement, *signers)
    assert found.state() == before
    return caught.value


def test_what_is_filed_is_kept_in_order(consortium: Consortium) -> None:
    for title in ("first", "second"):
        consortium.take(consortium.filing(NoticeFiling, "telco", {"toml": title}))
    consortium.take(consortium.filing(NoticeFiling, "bank", {"toml": "other"}))
    membership = consortium.membership
    assert [one.filing.content["toml"] for one in membership.filed(NoticeFiling, "telco")] == [
        "first",
        "second",
    ]
    assert len(membership.filed(NoticeFiling)) == 3
    assert membership.filed(NoticeFiling, "people") == ()
    assert len({one.hash for one in membership.filed(NoticeFiling)}) == 3


@pytest.mark.parametrize("serial", [1, 3, 0])
def test_an_old_or_early_number_is_refused(consortium: Consortium, serial: int) -> None:
    consortium.take(consortium.filing(NoticeFiling, "telco", {}))
    statement = consortium.filing(NoticeFiling, "telco", {}, serial=serial)
    assert isinstance(refused(consortium, statement), ConflictError | VerificationError)


def test_rulebooks_are_one_series_whoever_files_them(consortium: Consortium) -> None:
    consortium.take(rulebook(consortium))
    assert isinstance(refused(consortium, rulebook(consortium, by="office", serial=1)), ConflictError)
    consortium.take(rulebook(consortium, by="office"))
    assert [one.filing.issuer for one in consortium.membership.filed(RulebookFiling)] == [
        GOVERNMENT,
        "office",
    ]


@pytest.mark.parametrize(
    ("kind", "party", "issuer", "told"),
    [
        (NoticeFiling, "telco", "bank", "in the name of telco"),
        (NoticeFiling, "telco", GOVERNMENT, "in the name of telco"),
        (RulebookFiling, "telco", "telco", "no government"),
        (OfficerFiling, "people", "people", "no government"),
        (VettingFiling, "bank", "telco", "no government"),
    ],
)
def test_who_may_not_file_is_refused(
    consortium: Consortium, kind: type[Filing], party: str, issuer: str, told: str
) -> None:
    error = refused(consortium, consortium.filing(kind, party, {"approvals": 1}, issuer=issuer))
    assert told in error.message


@pytest.mark.parametrize("kind", FILINGS.values(), ids=FILINGS)
def test_another_ones_signature_is_refused(consortium: Consortium, kind: type[Filing]) -> None:
    statement = consortium.filing(kind, GOVERNMENT, {"approvals": 1, **VETTING})
    assert isinstance(refused(consortium, statement, "bank"), VerificationError)


def test_nobody_files_about_a_stranger(consortium: Consortium) -> None:
    statement = consortium.filing(VettingFiling, "stranger", VETTING, issuer=GOVERNMENT)
    assert isinstance(refused(consortium, statement), NotFoundError)


def test_the_suspended_file_about_themselves_and_the_expelled_do_not(consortium: Consortium) -> None:
    consortium.take(consortium.standing("telco", Standing.SUSPENDED))
    consortium.take(consortium.filing(NoticeFiling, "telco", {}))
    consortium.take(consortium.standing("office", Standing.SUSPENDED))
    assert "suspended" in refused(consortium, rulebook(consortium, by="office")).message
    consortium.take(consortium.standing("telco", Standing.EXPELLED))
    assert "expelled" in refused(consortium, consortium.filing(NoticeFiling, "telco", {})).message


def test_a_vetting_replaces_the_one_of_the_admission(consortium: Consortium) -> None:
    first = Vetting("office", "file 1", "2026-12-01T00:00:00Z")
    consortium.take(consortium.admission("shop", vetting=first))
    assert consortium.membership.party("shop").vetting == first
    consortium.take(consortium.filing(VettingFiling, "shop", VETTING, issuer=GOVERNMENT))
    assert consortium.membership.party("shop").vetting == Vetting.from_body(VETTING)


@pytest.mark.parametrize(
    "found", [{}, {**VETTING, "expires": "soon"}, {**VETTING, "more": "x"}, {**VETTING, "evidence": " "}]
)
def test_a_vetting_that_says_too_little_is_refused(consortium: Consortium, found: dict[str, Any]) -> None:
    error = refused(consortium, consortium.filing(VettingFiling, "telco", found, issuer=GOVERNMENT))
    assert isinstance(error, VerificationError)


def test_until_officers_are_named_the_node_stands_for_the_one(consortium: Consortium) -> None:
    officers = consortium.membership.officers(GOVERNMENT)
    assert officers.keys == {NODE: keys(GOVERNMENT).identity}
    consortium.take(rulebook(consortium))
    assert consortium.membership.approvals == 1


def test_once_named_the_node_alone_approves_nothing(consortium: Consortium) -> None:
    consortium.take(officer(consortium, "ann"))
    for statement in (rulebook(consortium), officer(consortium, "bea"), consortium.admission("shop")):
        error = refused(consortium, statement, GOVERNMENT)
        assert (type(error), error.rule) == (DeniedError, "approvals")
        assert refused(consortium, statement, "officer ann"), "nor an officer without the node"
        consortium.take(statement, GOVERNMENT, "officer ann")


def test_as_many_approve_as_the_rulebook_says(consortium: Consortium) -> None:
    with_officers(consortium, "ann", "bea", "cat")
    for statement in (
        rulebook(consortium),
        consortium.admission("shop"),
        consortium.standing("telco", Standing.EXPELLED),
        consortium.filing(BudgetGrantFiling, "telco", {}, issuer=GOVERNMENT),
        officer(consortium, "dan"),
        officer(consortium, "cat", key=False),
    ):
        for signers in (["ann"], ["ann", "ann"], ["ann", "stranger"], []):
            assert (
                refused(consortium, statement, GOVERNMENT, *(f"officer {name}" for name in signers)).rule
                == "approvals"
            )
    consortium.take(consortium.admission("shop"), GOVERNMENT, "officer ann", "officer cat")


@pytest.mark.parametrize("standing", [Standing.SUSPENDED, Standing.ACTIVE])
def test_an_emergency_waits_for_nobody(consortium: Consortium, standing: Standing) -> None:
    with_officers(consortium, "ann", "bea")
    consortium.take(consortium.standing("telco", standing))


def test_another_governments_officers_do_not_count(consortium: Consortium) -> None:
    with_officers(consortium, "ann", "bea")
    foreign = rulebook(consortium, by="office")
    assert refused(consortium, foreign, "office", "officer ann", "officer bea").rule == "approvals"


def test_a_rulebook_cannot_ask_for_more_officers_than_there_are(consortium: Consortium) -> None:
    assert isinstance(refused(consortium, rulebook(consortium, approvals=2)), ConflictError)
    consortium.take(officer(consortium, "ann"))
    error = refused(consortium, rulebook(consortium, approvals=2), GOVERNMENT, "officer ann")
    assert "officer add" in error.hint


@pytest.mark.parametrize("approvals", [0, -1, "2", None, True])
def test_a_rulebook_says_soundly_how_many_approve(consortium: Consortium, approvals: Any) -> None:
    assert isinstance(refused(consortium, rulebook(consortium, approvals=approvals)), VerificationError)


def test_officers_are_not_dismissed_below_what_approves(consortium: Consortium) -> None:
    with_officers(consortium, "ann", "bea")
    error = refused(
        consortium, officer(consortium, "bea", key=False), GOVERNMENT, "officer ann", "officer bea"
    )
    assert isinstance(error, ConflictError)


def test_a_dismissed_key_never_counts_again(consortium: Consortium) -> None:
    with_officers(consortium, "ann", "bea", "cat")
    both = ("officer ann", "officer bea")
    consortium.take(officer(consortium, "cat", key=False), GOVERNMENT, *both)
    statement = consortium.admission("shop")
    assert refused(consortium, statement, GOVERNMENT, "officer ann", "officer cat").rule == "approvals"
    again = content("carol", identity("officer cat").public)
    assert isinstance(
        refused(consortium, consortium.filing(OfficerFiling, GOVERNMENT, again), GOVERNMENT, *both),
        VerificationError,
    )


@pytest.mark.parametrize(
    "found",
    [
        {"officer": "ann"},
        {"officer": "ann", "key": 7},
        {"officer": "Ann", "key": None},
        {"officer": NODE, "key": None},
        {"officer": "ann", "key": "AAAA"},
        {"officer": "ann", "key": "!"},
        {"officer": "nobody", "key": None},
        content("ann", identity("officer ann").public) | {"more": 1},
    ],
)
def test_a_malformed_filing_about_an_officer_is_refused(
    consortium: Consortium, found: dict[str, Any]
) -> None:
    assert isinstance(
        refused(consortium, consortium.filing(OfficerFiling, GOVERNMENT, found)), VerificationError
    )


def test_names_of_officers() -> None:
    assert officer_name("chief-of-fraud") == "chief-of-fraud"


def test_a_copy_is_not_changed_by_what_the_original_takes(consortium: Consortium) -> None:
    copy = consortium.membership.copy()
    consortium.take(officer(consortium, "ann"))
    consortium.take(consortium.filing(NoticeFiling, "telco", {}))
    assert copy.filed(NoticeFiling) == ()
    assert not copy.officers(GOVERNMENT).named
