"""The sealed channel: whatever a relay does to frames, an opener refuses or gives what was sealed."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trisect.errors import VerificationError
from trisect.trust import channel
from trisect.trust.channel import (
    FRAME_BYTES,
    REPLY_SHARE_BYTES,
    SHARE_BYTES,
    AnswererHandshake,
    AskerHandshake,
    ChannelKeys,
    Direction,
    Frame,
    Opener,
    Sealer,
    transcript_hash,
)

DOWN = Direction.ANSWERER_TO_ASKER
UP = Direction.ASKER_TO_ANSWERER
TRANSCRIPT = hashlib.sha256(b"what both have signed").digest()
# Encodings of points of small order on Curve25519 and its twist (RFC 7748, 6.1 and 7).
LOW_ORDER = [
    bytes(32),
    b"\x01" + bytes(31),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
]


def drawn(seed: bytes) -> Callable[[int], bytes]:
    """Give a source of bytes that is the same each time."""
    count = 0

    def draw(size: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_256(seed + bytes([count])).digest(size)

    return draw


def shaken(
    *, exchange: bytes = b"e" * 16, attempt: int = 1, transcripts: tuple[bytes, bytes] = (TRANSCRIPT,) * 2
) -> tuple[ChannelKeys, ChannelKeys]:
    asker = AskerHandshake(drawn(b"asker"))
    answerer = AnswererHandshake.reply(asker.share, drawn(b"answerer"))
    return (
        asker.finish(answerer.share, exchange_id=exchange, attempt=attempt, transcript=transcripts[0]),
        answerer.finish(exchange_id=exchange, attempt=attempt, transcript=transcripts[1]),
    )


KEYS, _ = shaken()


def secrets_of(keys: ChannelKeys) -> tuple[bytes, bytes, bytes]:
    return keys.asker_to_answerer, keys.answerer_to_asker, keys.exporter


def sealed(
    plaintexts: list[bytes], keys: ChannelKeys = KEYS, direction: Direction = UP, *, final: bool = True
) -> list[Frame]:
    sealer = keys.sealer(direction)
    last = len(plaintexts) - 1
    return [
        sealer.seal(plain, elements=at, final=final and at == last) for at, plain in enumerate(plaintexts)
    ]


def test_both_ends_derive_the_same_keys_and_each_key_is_for_one_thing() -> None:
    asker, answerer = shaken()
    assert asker == answerer
    assert len(set(secrets_of(asker))) == 3
    assert asker.export(b"probes") == answerer.export(b"probes")
    assert asker.export(b"probes") != asker.export(b"journal")
    assert len(asker.export(b"probes", 64)) == 64


@pytest.mark.parametrize(
    "other",
    [
        {"exchange": b"f" * 16},
        {"attempt": 2},
        {"transcripts": (hashlib.sha256(b"something else").digest(),) * 2},
    ],
    ids=["exchange", "attempt", "transcript"],
)
def test_keys_depend_on_exchange_attempt_and_transcript(other: dict[str, object]) -> None:
    """The KEM draws its own randomness, so the secret is kept and only what it is bound to changes."""
    asker = AskerHandshake(drawn(b"asker"))
    answerer = AnswererHandshake.reply(asker.share, drawn(b"answerer"))
    usual = {"exchange_id": b"e" * 16, "attempt": 1, "transcript": TRANSCRIPT}
    names = {"exchange": "exchange_id", "transcripts": "transcript"}
    changed = {names.get(key, key): value for key, value in other.items()}
    changed = {key: value[0] if isinstance(value, tuple) else value for key, value in changed.items()}
    one = answerer.finish(**usual)  # type: ignore[arg-type]
    two = answerer.finish(**usual | changed)  # type: ignore[arg-type]
    assert not set(secrets_of(one)) & set(secrets_of(two))
    assert secrets_of(asker.finish(answerer.share, **usual)) == secrets_of(one)  # type: ignore[arg-type]


def test_ends_that_have_signed_different_things_do_not_meet() -> None:
    asker, answerer = shaken(transcripts=(TRANSCRIPT, hashlib.sha256(b"forged").digest()))
    assert not set(secrets_of(asker)) & set(secrets_of(answerer))


def test_every_handshake_has_keys_of_its_own() -> None:
    asker = AskerHandshake(drawn(b"asker"))
    replies = [AnswererHandshake.reply(asker.share, drawn(b"answerer")) for _ in range(2)]
    found = [reply.finish(exchange_id=b"e" * 16, attempt=1, transcript=TRANSCRIPT) for reply in replies]
    assert not set(secrets_of(found[0])) & set(secrets_of(found[1]))


@pytest.mark.parametrize("half", [slice(0, 32), slice(32, None)], ids=["x25519", "ml-kem"])
def test_both_halves_of_the_share_count(half: slice) -> None:
    """Neither secret alone is enough: with either share swapped on the way the ends do not meet."""
    asker, other = AskerHandshake(drawn(b"asker")), AskerHandshake(drawn(b"other"))
    swapped = bytearray(asker.share)
    swapped[half] = other.share[half]
    reply = AnswererHandshake.reply(bytes(swapped), drawn(b"answerer"))
    usual = {"exchange_id": b"e" * 16, "attempt": 1, "transcript": TRANSCRIPT}
    ends = asker.finish(reply.share, **usual), reply.finish(**usual)  # type: ignore[arg-type]
    assert not set(secrets_of(ends[0])) & set(secrets_of(ends[1]))


@pytest.mark.parametrize("point", LOW_ORDER, ids=lambda point: point.hex()[:8])
@pytest.mark.parametrize("top", [0, 0x80])
def test_a_low_order_share_is_refused_by_both_ends(point: bytes, top: int) -> None:
    point = point[:31] + bytes([point[31] | top])
    asker = AskerHandshake(drawn(b"asker"))
    with pytest.raises(VerificationError, match="not valid"):
        AnswererHandshake.reply(point + asker.share[32:], drawn(b"answerer"))
    reply = AnswererHandshake.reply(asker.share, drawn(b"answerer"))
    with pytest.raises(VerificationError, match="not valid"):
        asker.finish(point + reply.share[32:], exchange_id=b"e" * 16, attempt=1, transcript=TRANSCRIPT)


def test_a_malformed_ml_kem_share_is_refused() -> None:
    """FIPS 203, 7.2: coefficients of an encapsulation key must be below q."""
    asker = AskerHandshake(drawn(b"asker"))
    with pytest.raises(VerificationError, match="not valid"):
        AnswererHandshake.reply(asker.share[:32] + b"\xff" * 1184, drawn(b"answerer"))


@pytest.mark.parametrize("change", [-1, 1, -1184, None])
def test_a_share_of_another_length_is_refused(change: int | None) -> None:
    asker = AskerHandshake(drawn(b"asker"))
    reply = AnswererHandshake.reply(asker.share, drawn(b"answerer"))
    assert (len(asker.share), len(reply.share)) == (SHARE_BYTES, REPLY_SHARE_BYTES)

    def resized(share: bytes) -> bytes:
        return b"" if change is None else (share + b"\0" if change > 0 else share[:change])

    with pytest.raises(VerificationError, match="length"):
        AnswererHandshake.reply(resized(asker.share), drawn(b"answerer"))
    with pytest.raises(VerificationError, match="length"):
        asker.finish(resized(reply.share), exchange_id=b"e" * 16, attempt=1, transcript=TRANSCRIPT)


def test_a_changed_ciphertext_leads_to_other_keys() -> None:
    asker = AskerHandshake(drawn(b"asker"))
    reply = AnswererHandshake.reply(asker.share, drawn(b"answerer"))
    changed = reply.share[:-1] + bytes([reply.share[-1] ^ 1])
    usual = {"exchange_id": b"e" * 16, "attempt": 1, "transcript": TRANSCRIPT}
    found = asker.finish(changed, **usual)  # type: ignore[arg-type]
    assert not set(secrets_of(found)) & set(secrets_of(reply.finish(**usual)))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [0, 15, 17])
def test_an_exchange_id_has_sixteen_bytes(size: int) -> None:
    with pytest.raises(VerificationError, match="16 bytes"):
        shaken(exchange=b"e" * size)


def test_keys_are_in_no_repr() -> None:
    for part in secrets_of(KEYS):
        assert part.hex() not in repr(KEYS)
        assert repr(part) not in repr(KEYS)


def test_frames_open_in_order_and_both_ends_agree_on_what_passed() -> None:
    plaintexts = [b"", b"a", b"x" * FRAME_BYTES, b"last"]
    sealer, opener = KEYS.sealer(UP), KEYS.opener(UP)
    for at, plain in enumerate(plaintexts):
        frame = sealer.seal(plain, elements=7 * at, final=at == 3)
        assert frame.elements == 7 * at
        assert not opener.finished
        assert opener.open(frame) == plain
        assert (sealer.frames, sealer.transcript) == (opener.frames, opener.transcript)
    assert opener.finished
    assert opener.frames == 4


def test_nothing_follows_a_final_frame() -> None:
    sealer, opener = KEYS.sealer(UP), KEYS.opener(UP)
    opener.open(sealer.seal(b"only", final=True))
    with pytest.raises(VerificationError, match="follows the final"):
        sealer.seal(b"more")
    frame = sealed([b"a", b"b"], final=False)[1]
    with pytest.raises(VerificationError, match="after the final"):
        opener.open(frame)


def test_without_a_final_frame_the_opener_is_not_finished() -> None:
    opener = KEYS.opener(UP)
    for frame in sealed([b"a", b"b", b"c"])[:-1]:
        opener.open(frame)
    assert not opener.finished


@pytest.mark.parametrize(
    "forged",
    [
        lambda _count, _digest: b"",
        lambda count, digest: (count + 1).to_bytes(8, "big") + digest,
        lambda count, digest: (count - 1).to_bytes(8, "big") + digest,
        lambda count, _digest: count.to_bytes(8, "big") + bytes(32),
        lambda count, digest: count.to_bytes(8, "big") + digest[:-1],
    ],
    ids=["nothing", "more", "fewer", "another transcript", "cut short"],
)
def test_a_final_frame_of_a_lying_peer_is_refused(
    forged: Callable[[int, bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The peer holds the key, so the tag verifies; what it says of the frames before must too."""
    sealer, opener = KEYS.sealer(UP), KEYS.opener(UP)
    opener.open(sealer.seal(b"a"))
    with monkeypatch.context() as patched:
        patched.setattr(channel, "_close", forged)
        frame = sealer.seal(b"", final=True)
    with pytest.raises(VerificationError, match="final frame"):
        opener.open(frame)
    assert not opener.finished


