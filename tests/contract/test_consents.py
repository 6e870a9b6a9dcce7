"""Consents in a node's store: what is kept on consent counts while its person consents, and stays away after."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from contract.rows import PHONE, active, dump, entry, make_collection, token, tokens
from support.consents import NOW, USE, consent_id, granted, revoked

from trisect.indicators.kinds import KINDS, Kind
from trisect.indicators.tokens import Token
from trisect.rules.consent_frames import Event, Revoked
from trisect.rules.vocabulary import Purpose
from trisect.store.collections import Collections
from trisect.store.consents import Consents, Use
from trisect.store.database import Database
from trisect.store.intake import Imports
from trisect.store.rolling import Rolling
from trisect.store.tables import consents, suppressions
from trisect.trust.keys import PartyName


def keep(
    database: Database, *numbers: int, name: str = "people", basis: str = "consent", whose: int | None = None
) -> None:
    """Import numbers, each of the person of that number, or all of one."""
    rows = sorted(entry(at, subject=f"subject-{at if whose is None else whose}") for at in numbers)
    progress = Imports(database).begin(make_collection(database, name, basis).id, b"")
    Imports(database).finish(Imports(database).add(progress, rows, [], epoch=0, day=20_784))


def tell(database: Database, *events: Event, proxy: str = "aid", after: int = 0) -> bool:
    """Take in what a proxy tells."""
    upto = events[-1].sequence
    return Consents(database).take(proxy, events, after=after, upto=upto, now=NOW)


def used(database: Database, use: Use = USE, name: str = "people") -> set[bytes]:
    found = Collections(database).snapshot(name, use, epoch=0).tokens
    return {found[at : at + 32] for at in range(0, len(found), 32)}


def test_only_entries_whose_persons_consent_enter_a_snapshot(node: Database) -> None:
    keep(node, 1, 2, 3)
    assert used(node) == set()
    tell(node, granted(1), granted(3))
    assert used(node) == tokens({1, 3})
    assert Collections(node).snapshot("people", USE, epoch=0).kinds == {Kind.PHONE}


@pytest.mark.parametrize("basis", ["consent", "consent: PIPL 13(i)"])
def test_a_clause_after_the_basis_changes_nothing(node: Database, basis: str) -> None:
    keep(node, 1, 2, basis=basis)
    tell(node, granted(1))
    assert used(node) == tokens({1})
    tell(node, revoked(1, 2), after=1)
    assert dump(node, suppressions) != []


def test_what_is_kept_on_another_basis_asks_nobody(node: Database) -> None:
    keep(node, 1, 2, basis="statutory-duty: ATOFL 16")
    tell(node, granted(1), revoked(1, 2))
    assert used(node) == tokens({1, 2})


@pytest.mark.parametrize(
    "use",
    [
        replace(USE, peer="ministry"),
        replace(USE, peer="ban"),
        replace(USE, purpose=Purpose.SUPERVISION),
        replace(USE, moment=dt.datetime(2027, 1, 1, tzinfo=dt.UTC)),
        replace(USE, min_voluntariness=81),
        replace(USE, proxies=frozenset({"other"})),
    ],
    ids=[
        "another party",
        "a part of its name",
        "another purpose",
        "ended",
        "not free enough",
        "by a proxy that was expelled",
    ],
)
def test_a_consent_covers_what_it_says_and_nothing_else(node: Database, use: Use) -> None:
    keep(node, 1)
    tell(node, granted(1, voluntariness=80))
    assert used(node) == tokens({1})
    assert used(node, use) == set()


def test_a_consent_to_other_kinds_is_none(node: Database) -> None:
    keep(node, 1)
    tell(node, granted(1, kinds=(Kind.DOMAIN, Kind.URL)))
    assert str(PHONE) in "".join(str(KINDS[kind].number) for kind in (Kind.DOMAIN, Kind.URL))
    assert used(node) == set()


def test_the_proxy_itself_may_always_process(node: Database) -> None:
    keep(node, 1)
    tell(node, granted(1, parties=(PartyName("telco"),)))
    assert used(node) == set()
    assert used(node, replace(USE, peer="aid")) == tokens({1})


def test_a_revocation_takes_effect_and_tells_the_collections_that_it_changed(node: Database) -> None:
    keep(node, 1, 2)
    keep(node, 1, name="more")
    keep(node, 9, name="others")
    tell(node, granted(1), granted(2))
    before = {name: Collections(node).get(name).version for name in ("people", "more", "others")}
    tell(node, revoked(1, 3), after=2)
    assert used(node) == tokens({2})
    after = {name: Collections(node).get(name).version for name in before}
    assert after == before | {"people": before["people"] + 1, "more": before["more"] + 1}
    (effect,) = Consents(node).effects("aid", after=0)
    assert (effect.sequence, effect.at) == (3, "2026-11-01T00:00:00Z")
    assert dict(effect.versions) == {f"public id of {name}": after[name] for name in ("people", "more")}
    assert Consents(node).effects("aid", after=3) == []
    assert Consents(node).effects("aid", after=0) == []  # acknowledged, so forgotten


def test_nothing_brings_back_what_was_taken_back(node: Database) -> None:
    keep(node, 1)
    tell(node, granted(1), granted(2), revoked(1, 3))
    assert used(node) == set()
    keep(node, 1)
    keep(node, 1, whose=2)  # in the name of somebody who does consent
    assert used(node) == set()
    Collections(node).delete("people")
    keep(node, 1)
    assert used(node) == set()
    tell(node, granted(1, sequence=4), after=3)  # the same consent, told again
    assert used(node) == set()


def test_a_new_consent_of_the_same_person_lifts_it(node: Database) -> None:
    keep(node, 1)
    tell(node, granted(1), revoked(1, 2))
    tell(node, replace(granted(3), subject="subject-1"), after=2)
    assert used(node) == tokens({1})
    assert dump(node, suppressions) == []


def test_a_person_who_has_another_consent_left_keeps_that(node: Database) -> None:
    keep(node, 1)
    other = replace(granted(2), subject="subject-1", purposes=(Purpose.SUPERVISION,))
    tell(node, granted(1), other, revoked(1, 3))
    assert used(node) == set()
    assert used(node, replace(USE, purpose=Purpose.SUPERVISION)) == tokens({1})
    tell(node, revoked(2, 4), after=3)
    assert used(node, replace(USE, purpose=Purpose.SUPERVISION)) == set()


def test_a_revocation_before_its_consent_counts(node: Database) -> None:
    keep(node, 1)
    tell(node, revoked(1, 1))
    tell(node, granted(1, sequence=2), after=1)
    assert used(node) == set()


def test_one_proxy_revokes_nothing_of_another(node: Database) -> None:
    keep(node, 1)
    tell(node, granted(1))
    tell(node, revoked(1, 1), proxy="other")
    assert used(node) == tokens({1})


def test_only_what_goes_on_from_what_is_known_is_taken_in(node: Database) -> None:
    keep(node, 1, 2)
    assert tell(node, granted(1), granted(2))
    assert not tell(node, granted(1), revoked(1, 2))  # an old word again, or another one under its number
    assert not tell(node, revoked(1, 5), after=4)  # 3 and 4 are missing
    assert used(node) == tokens({1, 2})
    assert Consents(node).cursors() == {"aid": 2}
    assert tell(node, granted(2), revoked(2, 3), after=1)  # overlapping
    assert used(node) == tokens({1})


def test_suppressions_are_rolled_with_the_peppers(node: Database) -> None:
    keep(node, 1, 2)
    tell(node, granted(1), granted(2), revoked(1, 3))

    def climb(found: Token, _epoch: int) -> Token:
        return Token(bytes(reversed(found)))

    Rolling(node).roll(1, climb)
    assert {row[0] for row in dump(node, suppressions)} == {climb(token(1), 0)}
    assert active_on_consent(node) == {climb(token(2), 0)}


def active_on_consent(node: Database) -> set[bytes]:
    return active(node, "people", epoch=1)


def test_a_snapshot_is_checked_again_before_the_end(node: Database) -> None:
    keep(node, 1, 2)
    tell(node, granted(1), granted(2))
    store = Collections(node)
    taken = store.snapshot("people", USE, epoch=0)
    assert store.still_usable(taken, USE, lambda found: found)
    tell(node, revoked(2, 3), after=2)
    assert not store.still_usable(taken, USE, lambda found: found)
    keep(node, 1, name="duty", basis="statutory-duty")
    assert store.still_usable(store.snapshot("duty", USE, epoch=0), USE, lambda found: found)


def test_nothing_of_the_person_is_kept_with_a_consent_that_was_taken_back(node: Database) -> None:
    tell(node, granted(1), revoked(1, 2))
    (row,) = dump(node, consents)
    assert row[0] == consent_id(1)
    assert "subject-1" not in str(row)


AFTER = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
"""When the consents of these tests have ended."""


def test_consents_are_deleted_when_they_have_ended(node: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trisect.store.consents.BATCH", 2)
    keep(node, *range(1, 6))
    tell(
        node, *(granted(at) for at in range(1, 5)), granted(5, expires="2028-01-01T00:00:00Z"), revoked(4, 6)
    )
    store, version = Consents(node), Collections(node).get("people").version
    assert store.expire(AFTER - dt.timedelta(seconds=1)) == 0
    assert store.expire(AFTER) == 3
    assert store.expire(AFTER) == 0
    left = {(row[0], row[-1]) for row in dump(node, consents)}
    assert left == {(consent_id(4), True), (consent_id(5), False)}, "who has taken one back is remembered"
    assert Collections(node).get("people").version > version, "whoever has matched it is told"
    assert used(node, replace(USE, moment=AFTER)) == tokens({5})


def test_whose_consent_has_ended_is_used_again_with_a_new_one(node: Database) -> None:
    keep(node, 1)
    tell(node, granted(1))
    Consents(node).expire(AFTER)
    again = replace(granted(1, 2), id=b"n" * 16, expires="2028-01-01T00:00:00Z")
    tell(node, again, after=1)
    assert used(node, replace(USE, moment=AFTER)) == tokens({1})


def test_a_consent_that_has_ended_saves_nobody_from_being_suppressed(node: Database) -> None:
    """Of two consents one has ended and is not deleted yet, and the other is taken back."""
    keep(node, 1)
    second = replace(granted(1), id=b"n" * 16, sequence=2, expires="2028-01-01T00:00:00Z")
    Consents(node).take("aid", [granted(1), second], after=0, upto=2, now=NOW)
    Consents(node).take("aid", [Revoked(3, second.id)], after=2, upto=3, now=AFTER)
    assert len(dump(node, suppressions)) == 1


def test_a_withdrawal_takes_effect_before_its_turn_and_once(node: Database) -> None:
    keep(node, 1, 2)
    tell(node, granted(1), granted(2))
    store = Consents(node)

    def ahead(*withdrawn: Revoked, after: int = 2, upto: int = 2) -> bool:
        return store.take("aid", (), withdrawn, after=after, upto=upto, now=NOW)

    assert not ahead(revoked(1, 500)), "nothing that had its turn"
    assert used(node) == tokens({2})
    (effect,) = store.effects("aid", after=0)
    assert (effect.sequence, len(effect.versions)) == (500, 1)
    before = dump(node, suppressions)
    assert not ahead(revoked(1, 500))
    assert ahead(revoked(1, 500), upto=499), "what was granted before comes by and by"
    assert tell(node, revoked(1, 500), after=499)
    assert store.effects("aid", after=0) == [effect], "it has had its effect"
    assert dump(node, suppressions) == before
    assert not ahead(revoked(2, 500), after=500, upto=500), "an old frame changes nothing"
    assert used(node) == tokens({2})


def test_a_withdrawal_of_what_was_never_told_counts_when_it_is(node: Database) -> None:
    keep(node, 1)
    Consents(node).take("aid", (), [revoked(1, 9)], after=0, upto=0, now=NOW)
    tell(node, granted(1))
    assert used(node) == set()


def test_a_number_that_a_proxy_uses_again_takes_the_other_consent_back(node: Database) -> None:
    """A proxy that came back from a backup gives the number of a withdrawal that went ahead to another."""
    keep(node, 1, 2)
    tell(node, granted(1), granted(2))
    store = Consents(node)
    store.take("aid", (), [revoked(1, 40)], after=2, upto=2, now=NOW)
    assert used(node) == tokens({2})
    assert store.take("aid", [revoked(2, 40)], after=2, upto=40, now=NOW)
    assert used(node) == set()
    (effect,) = store.effects("aid", after=0)
    assert (effect.sequence, len(effect.versions)) == (40, 1)
