"""Signed documents and the one spelling of JSON under them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.membership import identity

from trisect.errors import VerificationError
from trisect.trust import canonical_json, documents

A, B = identity("a"), identity("b")
BODY: dict[str, Any] = {"name": "value", "number": 7, "list": [1, "two", None, True]}

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
CANONICAL = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=100)
@given(st.dictionaries(TEXT, CANONICAL, max_size=5))
def test_what_is_written_is_read_back_and_has_one_spelling(value: dict[str, Any]) -> None:
    data = canonical_json.encode(value)
    assert canonical_json.decode(data) == value
    loose = json.dumps(value, indent=1).encode()
    if loose != data:
        with pytest.raises(VerificationError, match="canonical form"):
            canonical_json.decode(loose)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}',
        b'{"a":"\\u0000"}',
        b'{"\\u0000":1}',
        b'{"a":["x\\u0000y"]}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":-0}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":9007199254740992}',
        b'{"a":-9007199254740992}',
        b'{"a":' + b"9" * 5_000 + b"}",
        b'{"b":1,"a":2}',
        b'{ "a":1}',
        b'{"a":1}\n',
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-32-le"),
        b'{"a":"\\u0041"}',
        b'{"a":"\\/"}',
        b'{"a":"\\ud800"}',
        b'{"\\ud800":1}',
        b'{"a":"\xff"}',
        b'{"a":01}',
        b"[1]",
        b'"text"',
        b"7",
        b"null",
        b"",
        b'{"a":1',
        b'{"a":' + b"[" * 16 + b"]" * 16 + b"}",
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
    ids=lambda data: data[:24].decode("latin-1"),
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(VerificationError):
        canonical_json.decode(data)


def test_the_deepest_and_the_largest_that_are_read() -> None:
    deepest = b'{"a":' + b"[" * 15 + b"]" * 15 + b"}"
    assert canonical_json.encode(canonical_json.decode(deepest)) == deepest
    largest = b'{"a":"' + b"x" * (canonical_json.MAX_BYTES - 8) + b'"}'
    assert len(canonical_json.decode(largest)["a"]) == canonical_json.MAX_BYTES - 8
    with pytest.raises(VerificationError, match="at most"):
        canonical_json.decode(largest[:-2] + b'x"}')
    assert canonical_json.decode(b'{"a":9007199254740991}') == {"a": 2**53 - 1}


@pytest.mark.parametrize("value", [2**53, -(2**53), float("nan"), {1: 2}, "\ud800", b"bytes", object()])
def test_what_canonical_json_cannot_carry_is_not_written(value: Any) -> None:
    with pytest.raises(VerificationError):
        canonical_json.encode({"a": value})


def fields(*signers: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(documents.sign("thing.v1", BODY, signers or [A]))  # type: ignore[arg-type]
    return found


def text(changed: dict[str, Any]) -> bytes:
    return json.dumps(changed).encode()


def test_a_document_tells_its_body_and_its_signers() -> None:
    envelope = documents.sign("thing.v1", BODY, [A, B])
    found = documents.verify(envelope, "thing.v1", [A.public, B.public], threshold=2)
    assert found.body == BODY
    assert found.signers == {A.public.raw, B.public.raw}
    assert documents.peek(envelope) == ("thing.v1", BODY)
    again = documents.verify(documents.sign("thing.v1", BODY, [B]), "thing.v1", [B.public])
    assert again.payload_hash == found.payload_hash
    other = documents.verify(documents.sign("thing.v2", BODY, [B]), "thing.v2", [B.public])
    assert other.payload_hash != found.payload_hash


def _set(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda found: found.__setitem__(name, value)


def _signature(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda found: found["signatures"][0].__setitem__(name, value)


OTHER_PAYLOAD = base64.b64encode(canonical_json.encode(BODY | {"number": 8})).decode()
LOOSE_PAYLOAD = base64.b64encode(json.dumps(BODY).encode()).decode()


@pytest.mark.parametrize(
    "change",
    [
        _set("payload", OTHER_PAYLOAD),
        _set("payload", LOOSE_PAYLOAD),
        _set("payload", ""),
        _set("payload", "?"),
        _set("payload", 7),
        _set("payload", None),
        _set("payloadType", documents.payload_type("thing.v2")),
        _set("payloadType", "application/json"),
        _set("payloadType", 7),
        _set("payloadType", "\ud800"),
        _set("signatures", []),
        _set("signatures", {}),
        _set("signatures", None),
        _set("signatures", [7]),
        _set("signatures", [{}]),
        _set("signatures", [{"keyid": A.public.raw.hex(), "sig": "AA=="}] * 2),
        _set("signatures", [{"keyid": f"{at:064x}", "sig": "AA=="} for at in range(17)]),
        _signature("sig", base64.b64encode(bytes(64)).decode()),
        _signature("sig", "?"),
        _signature("sig", 7),
        _signature("keyid", B.public.raw.hex()),
        _signature("keyid", 7),
        _signature("keyid", None),
    ],
)
def test_a_change_in_any_part_is_refused(change: Callable[[dict[str, Any]], None]) -> None:
    found = fields()
    documents.verify(text(found), "thing.v1", [A.public])
    change(found)
    with pytest.raises(VerificationError):
        documents.verify(text(found), "thing.v1", [A.public])


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"null", b"7", b"\xff", b"[" * 100_000, b'{"payload":', b'"signatures"']
)
def test_what_is_no_envelope_is_refused(data: bytes) -> None:
    with pytest.raises(VerificationError):
        documents.verify(data, "thing.v1", [A.public])
    with pytest.raises(VerificationError):
        documents.peek(data)


def test_a_huge_envelope_is_not_even_read() -> None:
    with pytest.raises(VerificationError, match="larger"):
        documents.peek(b" " * (2 * canonical_json.MAX_BYTES + 1))


def test_a_signature_counts_under_its_own_kind_only() -> None:
    envelope = documents.sign("admission.v1", BODY, [A])
    with pytest.raises(VerificationError, match="not of the kind standing"):
        documents.verify(envelope, "standing.v1", [A.public])
    relabelled = json.loads(envelope) | {"payloadType": documents.payload_type("standing.v1")}
    with pytest.raises(VerificationError, match="not signed by whom"):
        documents.verify(text(relabelled), "standing.v1", [A.public])


def test_one_key_twice_does_not_meet_a_threshold_of_two() -> None:
    found = fields(A)
    doubled = found | {"signatures": found["signatures"] * 2}
    aliased = found | {"signatures": [*found["signatures"], found["signatures"][0] | {"keyid": "0" * 64}]}
    for envelope in (found, doubled, aliased):
        for known in ([A.public, B.public], [A.public, A.public], [A.public]):
            with pytest.raises(VerificationError):
                documents.verify(text(envelope), "thing.v1", known, threshold=2)


def test_an_unknown_key_does_not_count() -> None:
    with pytest.raises(VerificationError, match="not signed by whom"):
        documents.verify(documents.sign("thing.v1", BODY, [B]), "thing.v1", [A.public])
    with pytest.raises(VerificationError):
        documents.verify(documents.sign("thing.v1", BODY, [A]), "thing.v1", [])
    both = documents.verify(documents.sign("thing.v1", BODY, [A, B]), "thing.v1", [A.public])
    assert both.signers == {A.public.raw}


@pytest.mark.parametrize(
    "kind", ["application/json", "application/vnd.trisect.x", "application/vnd.other.x+json"]
)
def test_a_document_of_no_kind_of_ours_is_not_peeked_at(kind: str) -> None:
    with pytest.raises(VerificationError, match="no kind"):
        documents.peek(text(fields() | {"payloadType": kind}))