def test_a_frame_larger_than_the_format_is_not_sealed() -> None:
    with pytest.raises(VerificationError, match="larger"):
        KEYS.sealer(UP).seal(b"x" * (FRAME_BYTES + 1))


def test_a_channel_does_not_outlive_its_nonces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "MAX_FRAMES", 2)
    sealer = KEYS.sealer(UP)
    sealer.seal(b"1")
    sealer.seal(b"2")
    with pytest.raises(VerificationError, match="larger"):
        sealer.seal(b"3")


@pytest.mark.parametrize(
    "change",
    [
        {"elements": 1},
        {"elements": 2**32 - 1},
        {"final": True},
        {"sequence": 1},
        {"sequence": 2**64 - 1},
        {"sealed": b""},
        {"sealed": b"\0" * 16},
    ],
    ids=str,
)
def test_every_field_of_a_frame_is_authenticated(change: dict[str, object]) -> None:
    (frame,) = sealed([b"plain"], final=False)
    opener = KEYS.opener(UP)
    with pytest.raises(VerificationError):
        opener.open(frame._replace(**change))  # type: ignore[arg-type]
    assert (opener.frames, opener.finished) == (0, False)


def test_a_final_frame_is_not_passed_off_as_another() -> None:
    (frame,) = sealed([b"plain"])
    with pytest.raises(VerificationError):
        KEYS.opener(UP).open(frame._replace(final=False))


