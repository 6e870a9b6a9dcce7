"""Places for exchanges: bounded, fair between peers, and freed whatever ends."""

from __future__ import annotations

import pytest

from nodes.exchanges.slots import Slots
from trisect.errors import ExhaustedError
from trisect.store.exchanges import Side


def test_a_place_is_freed_when_its_block_ends() -> None:
    slots = Slots(1)
    with slots.take(Side.ASKER, "bank"), pytest.raises(ExhaustedError, match="1 exchanges run"):
        slots.take(Side.ASKER, "telco")
    with pytest.raises(RuntimeError), slots.take(Side.ASKER, "bank"):
        raise RuntimeError
    slots.take(Side.ASKER, "bank")


def test_a_place_that_was_handed_on_is_freed_by_its_last_holder() -> None:
    slots = Slots(1)
    with slots.take(Side.ANSWERER, "bank") as slot:
        handed = slot.pop_all()
    with pytest.raises(ExhaustedError):
        slots.take(Side.ASKER, "telco")
    handed.close()
    slots.take(Side.ASKER, "telco")


def test_no_peer_takes_more_than_half_and_one_is_kept_for_own_questions() -> None:
    slots = Slots(4)
    for _ in range(2):
        slots.take(Side.ANSWERER, "bank")
    with pytest.raises(ExhaustedError, match="as many exchanges as it may"):
        slots.take(Side.ANSWERER, "bank")
    slots.take(Side.ANSWERER, "proxy")
    with pytest.raises(ExhaustedError, match="as many exchanges as it may"):
        slots.take(Side.ANSWERER, "telco")
    slots.take(Side.ASKER, "bank")
    with pytest.raises(ExhaustedError, match="4 exchanges run"):
        slots.take(Side.ASKER, "bank")


def test_a_node_with_one_place_answers_too() -> None:
    Slots(1).take(Side.ANSWERER, "bank").close()
    Slots(2).take(Side.ANSWERER, "bank")
