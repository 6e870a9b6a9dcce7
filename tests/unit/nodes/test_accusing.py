"""Breaches that a node opens by itself: with proofs that hold, once, and whatever a hostile peer has sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from support.breach_files import RED_LINE, ruled, unfounded
from support.membership import Consortium, identity

from nodes import accusing
from nodes.accusing import Accusing
from trisect.errors import ConflictError, DeniedError, TrisectError, UnreachableError
from trisect.rules.breaches import Ground
from trisect.rules.offers import Offer


class Proposals:
    """Stands for publishing, and notes what was filed; `tried` is set when it was asked to as often as is expected."""

    def __init__(self, *errors: TrisectError, filed: int = 1) -> None:
        self.errors = list(errors)
        self.left = len(errors) + filed
        self.filed: list[tuple[str, str, dict[str, Any]]] = []
        self.tried = asyncio.Event()

    async def file(self, kind: str, party: str, content: dict[str, Any]) -> None:
        self.left -= 1
        if not self.left:
            self.tried.set()
        if self.errors:
            raise self.errors.pop(0)
        self.filed.append((kind, party, content))


@pytest.fixture
def consortium(monkeypatch: pytest.MonkeyPatch) -> Consortium:
    monkeypatch.setattr(accusing, "AGAIN_S", 0)
    return ruled()


@asynccontextmanager
async def running(consortium: Consortium, proposals: Proposals) -> AsyncIterator[Accusing]:
    members: Any = SimpleNamespace(membership=consortium.membership, name="bank")
    publishing: Any = proposals
    found = Accusing(members, publishing)
    task = asyncio.create_task(found.run())
    yield found
    async with asyncio.timeout(30):
        await proposals.tried.wait()
    assert not task.done(), "nothing that a peer sends ends it"
    task.cancel()


def suspect(found: Accusing, offer: Offer) -> bytes:
    envelope = offer.sign(identity("telco"))
    found.suspect(offer, envelope)
    return envelope


async def test_an_offer_across_a_red_line_is_filed_and_no_other(consortium: Consortium) -> None:
    proposals = Proposals()
    async with running(consortium, proposals) as found:
        for changes in (
            {"basis": "statutory-duty"},
            {"kinds": "thoughts"},
            {"purpose": "revenge"},
            {"created": "soon"},
            {"asker": "nobody"},
            {"rulebook": b"0" * 32},
            {"kinds": "phone,url"[::-1]},
        ):
            suspect(found, unfounded(consortium, **changes))
        envelope = suspect(found, unfounded(consortium))
    ((kind, party, content),) = proposals.filed
    assert (kind, party, content["ground"], content["rule"]) == (
        "breach.v1",
        "telco",
        Ground.RED_LINE,
        RED_LINE,
    )
    assert Offer.peek(envelope).exchange == unfounded(consortium).exchange
    assert "A list without a legal basis is not exchanged." in content["text"]


@pytest.mark.parametrize(
    ("errors", "filed"),
    [
        ([ConflictError("somebody was first", hint="x")], 1),
        ([UnreachableError("no coordinator")] * 2, 1),
        ([ConflictError("it is told", hint="x")] * accusing.TRIES, 0),
        ([DeniedError("suspended", hint="x")], 0),
    ],
)
async def test_it_waits_for_the_coordinator_and_gives_up_at_last(
    consortium: Consortium, errors: list[TrisectError], filed: int
) -> None:
    proposals = Proposals(*errors, filed=filed)
    async with running(consortium, proposals) as found:
        found.contradicted("telco", b"theirs", b"ours")
    assert len(proposals.filed) == filed
    assert not proposals.left


async def test_a_flood_of_offers_keeps_only_the_newest(consortium: Consortium) -> None:
    members: Any = SimpleNamespace(membership=consortium.membership, name="bank")
    publishing: Any = Proposals()
    found = Accusing(members, publishing)
    for _ in range(3 * accusing.MOST_WAITING):
        suspect(found, unfounded(consortium))
    assert len(found._waiting) == accusing.MOST_WAITING
