"""Counts that were told: one answer for each asker, collection, purpose and day, and none after a withdrawal."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from contract.conftest import Backend
from contract.rows import entry, make_collection
from support.consents import NOW, granted, revoked

from trisect.errors import ConflictError, DeniedError
from trisect.store.collections import Collections
from trisect.store.consents import Consents
from trisect.store.counts import RULE, Counting, Counts
from trisect.store.database import Database
from trisect.store.intake import Imports

OURS = "their lists"


def counting(database: Database, name: str = "list", basis: str = "statutory-duty") -> Counting:
    """Name what is counted over a collection, made if need be."""
    return Counting(
        "telco", make_collection(database, name, basis).public_id, "scam-prevention", "2026-11-27"
    )


def settle(database: Database, asked: Counting, count: int, whose: str = OURS) -> int:
    return Counts(database).settle(asked, whose, count, None)


def test_the_first_answer_is_told_again(node: Database) -> None:
    asked = counting(node)
    assert Counts(node).told(asked, OURS) is None
    assert settle(node, asked, 70) == 70
    assert Counts(node).told(asked, OURS) == 70
    assert settle(node, asked, 90) == 70, "of two that ran at the same time the first that ended counts"


@pytest.mark.parametrize(
    "other", [{"asker": "bank"}, {"collection": "c9"}, {"purpose": "rights"}, {"day": "2026-11-28"}]
)
def test_every_asker_collection_purpose_and_day_has_its_own(node: Database, other: dict[str, str]) -> None:
    asked = counting(node)
    settle(node, asked, 70)
    assert Counts(node).told(replace(asked, **other), OURS) is None
    assert settle(node, replace(asked, **other), 50) == 50
    assert Counts(node).told(asked, OURS) == 70


def test_a_second_list_of_the_asker_is_not_counted_on_that_day(node: Database) -> None:
    asked = counting(node)
    settle(node, asked, 70)
    for again in (lambda: Counts(node).told(asked, "another"), lambda: settle(node, asked, 10, "another")):
        with pytest.raises(DeniedError) as caught:
            again()
        assert caught.value.rule == RULE


def test_answers_of_yesterday_stay_for_offers_of_midnight_and_no_longer(node: Database) -> None:
    asked = counting(node)
    settle(node, asked, 70)
    settle(node, replace(asked, day="2026-11-28"), 80)
    assert Counts(node).told(asked, OURS) == 70
    settle(node, replace(asked, day="2026-11-29"), 90)
    assert Counts(node).told(asked, OURS) is None


def test_of_many_at_once_all_are_told_the_same(
    backend: Backend, open_database: Callable[[str], Database]
) -> None:
    url = backend.migrated("node")
    ends = [open_database(url) for _ in range(2)]
    asked = counting(ends[0])
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda at: settle(ends[at % 2], asked, at), range(16)))
    assert len(set(told)) == 1


def keep(database: Database, name: str, person: int) -> None:
    progress = Imports(database).begin(make_collection(database, name, "consent").id, b"")
    Imports(database).finish(
        Imports(database).add(progress, [entry(person, subject=f"subject-{person}")], [], epoch=0, day=20_784)
    )


def test_nothing_is_told_again_once_somebody_in_it_has_taken_a_consent_back(node: Database) -> None:
    keep(node, "people", 1)
    keep(node, "others", 2)
    Consents(node).take("aid", [granted(1), granted(2)], after=0, upto=2, now=NOW)
    people, others = counting(node, "people", "consent"), counting(node, "others", "consent")
    settle(node, people, 70)
    settle(node, others, 30)
    Consents(node).take("aid", [revoked(1, 3)], after=2, upto=3, now=NOW)
    with pytest.raises(DeniedError, match="consent back"):
        Counts(node).told(people, OURS)
    with pytest.raises(DeniedError, match="consent back"):
        settle(node, people, 60)
    assert Counts(node).told(others, OURS) == 30


def test_nothing_is_kept_where_the_collection_has_changed_while_it_was_counted(node: Database) -> None:
    keep(node, "people", 1)
    before = Collections(node).get("people").version
    asked = counting(node, "people", "consent")
    assert Counts(node).settle(asked, OURS, 70, before) == 70
    asked = replace(asked, day="2026-11-28")
    keep(node, "people", 2)
    with pytest.raises(ConflictError):
        Counts(node).settle(asked, OURS, 70, before)
    assert Counts(node).told(asked, OURS) is None
