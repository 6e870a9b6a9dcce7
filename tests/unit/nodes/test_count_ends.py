"""What is told of a count goes by the rulebook's unit and epsilon, at the end that tells it and at the one that is told."""

from __future__ import annotations

import hashlib
import statistics
from types import SimpleNamespace
from typing import Any

import pytest
from contract.rows import make_collection
from support.rulebooks import offer

from nodes.exchanges.answering import Answering
from nodes.exchanges.asking import Asking
from trisect.errors import VerificationError
from trisect.rules.rulebook import Limits
from trisect.store.collections import Collections
from trisect.store.counts import Counts
from trisect.store.database import Database
from trisect.store.tables import counts

EXACT = 500


def drawn(seed: int) -> Any:
    """Give bytes that are the same each time."""
    state = [0]

    def randomness(size: int) -> bytes:
        state[0] += 1
        return hashlib.shake_256(f"{seed} {state[0]}".encode()).digest(size)

    return randomness


async def told(database: Database, unit: int, epsilon: float, runs: int) -> list[int]:
    """Settle a count of 500 so many times, each as if it were the first of its day."""
    make_collection(database, "list", "statutory-duty")
    found = []
    for run in range(runs):
        with database.write() as connection:
            connection.execute(counts.delete())
        means: Any = SimpleNamespace(
            limits_of=lambda _offer: Limits(count_unit=unit, count_epsilon=epsilon),
            randomness=drawn(run),
            counts=Counts(database),
        )
        snapshot: Any = SimpleNamespace(collection=Collections(database).get("list"))
        confirming: Any = None
        found.append(await Answering(means, confirming)._settle(offer(mode="count"), snapshot, EXACT))
    return found


@pytest.mark.parametrize("unit", [1, 25, 100])
async def test_a_count_is_rounded_to_the_rulebooks_unit(database: Database, unit: int) -> None:
    found = await told(database, unit, 0.05, 40)
    assert all(count % unit == 0 for count in found)
    assert any(count % (2 * unit) for count in found), "and to no coarser one"


async def test_the_noise_is_the_rulebooks(database: Database) -> None:
    """The deviation of discrete Laplace noise of epsilon e is about sqrt(2)/e: some 1.2, 14 and 141 here."""
    spread = [statistics.pstdev(await told(database, 1, epsilon, 60)) for epsilon in (1.0, 0.1, 0.01)]
    assert 0.4 < spread[0] < 4 < spread[1] < 40 < spread[2] < 400


class Silent(Asking):
    """An asker that tells nobody of its end."""

    def _completed(self, done: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("count", "holds"), [(500, True), (0, True), (505, False), (1_130, True), (1_140, False)]
)
async def test_an_asker_takes_no_number_that_its_rulebook_cannot_yield(count: int, *, holds: bool) -> None:
    kept: list[dict[str, Any]] = []

    def update(_exchange_id: str, **fields: Any) -> Any:
        kept.append(fields)
        return SimpleNamespace(id="e", peer="bank", asked=1, counted=count, matched=None, seconds=0.0)

    means: Any = SimpleNamespace(
        limits_of=lambda _offer: Limits(count_unit=10, count_epsilon=0.1),
        book=SimpleNamespace(store=SimpleNamespace(update=update)),
    )
    asking = Silent(means)
    terms: Any = SimpleNamespace(
        offer=SimpleNamespace(asked_padded=1_024), accept=SimpleNamespace(answered_padded=128)
    )
    if holds:
        await asking._tell("e", terms, count, {})
        assert (kept[0]["counted"], kept[0]["rounded_to"]) == (count, 10)
    else:
        with pytest.raises(VerificationError, match="no count with that noise"):
            await asking._tell("e", terms, count, {})
        assert not kept
