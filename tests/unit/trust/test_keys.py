"""Keys, fingerprints, sealing and the chain of peppers under seal."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st
from support.membership import drawn, identity, keys, sealing

from trisect.errors import BadInputError, VerificationError
from trisect.indicators.tokens import Pepper
from trisect.trust import peppers
from trisect.trust.keys import (
    IdentityKey,
    IdentityPublic,
    PartyName,
    SealingKey,
    SealingPublic,
    fingerprint,
    normal_fingerprint,
)
from trisect.trust.statements import PartyKeys

P = 2**255 - 19
Y8 = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
SMALL = [0, 1, P - 1, Y8, P - Y8]
NON_CANONICAL = [P, P + 1, *range(P + 2, P + 19), 2**255 - 1]


def encoded(y: int, sign: int) -> bytes:
    return (y | sign << 255).to_bytes(32, "little")


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("y", [*SMALL, *NON_CANONICAL])
def test_weak_points_are_no_identity(y: int, sign: int) -> None:
    with pytest.raises(VerificationError, match="low-order or non-canonical"):
        IdentityPublic(encoded(y, sign))


def _order_divides_eight(y: int) -> bool:
    """Multiply a point by eight in extended coordinates, and see whether it vanishes (RFC 8032, 5.1.4)."""
    d = -121665 * pow(121666, P - 2, P) % P
    square = (y * y - 1) * pow(d * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert (x * x - square) % P == 0, "not a point of the curve"
    for _ in range(3):
        k = d * x * x * y * y % P
        x, y = 2 * x * y * pow(1 + k, P - 2, P) % P, (y * y + x * x) * pow(1 - k, P - 2, P) % P
    return (x, y) == (0, 1)


@pytest.mark.parametrize("y", SMALL)
def test_the_refused_points_are_those_of_small_order(y: int) -> None:
    """Computed anew from the curve's equation, so that a slip in the list's digits would show."""
    assert _order_divides_eight(y)
    honest = int.from_bytes(identity("a").public.raw, "little") & (1 << 255) - 1
    assert not _order_divides_eight(honest)


def test_the_library_itself_would_take_them() -> None:
    """Why the check stands here: when this fails, the library has learned it."""
    Ed25519PublicKey.from_public_bytes(encoded(1, 0))


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_an_identity_has_32_bytes(size: int) -> None:
    with pytest.raises(VerificationError, match="32 bytes"):
        IdentityPublic(b"\x05" * size)


def test_a_signature_is_over_one_message_by_one_key() -> None:
    signature = identity("a").private.sign(b"message")
    identity("a").public.verify(signature, b"message")
    for key, signed, message in (
        ("b", signature, b"message"),
        ("a", signature, b"other"),
        ("a", signature[:-1], b"message"),
        ("a", b"", b"message"),
        ("a", bytes(64), b"message"),
    ):
        with pytest.raises(VerificationError, match=identity(key).public.fingerprint):
            identity(key).public.verify(signed, message)


def test_secret_keys_are_in_no_repr() -> None:
    assert identity("a").raw.hex() not in repr(identity("a"))
    assert repr(identity("a").raw) not in repr(identity("a"))
    assert repr(sealing("a").raw) not in repr(sealing("a"))


def test_a_key_is_what_the_randomness_gave() -> None:
    assert IdentityKey.generate(drawn("x")).raw == drawn("x")(32)


@settings(deadline=None, max_examples=80)
@given(st.binary(min_size=1, max_size=64), st.data())
def test_a_fingerprint_is_read_as_people_type_it(public: bytes, data: st.DataObject) -> None:
    made = fingerprint(public)
    assert [len(group) for group in made.split("-")] == [4] * 8
    assert normal_fingerprint(made) == made
    typed = "".join(
        (letter.upper() if data.draw(st.booleans()) else letter)
        + data.draw(st.sampled_from(["", "", " ", "-", "\t", "\n", " - "]))
        for letter in made.replace("-", "")
    )
    assert normal_fingerprint(f"  {typed} ") == made


@pytest.mark.parametrize(
    "text",
    ["", "abcd", "a" * 31, "a" * 33, *("a" * 31 + odd for odd in "108äａ"), "a" * 16 + ":" * 7 + "a" * 16],
)
def test_another_text_is_no_fingerprint(text: str) -> None:
    with pytest.raises(BadInputError, match="eight groups"):
        normal_fingerprint(text)


def test_a_fingerprint_is_160_bits_of_sha256() -> None:
    """Base32 of the first 20 bytes of SHA-256 of nothing (FIPS 180-4 example), computed by hand."""
    assert hashlib.sha256(b"").hexdigest().startswith("e3b0c44298fc1c149afbf4c8996fb92427ae41e4")
    assert fingerprint(b"") == "4oym-iquy-7qob-jgx3-6tej-s35z-eqt2-4qpe"


def test_a_sealing_key_is_bound_by_its_identity() -> None:
    bound = keys("a")
    assert PartyKeys.from_raw(bound.identity.raw, bound.sealing.raw, bound.sealing_signature) == bound
    for identity_, sealing_, signature in (
        (keys("b").identity, bound.sealing, bound.sealing_signature),
        (bound.identity, keys("b").sealing, bound.sealing_signature),
        (bound.identity, bound.sealing, keys("b").sealing_signature),
        (bound.identity, bound.sealing, identity("a").private.sign(bound.sealing.raw)),
    ):
        with pytest.raises(VerificationError):
            PartyKeys.from_raw(identity_.raw, sealing_.raw, signature)


def test_what_is_sealed_opens_with_its_key_and_context_only() -> None:
    box = sealing("a").public.seal(b"secret", context=b"context")
    assert b"secret" not in box
    assert sealing("a").open(box, context=b"context") == b"secret"
    assert sealing("a").public.seal(b"secret", context=b"context") != box
    for key, found, context in (
        ("b", box, b"context"),
        ("a", box, b"other"),
        ("a", box, b""),
        ("a", box[:-1], b"context"),
        ("a", box[1:], b"context"),
        ("a", b"", b"context"),
        ("a", box[:-1] + bytes([box[-1] ^ 1]), b"context"),
        ("a", bytes([box[0] ^ 1]) + box[1:], b"context"),
    ):
        with pytest.raises(VerificationError, match="does not open"):
            sealing(key).open(found, context=context)


@pytest.mark.parametrize("size", [0, 1215, 1217])
def test_a_sealing_key_has_its_length(size: int) -> None:
    with pytest.raises(VerificationError, match="1216 bytes"):
        SealingPublic(bytes(size))


@pytest.mark.parametrize(
    "raw", [b"\xff" * 1184 + b"\x09" + bytes(31), sealing("a").public.raw[:1184] + bytes(32)]
)
def test_nothing_is_sealed_to_a_malformed_key(raw: bytes) -> None:
    with pytest.raises(VerificationError):
        SealingPublic(raw).seal(b"secret", context=b"")


CHAIN = tuple(Pepper(bytes([number]) * 32) for number in (1, 2, 3))
WHERE = {"consortium": "c", "party": PartyName("telco")}


@pytest.mark.parametrize("count", [1, 3])
def test_peppers_are_granted_to_one_party_of_one_consortium(count: int) -> None:
    box = peppers.grant_box(CHAIN[:count], sealing("a").public, consortium="c", party=PartyName("telco"))
    assert all(pepper not in box for pepper in CHAIN)
    assert peppers.open_box(box, sealing("a"), consortium="c", party=PartyName("telco")) == CHAIN[:count]
    for key, consortium, party in (("b", "c", "telco"), ("a", "d", "telco"), ("a", "c", "bank")):
        with pytest.raises(VerificationError):
            peppers.open_box(box, sealing(key), consortium=consortium, party=PartyName(party))


@pytest.mark.parametrize("plain", [b"", b"x", bytes(31), bytes(33), bytes(95)])
def test_a_box_holds_whole_peppers(plain: bytes) -> None:
    box = sealing("a").public.seal(plain, context=b"trisect/pepper-grant/v1\x00c\x00telco")
    with pytest.raises(VerificationError, match="wrong length"):
        peppers.open_box(box, sealing("a"), consortium="c", party=PartyName("telco"))


def test_kept_peppers_open_with_their_keystore_only() -> None:
    storage = bytes(32)
    kept = peppers.keep(CHAIN, storage, drawn("nonce"))
    assert peppers.recover(kept, storage) == CHAIN
    assert all(pepper not in kept for pepper in CHAIN)
    assert peppers.keep(CHAIN, storage, drawn("another")) != kept
    changed = kept[:20] + bytes([kept[20] ^ 1]) + kept[21:]
    for data, key in (
        (kept, b"\1" * 32),
        (kept[:-1], storage),
        (b"", storage),
        (kept[:5], storage),
        (changed, storage),
    ):
        with pytest.raises(VerificationError, match="keystore"):
            peppers.recover(data, key)


def test_a_new_pepper_is_32_random_bytes() -> None:
    assert peppers.new_pepper(drawn("x")) == drawn("x")(32)


def test_what_was_sealed_to_a_former_key_still_opens() -> None:
    line = [sealing(name).raw for name in ("a", "b", "c")]
    key = SealingKey(line[2], tuple(line[:2]))
    for name in ("a", "b", "c"):
        sealed = sealing(name).public.seal(b"small secret", context=b"here")
        assert key.open(sealed, context=b"here") == b"small secret"
        with pytest.raises(VerificationError):
            key.open(sealed, context=b"there")
    with pytest.raises(VerificationError):
        key.open(sealing("d").public.seal(b"small secret", context=b"here"), context=b"here")
    assert key.public == sealing("c").public
