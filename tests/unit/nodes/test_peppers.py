"""A node's peppers: kept sealed, taken in order, and a roll that nothing runs into."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator

import pytest
from support.consents import USE
from support.membership import drawn

from nodes.intake import Intake, Target
from nodes.peppers import Peppers
from nodes.underway import Underway
from nodes.untreated import Spelling
from trisect.clock import system_clock
from trisect.errors import ConflictError, DeniedError, StaleError, VerificationError
from trisect.indicators.forms import Profile, canonical
from trisect.indicators.kinds import Kind
from trisect.indicators.readers.batch import Batch
from trisect.indicators.tokens import Pepper, Tokeniser
from trisect.store.collections import Collections
from trisect.store.database import Database
from trisect.store.intake import Imports
from trisect.store.rolling import Rolling
from trisect.wire.convert import batch_to_wire
from trisect.wire.v1 import collections_pb2

CHAIN = tuple(Pepper(bytes([number]) * 32) for number in range(1, 4))
KEY = bytes(32)
PHONES = [f"+4420794609{number:02}" for number in range(20)]


def opened(database: Database, key: bytes = KEY) -> Peppers:
    return Peppers(Rolling(database), key, drawn("nonce"))


@pytest.fixture
async def peppers(database: Database) -> Peppers:
    found = opened(database)
    await found.start()
    return found


def tokens(count: int, *, chain: tuple[Pepper, ...]) -> set[bytes]:
    tokeniser, profile = Tokeniser(chain), Profile(region="GB", allow_reserved=True)
    return {tokeniser.token(canonical(Kind.PHONE, phone, profile)) for phone in PHONES[:count]}


def stored(database: Database, *, epoch: int) -> set[bytes]:
    data = Collections(database).snapshot("scams", USE, epoch=epoch).tokens
    return {data[at : at + 32] for at in range(0, len(data), 32)}


def intake(database: Database, peppers: Peppers) -> Intake:
    return Intake(
        Collections(database),
        Imports(database),
        peppers,
        workers=1,
        underway=Underway(),
        clock=system_clock,
        randomness=drawn("id"),
    )


TARGET = Target(
    "scams", Spelling(Kind.PHONE, Profile(region="GB", allow_reserved=True)), "", "", 30, b"f", False, False
)


def batch(first: int, last: int) -> collections_pb2.RawBatch:
    return batch_to_wire(Batch({"value": PHONES[first:last]}, [str(at) for at in range(first, last)], []))


async def imported(database: Database, peppers: Peppers, count: int) -> None:
    async def batches() -> AsyncIterator[collections_pb2.RawBatch]:
        yield batch(0, count)

    desk = intake(database, peppers)
    async for _ in desk.run(TARGET, batches()):
        pass
    await desk.close()


async def test_before_admission_there_is_nothing(peppers: Peppers) -> None:
    assert (peppers.epoch, peppers.chain) == (-1, ())
    for act in (peppers.require_ready, peppers.tokeniser):
        with pytest.raises(DeniedError, match="not been admitted") as caught:
            act()
        assert "party admit" in caught.value.hint


async def test_a_chain_is_kept_sealed_and_opened_again(database: Database, peppers: Peppers) -> None:
    assert await peppers.take(CHAIN[:1])
    assert (peppers.epoch, peppers.rolling) == (0, False)
    again = opened(database)
    await again.start()
    assert again.chain == CHAIN[:1]
    kept = Rolling(database).sealed_peppers()
    assert kept is not None
    assert CHAIN[0] not in kept
    with pytest.raises(VerificationError, match="keystore"):
        await opened(database, b"\x01" * 32).start()


async def test_only_a_longer_chain_that_agrees_is_taken(peppers: Peppers) -> None:
    await peppers.take(CHAIN[:2])
    assert not await peppers.take(CHAIN[:2])
    assert not await peppers.take(CHAIN[:1])
    for other in ((CHAIN[1], CHAIN[0]), (CHAIN[0], CHAIN[2], CHAIN[1]), (CHAIN[2],)):
        with pytest.raises(VerificationError, match="contradicts"):
            await peppers.take(other)
    assert peppers.chain == CHAIN[:2]


async def test_a_roll_brings_every_row_to_the_newest_epoch(database: Database, peppers: Peppers) -> None:
    await peppers.take(CHAIN[:1])
    await imported(database, peppers, 20)
    assert stored(database, epoch=0) == tokens(20, chain=CHAIN[:1])
    assert await peppers.take(CHAIN)
    for act in (peppers.require_ready, peppers.tokeniser):
        with pytest.raises(StaleError, match="epoch 2"):
            act()
    with pytest.raises(ConflictError, match="still being rolled"):
        peppers.next_chain()
    assert await peppers.behind() == 20
    await peppers.finish_roll()
    assert await peppers.behind() == 0
    peppers.require_ready()
    assert stored(database, epoch=2) == tokens(20, chain=CHAIN)


async def test_a_restart_in_the_middle_goes_on_with_the_roll(database: Database, peppers: Peppers) -> None:
    await peppers.take(CHAIN[:1])
    await imported(database, peppers, 20)
    await peppers.take(CHAIN[:2])
    again = opened(database)
    await again.start()
    assert again.rolling
    await again.finish_roll()
    assert stored(database, epoch=1) == tokens(20, chain=CHAIN[:2])
    once_more = opened(database)
    await once_more.start()
    assert not once_more.rolling


async def test_a_pepper_that_comes_during_an_import_leaves_no_token_of_the_wrong_epoch(
    database: Database, peppers: Peppers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The import goes on under the old pepper, and the roll that waits for it carries all rows over."""
    monkeypatch.setattr("nodes.intake.COMMIT_ROWS", 4)
    await peppers.take(CHAIN[:1])
    desk, go_on = intake(database, peppers), asyncio.Event()

    async def batches() -> AsyncIterator[collections_pb2.RawBatch]:
        for first in range(0, 20, 4):
            yield batch(first, first + 4)
            if first == 12:
                await go_on.wait()

    steps = desk.run(TARGET, batches())
    await anext(steps)
    await anext(steps)
    await peppers.take(CHAIN[:2])
    rolling = asyncio.create_task(peppers.finish_roll())
    go_on.set()
    assert [step.progress.accepted async for step in steps][-1] == 20
    await desk.close()
    await asyncio.wait_for(rolling, 30)
    assert stored(database, epoch=1) == tokens(20, chain=CHAIN[:2])


async def test_an_entry_whose_token_is_of_another_epoch_is_not_added(
    database: Database, peppers: Peppers
) -> None:
    await peppers.take(CHAIN[:1])
    desk = intake(database, peppers)
    (old,) = tokens(1, chain=CHAIN[:1])
    row = (old, 1, "", None, None, None, None, None, None, None, None)
    await peppers.take(CHAIN[:2])
    await peppers.finish_roll()
    fields = {"source": "", "legal_basis": "", "retention_days": 1}
    with pytest.raises(StaleError, match="rotated meanwhile"):
        await desk.add_one("scams", row, epoch=0, **fields)  # type: ignore[arg-type]
    await desk.add_one("scams", row, epoch=1, **fields)  # type: ignore[arg-type]
    await desk.close()


async def test_a_next_chain_adds_one_random_pepper(peppers: Peppers) -> None:
    await peppers.take(CHAIN[:1])
    made = peppers.next_chain()
    assert made[:1] == CHAIN[:1]
    assert made[1] == hashlib.shake_256(b"nonce").digest(32)
    assert peppers.chain == CHAIN[:1], "nothing is kept before it has been granted"
