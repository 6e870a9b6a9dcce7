"""A rulebook reads strictly, is in force from one moment to another, and none comes back."""

from __future__ import annotations

import datetime as dt

import pytest
from support.rulebooks import NOW, rulebook, texts

from trisect.errors import BadInputError, StaleError, VerificationError
from trisect.rules.drafting import TEMPLATES, draft
from trisect.rules.rulebook import LONGEST, MAX_TOML_BYTES, Rulebook, Rulebooks
from trisect.rules.vocabulary import EngineName, Purpose
from trisect.trust.statements import Role

DAY = dt.timedelta(days=1)
TOML, CEDAR = texts()


def test_a_rulebook_says_what_its_texts_say() -> None:
    found = rulebook()
    assert found.provisions.version == 1
    assert found.provisions.valid_from == NOW
    assert found.provisions.limits.engines == (EngineName.ECDH, EngineName.OT, EngineName.OPRF)
    assert found.provisions.budget(Purpose.SCAM_PREVENTION) == 200_000
    assert found.provisions.budget(Purpose.SUPERVISION) == 0
    assert Rulebook.of_texts(found.content["toml"], found.content["policies"]).hash == found.hash


def test_every_change_of_a_text_changes_the_hash() -> None:
    others = {rulebook(version=2).hash, Rulebook.parse(TOML, CEDAR + " ").hash, rulebook("demo").hash}
    assert len(others | {rulebook().hash}) == 4


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("version = 1", "version = 0", "version must be from 1"),
        ("version = 1", 'version = "1"', "version must be a whole number"),
        ("version = 1", "", "version is missing"),
        ("version = 1", "version = 1\nvershun = 1", "unknown rulebook key vershun"),
        ("version = 1", "version = ", "is not TOML"),
        ('title = "Telcos and banks against scams"', 'title = " "', "title is empty"),
        ("valid_from = 2026-11-27T12:00:00Z", "valid_from = 2026-11-27T12:00:00", "needs its zone"),
        ("valid_from = 2026-11-27T12:00:00Z", "valid_from = 2026-11-27T12:00:00.5Z", "whole seconds"),
        ("valid_from = 2026-11-27T12:00:00Z", "valid_from = 2026-11-27", "must be a time with its zone"),
        ("valid_until = 2027-11-27", "valid_until = 2026-11-26", "must be after"),
        ("valid_until = 2027-11-27", "valid_until = 2029-12-01", "1098 days at most"),
        ("approvals = 2", "approvals = 0", "approvals must be from 1"),
        ("approvals = 2", "approvals = 2\ngrace_until = 2026-11-26T00:00:00Z", "grace_until must lie"),
        ("min_set = 100", "min_set = 5_000_001", "min_set must be from 1 to 5000000"),
        ("max_walk = 0.01", "max_walk = 1.5", "max_walk must be from 0 to 1"),
        ("max_walk = 0.01", "max_walk = nan", "max_walk must be from 0 to 1"),
        ('["ecdh", "ot", "oprf"]', '["ecdh", "psi"]', "must be one of ecdh, oprf, ot"),
        ('["ecdh", "ot", "oprf"]', "[]", "names no engine"),
        ('purpose = "payment-check"', 'purpose = "scam-prevention"', "budgets names scam-prevention twice"),
        ('purpose = "payment-check"', 'purpose = "profit"', "must be one of scam-prevention"),
        ("elements_per_day = 50_000", "elements_per_day = 0", "budgets of payment-check must be"),
        ('kind = "shortcode"', 'kind = "phone"', "accepted_walks names phone twice"),
        ("share = 0.10", "share = 2", "accepted_walks of phone must be from 0 to 1"),
        ('sentence = "Short codes', 'sentence = ""  # ', "no sentence that accepts it"),
        ("[limits]", '[witnesses]\nproxy = ["a", "b"]\n[limits]', "an odd number"),
        ("[limits]", '[witnesses]\nproxy = ["a", "a", "b"]\n[limits]', "names a twice"),
        ("[limits]", "[deadlines]\nappeal_days = 0\n[limits]", "appeal_days must be from 1"),
        ("[limits]", "[[limits]]", "limits must be a section"),
        ("version = 1", f"version = 1\n# {'x' * MAX_TOML_BYTES}", "more than"),
    ],
)
def test_what_is_not_sound_is_refused_by_name(old: str, new: str, told: str) -> None:
    assert old in TOML
    with pytest.raises(BadInputError, match=told):
        Rulebook.parse(TOML.replace(old, new, 1), CEDAR)


