"""What an import says about its source's spelling reaches the canonical forms (ADR 0003)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from support.membership import drawn

from nodes.config import Import
from nodes.intake import Intake
from nodes.peppers import Peppers
from nodes.services.collections import CollectionsService
from nodes.underway import Underway
from trisect.clock import system_clock
from trisect.indicators.readers.batch import Batch
from trisect.indicators.tokens import Pepper
from trisect.store.collections import Collections
from trisect.store.database import Database
from trisect.store.intake import Imports
from trisect.store.rolling import Rolling
from trisect.wire.convert import batch_to_wire
from trisect.wire.v1 import collections_pb2 as pb


async def rejected(database: Database, begin: pb.ImportBegin, value: str) -> list[str]:
    """Import one value and give the reasons for which it was rejected."""

    async def batches() -> AsyncIterator[pb.RawBatch]:
        yield batch_to_wire(Batch({"value": [value]}, ["1"], []))

    peppers = Peppers(Rolling(database), bytes(32), drawn("nonce"))
    await peppers.start()
    await peppers.take((Pepper(bytes(32)),))
    collections = Collections(database)
    desk = Intake(
        collections,
        Imports(database),
        peppers,
        workers=1,
        underway=Underway(),
        clock=system_clock,
        randomness=drawn("id"),
    )
    service = CollectionsService(
        collections, desk, peppers, Import, lambda: None, lambda *_: b"", lambda _: 1, allow_reserved=True
    )
    found = [row.reason async for step in service.import_steps(begin, batches()) for row in step.rejects]
    await desk.close()
    return found


@pytest.mark.parametrize(
    ("kind", "region", "value", "option", "reason"),
    [
        ("phone", "US", "+6620162300", "trust_plus", "ambiguous"),
        ("phone", "", "442079460123", "plus_optional", "needs_region"),
        ("national_id", "CN", "110105491231002", "upgrade_legacy", "legacy_form"),
    ],
)
async def test_an_option_takes_what_is_refused_without_it(
    database: Database, kind: str, region: str, value: str, option: str, reason: str
) -> None:
    begin = pb.ImportBegin(collection="list", kind=kind, region=region)
    assert await rejected(database, begin, value) == [reason]
    setattr(begin, option, True)
    assert await rejected(database, begin, value) == []
