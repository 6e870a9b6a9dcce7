"""Bands, items, points, messages and the planner: what a set looks like before an engine sees it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.psi.conftest import drawn, token

from trisect.errors import BadInputError, VerificationError
from trisect.psi import messages, planner
from trisect.psi.bands import LARGEST_SET, SMALLEST_BAND, band, is_band
from trisect.psi.items import (
    PROBES,
    Arrangement,
    client_items,
    client_size,
    probed_blocks,
    server_items,
    server_size,
)
from trisect.psi.messages import Message, Tag
from trisect.psi.points import (
    BLOCK_POINTS,
    POINT_BYTES,
    ascending,
    block_size,
    blocks,
    check_ascending,
    check_distinct,
    parse,
)
from trisect.rules.vocabulary import Mode
from trisect.trust.channel import FRAME_BYTES

SECRET = b"s" * 32
PROFILE = settings(deadline=None, max_examples=60)
SIZES = [*range(4_200), *range(99_990, 100_010), 102_400, 102_401, 999_999, LARGEST_SET - 1, LARGEST_SET]


def test_every_band_is_a_sixteenth_of_a_power_of_two_and_is_its_own_band() -> None:
    for size in SIZES:
        found = band(size)
        assert found >= max(size, SMALLEST_BAND)
        unit = found
        while unit > 31:
            assert unit % 2 == 0, size
            unit //= 2
        assert 16 <= unit <= 31
        assert found > LARGEST_SET or band(found) == found
        assert is_band(found)


def test_at_most_a_sixteenth_is_dummies() -> None:
    for size in SIZES:
        if size >= SMALLEST_BAND:
            assert (band(size) - size) <= band(size) * 0.0625
    assert band(100_000) == 102_400


def test_no_smaller_band_would_do() -> None:
    bands = sorted({band(size) for size in range(5_000)})
    for size in range(5_000):
        assert band(size) == next(found for found in bands if found >= size)


def test_what_is_no_band_is_told_from_one() -> None:
    assert [size for size in range(70) if is_band(size)] == [*range(16, 33), *range(34, 65, 2), 68]
    assert not is_band(0)
    assert not is_band(-16)
    assert not is_band(1 << 40)


@pytest.mark.parametrize("size", [-1, LARGEST_SET + 1])
def test_a_set_has_its_limits(size: int) -> None:
    with pytest.raises(ValueError, match="0 to"):
        band(size)


def tokens(count: int) -> list[bytes]:
    return [token(number) for number in range(count)]


@pytest.mark.parametrize("count", [1, 15, 16, 17, 33, 100, 500])
@pytest.mark.usefixtures("small_blocks")
def test_an_asker_sends_all_tokens_once_and_one_probe_of_each_sort_a_block(count: int) -> None:
    own = tokens(count)
    items, made = client_items(b"".join(own), SECRET, drawn("a"))
    padded = band(count)
    assert len(items) == client_size(padded) == padded + 2 * probed_blocks(padded)
    rows = [row.tobytes() for row in items]
    assert len(set(rows)) == len(rows), "no two items are equal, dummies and probes included"
    assert sorted(made.origin[made.origin >= 0]) == list(range(count))
    for row, origin in zip(rows, made.origin, strict=True):
        if origin >= 0:
            assert row == own[origin]
        else:
            assert row not in own
    for at in range(0, len(rows), 8):
        block = list(made.origin[at : at + 8])
        assert (block.count(-2), block.count(-3)) == (1, 1)
    assert list(made.origin).count(-1) == padded - count
    order = [origin for origin in made.origin if origin >= 0]
    assert count < 15 or order != sorted(order), "the order tells nothing of the list's own"


@pytest.mark.usefixtures("small_blocks")
def test_probes_stand_at_no_fixed_place_and_differ_by_secret() -> None:
    own = b"".join(tokens(300))
    items, made = client_items(own, SECRET, drawn("a"))
    places = [
        tuple(np.flatnonzero(block == -2))
        for block in made.origin[: len(made.origin) // 8 * 8].reshape(-1, 8)
    ]
    assert len(set(places)) > 4, "in blocks of one size they stand at places drawn for each"
    assert made.origin[:8].max() > 8, "entries do not stand with their neighbours"
    other_items, other = client_items(own, b"t" * 32, drawn("a"))
    present, absent = ({row.tobytes() for row in items[made.origin == sort]} for sort in (-2, -3))
    assert not present & {row.tobytes() for row in other_items[other.origin == -2]}
    assert not present & absent


@pytest.mark.parametrize("count", [1, 16, 40, 333])
@pytest.mark.usefixtures("small_blocks")
def test_an_answerer_offers_all_tokens_once_and_the_present_probes(count: int) -> None:
    items, asker = client_items(b"".join(tokens(50)), SECRET, drawn("a"))
    padded = band(50)
    own = [token(number) for number in range(1_000, 1_000 + count)]
    made = [row.tobytes() for row in server_items(b"".join(own), SECRET, padded, drawn("b"))]
    assert len(made) == len(set(made)) == server_size(band(count), padded)
    assert set(own) <= set(made)
    present = {row.tobytes() for row in items[asker.origin == -2]}
    absent = {row.tobytes() for row in items[asker.origin == -3]}
    assert present <= set(made)
    assert not absent & set(made)
    assert len(present) == len(absent) == probed_blocks(padded)
    assert count < 16 or made[:count] != own


def test_dummies_of_two_ends_never_meet() -> None:
    one, _ = client_items(token(1), SECRET, drawn("a"))
    two = server_items(token(2), SECRET, 16, drawn("b"))
    common = {row.tobytes() for row in one} & {row.tobytes() for row in two}
    assert len(common) == PROBES, "the present probes alone"


def test_every_real_block_holds_as_many_probes_as_promised() -> None:
    items, made = client_items(b"".join(tokens(8_000)), SECRET, drawn("a"))
    found = [list(made.origin[at : at + BLOCK_POINTS]) for at in range(0, len(items), BLOCK_POINTS)]
    assert len(found) == 2
    for block in found:
        assert (block.count(-2), block.count(-3)) == (PROBES, PROBES)
    assert PROBES >= 20


def test_answers_in_another_order_are_caught() -> None:
    """Half of the items match; a block whose answers were shuffled escapes with a chance of 2^-40."""
    items, made = client_items(b"".join(tokens(64)), SECRET, drawn("a"))
    honest = [at for at, origin in enumerate(made.origin) if origin == -2 or 0 <= origin < 32]
    assert made.matched(honest) == list(range(32))
    order = np.argsort(np.frombuffer(drawn("o")(8 * len(items)), np.uint64))
    with pytest.raises(VerificationError, match="probe"):
        made.matched([int(order[at]) for at in honest])
    with pytest.raises(VerificationError, match="probe"):
        made.matched([(at + 1) % len(items) for at in honest])


@pytest.fixture
def asked(small_blocks: int) -> Arrangement:
    """33 tokens, so that the band of 34 holds one dummy."""
    return client_items(b"".join(tokens(33)), SECRET, drawn("a"))[1]


def places(asked: Arrangement, origin: int) -> list[int]:
    return [int(at) for at in np.flatnonzero(asked.origin == origin)]


def test_matches_are_given_as_indices_of_tokens_in_order(asked: Arrangement) -> None:
    present = places(asked, -2)
    chosen = [places(asked, number)[0] for number in (7, 3, 19)]
    assert asked.matched([*chosen, *present]) == [3, 7, 19]
    assert asked.matched(present) == []


@pytest.mark.parametrize("wrong", ["missing", "none", "absent", "dummy", "repeated", "repeated token"])
def test_an_engine_that_answers_wrongly_is_caught(asked: Arrangement, wrong: str) -> None:
    present = places(asked, -2)
    found = {
        "missing": present[:-1],
        "none": [],
        "absent": [*present, places(asked, -3)[0]],
        "dummy": [*present, places(asked, -1)[0]],
        "repeated": [*present, present[0]],
        "repeated token": [*present, *places(asked, 3) * 2],
    }[wrong]
    with pytest.raises(VerificationError, match="probe"):
        asked.matched(found)


@st.composite
def point_lists(draw: st.DrawFn) -> list[bytes]:
    """Points of which many share their first eight bytes."""
    heads = draw(st.lists(st.binary(min_size=7, max_size=7), min_size=1, max_size=3))
    tail = st.binary(min_size=25, max_size=25)
    head = st.sampled_from(heads)
    return [
        bytes([draw(st.sampled_from([2, 3]))]) + draw(head) + draw(tail)
        for _ in range(draw(st.integers(0, 12)))
    ]


def array(points: list[bytes]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.frombuffer(b"".join(points), np.uint8).reshape(-1, POINT_BYTES)


@PROFILE
@given(point_lists())
def test_points_sort_as_byte_strings_ties_included(points: list[bytes]) -> None:
    made = ascending(parse(b"".join(points), len(points)))
    assert [row.tobytes() for row in made] == sorted(points)


@PROFILE
@given(st.one_of(point_lists(), point_lists().map(sorted)))
def test_only_strictly_ascending_points_pass(points: list[bytes]) -> None:
    if points == sorted(set(points)):
        check_ascending(array(points))
    else:
        with pytest.raises(VerificationError, match="strictly sorted"):
            check_ascending(array(points))


@PROFILE
@given(st.one_of(point_lists(), point_lists().map(lambda found: found + found[:1])))
def test_an_element_twice_is_told(points: list[bytes]) -> None:
    if len(set(points)) == len(points):
        check_distinct(array(points))
    else:
        with pytest.raises(VerificationError, match="twice"):
            check_distinct(array(points))


def test_sorting_works_on_rows_cut_out_of_wider_ones() -> None:
    wide = np.frombuffer(drawn("w")(35 * 50), np.uint8).reshape(50, 35)
    assert [row.tobytes() for row in ascending(wide[:, 2:])] == sorted(row.tobytes() for row in wide[:, 2:])


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (b"\x02" * 33, 0),
        (b"\x02" * 33, 2),
        (b"\x02" * 32, 1),
        (b"\x02" * 34, 1),
        (b"", 1),
        (b"\x04" + b"\x01" * 64, 1),
        (b"\x04" + b"\x01" * 65, 2),
        (b"\x00" * 33, 1),
        (b"\x01" * 33, 1),
        (b"\x02" * 33 + b"\x04" * 33, 2),
        (b"\xff" * 33, 1),
    ],
)
def test_what_is_no_block_of_points_is_refused(data: bytes, count: int) -> None:
    with pytest.raises(VerificationError):
        parse(data, count)


@pytest.mark.parametrize("size", [1, BLOCK_POINTS - 1, BLOCK_POINTS, BLOCK_POINTS + 1, 3 * BLOCK_POINTS])
def test_blocks_cover_a_set_exactly_and_fit_into_a_frame(size: int) -> None:
    sizes = [block_size(size, index) for index in range(blocks(size))]
    assert sum(sizes) == size
    assert all(0 < found <= BLOCK_POINTS for found in sizes)
    assert len(Message(Tag.SETUP, 0, bytes(BLOCK_POINTS * POINT_BYTES)).encode()) <= FRAME_BYTES


@PROFILE
@given(st.sampled_from(Tag), st.integers(0, 2**32 - 1), st.binary(max_size=80))
def test_a_message_reads_back(tag: Tag, block: int, elements: bytes) -> None:
    message = Message(tag, block, elements)
    assert messages.decode(message.encode()) == message


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x01\0\0\0", b"\0\0\0\0\0", b"\x06\0\0\0\0", b"\xff" * 9])
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(VerificationError):
        messages.decode(data)


@pytest.mark.parametrize("wanted", ["auto", "ecdh"])
def test_the_planner_chooses_and_says_why(wanted: str) -> None:
    for mode in (Mode.MATCH, Mode.COUNT):
        assert planner.choose(wanted, mode) is planner.ECDH
        learned = planner.ECDH.modes[mode]
        for said in (
            learned.asker_learns,
            learned.answerer_learns,
            learned.coordinator_learns,
            learned.assumes,
        ):
            assert len(said) > 20
    assert planner.why(wanted)
    assert planner.why("auto") != planner.why("ecdh")


@pytest.mark.parametrize("mode", [Mode.LOOKUP])
@pytest.mark.parametrize("wanted", ["auto", "ecdh"])
def test_a_mode_without_an_engine_is_refused(wanted: str, mode: Mode) -> None:
    with pytest.raises(BadInputError, match=mode.value):
        planner.choose(wanted, mode)


@pytest.mark.parametrize("wanted", ["", "bloom", "ECDH", "__class__"])
def test_an_unknown_engine_is_refused_with_those_there_are(wanted: str) -> None:
    with pytest.raises(BadInputError, match="no such engine") as caught:
        planner.choose(wanted, Mode.MATCH)
    assert "ecdh" in caught.value.hint


def test_an_estimate_grows_with_both_sides() -> None:
    small, large = planner.estimate(16, 16), planner.estimate(102_400, 102_400)
    assert 0 < small.bytes < large.bytes
    assert large.bytes == pytest.approx(3 * 102_400 * 33, rel=0.01)
    assert 0 < small.seconds < large.seconds
    assert planner.estimate(16, 102_400).bytes < large.bytes
