"""What commands say to people whose answer scripts are tested elsewhere: a line or more, and nothing raw."""

from __future__ import annotations

import pytest
from support.fake_node import FakeNode

from trisect.wire.v1 import collections_pb2

from .conftest import Command


@pytest.mark.parametrize(
    "words",
    [
        "pepper status",
        "pepper rotate --yes",
        "collection list",
        "collection show scam-numbers",
        "collection share scam-numbers --with bank --purpose scam-prevention --mode match",
        "collection unshare scam-numbers --with bank",
        "collection delete scam-numbers --yes",
        "schedule list",
        "schedule add match --every 24h --collection scam-numbers --peer bank --with list --purpose scam-prevention",
    ],
)
async def test_people_are_told(trisect: Command, node: FakeNode, words: str) -> None:
    node.collections["scam-numbers"] = collections_pb2.Collection(
        name="scam-numbers", created_at="2026-11-01T00:00:00Z"
    )
    ended = await trisect.text(*words.split())
    assert ended.code == 0, ended.err
    assert ended.out.strip()
    assert not {"{", "}"} & set(ended.out)


async def test_people_are_told_what_a_removed_schedule_was(trisect: Command, node: FakeNode) -> None:
    added = "schedule add match --every 24h --collection c --peer bank --with list --purpose scam-prevention"
    await trisect.text(*added.split())
    (schedule,) = node.schedules
    assert schedule in (await trisect.text("schedule", "remove", schedule)).out