@pytest.mark.parametrize("found", [(None, CEDAR), (TOML, 1), ("", ""), (TOML, "permit")])
def test_a_document_that_is_no_rulebook_does_not_verify(found: tuple[object, object]) -> None:
    with pytest.raises(VerificationError):
        Rulebook.of_texts(*found)


def test_the_newest_that_has_begun_is_in_force() -> None:
    first = rulebook(life=60 * DAY)
    second = rulebook(version=2, begins=NOW + 30 * DAY, life=60 * DAY)
    both = Rulebooks([first, second])
    assert both.newest is second
    for days, wanted in ((0, first), (29, first), (30, second), (89, second)):
        assert both.at(NOW + days * DAY) is wanted


def test_an_older_one_does_not_come_back_when_the_newest_has_ended() -> None:
    long, short = rulebook(life=LONGEST), rulebook(version=2, begins=NOW + DAY, life=DAY)
    with pytest.raises(StaleError, match="rulebook 2 expired"):
        Rulebooks([long, short]).at(NOW + 2 * DAY)


def test_without_one_nothing_is_in_force() -> None:
    with pytest.raises(StaleError, match="none has been published"):
        Rulebooks([]).at(NOW)
    with pytest.raises(StaleError, match="in force yet"):
        Rulebooks([rulebook(begins=NOW + DAY)]).at(NOW)


def test_the_former_one_may_be_named_during_the_grace_of_its_successor() -> None:
    first = rulebook(life=40 * DAY)
    toml, cedar = texts(version=2, begins=NOW + 30 * DAY)
    grace = "grace_until = 2027-01-01T00:00:00Z\n"
    second = Rulebook.parse(toml.replace("approvals", f"{grace}approvals"), cedar)
    both = Rulebooks([first, second])
    after = NOW + 31 * DAY
    assert both.named(second.hash, after) is second
    assert both.named(first.hash, after) is first
    for moment in (dt.datetime(2027, 1, 1, tzinfo=dt.UTC), NOW + 41 * DAY):
        with pytest.raises(StaleError, match="another rulebook than number 2"):
            both.named(first.hash, moment)
    with pytest.raises(StaleError, match="another rulebook than number 1"):
        both.named(second.hash, NOW)
    with pytest.raises(StaleError, match="another rulebook"):
        both.named(bytes(32), after)


def test_grace_does_not_reach_two_versions_back() -> None:
    toml, cedar = texts(version=3, begins=NOW + 2 * DAY)
    third = Rulebook.parse(toml.replace("approvals", "grace_until = 2026-12-20T00:00:00Z\napprovals"), cedar)
    three = Rulebooks([rulebook(), rulebook(version=2, begins=NOW + DAY), third])
    with pytest.raises(StaleError):
        three.named(rulebook().hash, NOW + 3 * DAY)


@pytest.mark.parametrize("template", TEMPLATES)
def test_templates_are_sound(template: str) -> None:
    assert rulebook(template).policies.rules


def test_an_unknown_template_is_refused() -> None:
    with pytest.raises(BadInputError, match="no such template"):
        draft("freedom", version=1, begins=NOW, ends=NOW + DAY, approvals=1)


def test_witnesses_are_named_by_role() -> None:
    toml = TOML.replace("[limits]", '[witnesses]\nproxy = ["a", "b", "c"]\n[limits]')
    found = Rulebook.parse(toml, CEDAR).provisions.witnesses
    assert found.of(Role.PROXY) == ("a", "b", "c")
    assert found.of(Role.PROVIDER) == ()