def foreign() -> dict[str, Opener]:
    """Openers that differ from the frames' own in one thing each, the key included or not."""
    own = KEYS.opener(UP)._aead
    keys = shaken()[0]
    found = {
        "direction": KEYS.opener(DOWN),
        "handshake": keys.opener(UP),
        "exchange, same key": dataclasses.replace(KEYS, exchange_id=b"f" * 16).opener(UP),
        "attempt, same key": dataclasses.replace(KEYS, attempt=2).opener(UP),
        "direction, same key": dataclasses.replace(KEYS, answerer_to_asker=KEYS.asker_to_answerer).opener(
            DOWN
        ),
    }
    assert own is not found["direction"]._aead
    return found


@pytest.mark.parametrize("which", list(foreign()))
def test_a_frame_of_another_channel_is_refused(which: str) -> None:
    (frame,) = sealed([b"plain"], final=False)
    with pytest.raises(VerificationError, match="does not verify"):
        foreign()[which].open(frame)
    assert KEYS.opener(UP).open(frame) == b"plain"


OTHERS = [
    sealed([b"other exchange"] * 6, dataclasses.replace(KEYS, exchange_id=b"f" * 16)),
    sealed([b"other attempt"] * 6, dataclasses.replace(KEYS, attempt=2)),
    sealed([b"other direction"] * 6, KEYS, DOWN),
    sealed([b"other handshake"] * 6, shaken()[0]),
]


