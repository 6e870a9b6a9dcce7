"""An export proves the whole record from the founder's fingerprint alone, and nothing once anything in it is changed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from support.membership import CONSORTIUM, GOVERNMENT, Consortium, signed
from support.small_record import FOUNDER, LOG, SmallRecord, small_record

from trisect.errors import TrisectError, VerificationError
from trisect.record import entries, export
from trisect.trust.keys import Fingerprint

STRANGER = Fingerprint("-".join(["aaaa"] * 8))


def test_an_export_says_what_holds() -> None:
    checked = export.check(small_record().lines(), FOUNDER)
    assert (checked.size, checked.log) == (5, LOG)
    assert checked.kinds == {"admission.v1": 3, "coordinator-key.v1": 1, "pepper-grant.v1": 1}
    assert list(checked.membership.parties) == [GOVERNMENT, "telco", "proxy"]
    assert set(checked.cosigned.times) == {GOVERNMENT, "proxy"}
    assert checked.cosigned.counts


def test_without_a_fingerprint_it_names_the_founder_that_it_goes_by() -> None:
    assert export.check(small_record().lines(), None).membership.founder == FOUNDER
    with pytest.raises(VerificationError, match="founding government's key"):
        export.check(small_record().lines(), STRANGER)


def test_a_head_that_too_few_have_cosigned_does_not_count() -> None:
    for cosigners in ((), ("proxy",), (GOVERNMENT, "telco")):
        found = replace(small_record(), cosigners=cosigners)
        assert not export.check(found.lines(), FOUNDER).cosigned.counts


def test_every_entry_that_is_missing_moved_or_doubled_is_noticed() -> None:
    lines = small_record().lines()
    for at in range(1, len(lines)):
        without = [*lines[:at], *lines[at + 1 :]]
        doubled = [*lines[:at], lines[at], *lines[at:]]
        moved = [*without, lines[at]] if at < len(lines) - 1 else without
        for changed in (without, doubled, moved):
            with pytest.raises(TrisectError):
                export.check(changed, FOUNDER)


def test_every_changed_character_is_noticed() -> None:
    """Also in a statement whose signature is good: the tree is another then."""
    text = "".join(small_record().lines())
    for at in range(0, len(text), 11):
        changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        try:
            checked = export.check(changed.splitlines(keepends=True), FOUNDER)
        except (TrisectError, UnicodeDecodeError):
            continue
        # What can change and still hold is a cosignature's name: then it is a stranger's, and vouches for nothing.
        assert len(checked.cosigned.times) < 2, f"a changed character at {at} went unnoticed"


def test_a_record_whose_key_no_government_has_stated() -> None:
    found = small_record().found
    with pytest.raises(VerificationError, match="no government has stated the key"):
        export.check(SmallRecord(found[:1]).lines(), FOUNDER)


def test_a_head_by_another_key_than_the_stated_one() -> None:
    consortium = Consortium.founded()
    stated = [
        signed(Consortium().founding(), GOVERNMENT),
        signed(consortium.coordinator_key("thief"), GOVERNMENT),
    ]
    with pytest.raises(VerificationError, match="not signed by"):
        export.check(SmallRecord(tuple(stated), ()).lines(), FOUNDER)


def test_a_statement_that_may_not_be_made_spoils_the_record() -> None:
    """However well it is entered and cosigned."""
    found = small_record().found
    consortium = Consortium.founded()
    forged = entries.of_document(signed(consortium.admission("mole"), "telco"))
    with pytest.raises(VerificationError):
        export.check(SmallRecord((*found, forged)).lines(), FOUNDER)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [""],
        ["{}\n"],
        ["[]\n"],
        ["null\n"],
        ["[" * 100_000],
        [json.dumps({"trisect_record": 2, "consortium": CONSORTIUM, "note": str(small_record().note)})],
        [json.dumps({"trisect_record": 1, "consortium": CONSORTIUM, "note": 7})],
    ],
)
def test_what_is_no_export(lines: list[str]) -> None:
    with pytest.raises(VerificationError):
        export.check(lines, FOUNDER)


def test_a_head_of_another_consortium() -> None:
    lines = small_record().lines()
    lines[0] = lines[0].replace(f'"consortium": "{CONSORTIUM}"', '"consortium": "other"')
    with pytest.raises(VerificationError, match="another record"):
        export.check(lines, FOUNDER)