@st.composite
def tampered(draw: st.DrawFn) -> tuple[list[bytes], list[Frame]]:
    """Frames of a channel, and what a relay with all kinds of malice makes of them."""
    plaintexts = draw(st.lists(st.binary(max_size=40), min_size=1, max_size=6))
    frames = sealed(plaintexts)
    for _ in range(draw(st.integers(1, 3))):
        if not frames:
            break
        at = draw(st.integers(0, len(frames) - 1))
        frame = frames[at]
        match draw(st.sampled_from(["drop", "swap", "replay", "flip", "cut", "splice", "renumber", "count"])):
            case "drop":
                del frames[at]
            case "swap":
                to = draw(st.integers(0, len(frames) - 1))
                frames[at], frames[to] = frames[to], frames[at]
            case "replay":
                frames.insert(draw(st.integers(0, len(frames))), frame)
            case "flip":
                bit = draw(st.integers(0, 8 * len(frame.sealed) - 1)) if frame.sealed else 0
                changed = bytearray(frame.sealed or b"\0")
                changed[bit // 8] ^= 1 << bit % 8
                frames[at] = frame._replace(sealed=bytes(changed))
            case "cut":
                frames[at] = frame._replace(sealed=frame.sealed[: draw(st.integers(0, len(frame.sealed)))])
            case "splice":
                frames[at] = draw(st.sampled_from(OTHERS))[min(at, 5)]
            case "renumber":
                frames[at] = frame._replace(sequence=draw(st.integers(0, 6)))
            case "count":
                frames[at] = frame._replace(elements=draw(st.integers(0, 2**32 - 1)))
    return plaintexts, frames


@settings(deadline=None, max_examples=300)
@given(tampered())
def test_whatever_a_relay_does_no_wrong_plaintext_comes_out(case: tuple[list[bytes], list[Frame]]) -> None:
    plaintexts, frames = case
    opener, opened, refused = KEYS.opener(UP), list[bytes](), False
    for frame in frames:
        try:
            opened.append(opener.open(frame))
        except VerificationError:
            refused = True
            break
    assert opened == plaintexts[: len(opened)]
    assert opener.finished == (opened == plaintexts)
    if frames != sealed(plaintexts):
        assert refused or not opener.finished


def test_a_transcript_tells_its_parts_apart() -> None:
    assert len({transcript_hash(b"ab", b"c"), transcript_hash(b"a", b"bc"), transcript_hash(b"abc")}) == 3
    assert transcript_hash() != transcript_hash(b"")


def test_a_sealed_frame_has_the_same_bytes_for_the_same_place_only() -> None:
    first = sealed([b"same", b"same"], final=False)
    assert first == sealed([b"same", b"same"], final=False)
    assert first[0].sealed != first[1].sealed
    assert isinstance(KEYS.sealer(UP), Sealer)
