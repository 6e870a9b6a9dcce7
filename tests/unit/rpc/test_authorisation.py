"""Who may call what: the table against the contract itself, and who a transport says is calling."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pool
from unit.rpc.contract import methods

from trisect.errors import UnauthenticatedError
from trisect.rpc.authentication import certified, expires_at
from trisect.rpc.authorisation import TABLE, Access
from trisect.trust import certificates
from trisect.trust.certificates import Caller, Principal

PROTO = Path(__file__).parents[3] / "proto" / "trisect" / "wire" / "v1"


def test_every_rpc_has_a_row_and_every_row_an_rpc() -> None:
    assert set(TABLE) == methods()


def test_the_contract_was_read_whole() -> None:
    """As many RPCs as the .proto files name; else the comparison above compares too little."""
    written = sum(
        len(re.findall(r"^\s*rpc ", path.read_text(), re.MULTILINE)) for path in PROTO.glob("*.proto")
    )
    ours = {method for method in methods() if method.startswith("/trisect.wire.v1.")}
    assert len(ours) == written > 30
    assert descriptor_pool.Default().FindServiceByName("trisect.wire.v1.Relay")


def test_nothing_of_ours_is_open_to_anyone() -> None:
    open_rows = {method for method, access in TABLE.items() if access is Access.ANYONE}
    assert {method.split("/")[1].split(".")[0] for method in open_rows} == {"grpc"}


NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
AUTHORITY = certificates.new_authority("anti-fraud", NOW)
TELCO = Principal("anti-fraud", Caller.PARTY, "telco")


def leaf(whom: Principal) -> bytes:
    request = certificates.signing_request(certificates.new_tls_key())
    return certificates.issue(AUTHORITY, request, whom, now=NOW, life=dt.timedelta(days=1))


class Context:
    """A call's context as far as authentication reads it."""

    def __init__(self, **changes: list[bytes]) -> None:
        self._found = {
            "ssl_tls_version": [b"TLSv1.3"],
            "peer_uri": [TELCO.uri.encode()],
            "x509_pem_cert": [LEAF],
        } | changes

    def auth_context(self) -> dict[str, Any] | None:
        return self._found or None


LEAF = leaf(TELCO)
COORDINATOR = Principal("anti-fraud", Caller.COORDINATOR, "coordinator")


def test_the_caller_is_whom_the_certificate_names() -> None:
    assert certified(Context(), lambda: NOW) == TELCO  # type: ignore[arg-type]


def test_a_certificate_is_held_against_the_clock_on_every_call() -> None:
    """The transport looked at it at the handshake only, and what is remembered of it does not age."""
    ends = NOW + dt.timedelta(days=1)
    second = dt.timedelta(seconds=1)
    assert certified(Context(), lambda: ends - second) == TELCO  # type: ignore[arg-type]
    with pytest.raises(UnauthenticatedError, match=r"party/telco expired at 2026-11-02T00:00:00Z") as late:
        certified(Context(), lambda: ends)  # type: ignore[arg-type]
    assert "trisect-node join" in late.value.hint
    begins = NOW - certificates.CLOCK_SLACK
    with pytest.raises(UnauthenticatedError, match="valid from 2026-10-31T23:50:00Z only"):
        certified(Context(), lambda: begins - second)  # type: ignore[arg-type]
    assert certified(Context(), lambda: begins) == TELCO  # type: ignore[arg-type]
    assert expires_at(Context()) == ends  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"ssl_tls_version": [b"TLSv1.2"]},
        {"ssl_tls_version": []},
        {"ssl_tls_version": [b"TLSv1.3", b"TLSv1.2"]},
        {"peer_uri": []},
        {"peer_uri": [TELCO.uri.encode()] * 2},
        {"peer_uri": [TELCO.uri.encode(), b"https://elsewhere"]},
        {"peer_uri": [b"https://elsewhere"]},
        {"x509_pem_cert": []},
        {"x509_pem_cert": [AUTHORITY.certificate]},
        {"x509_pem_cert": [leaf(COORDINATOR)], "peer_uri": [COORDINATOR.uri.encode()]},
    ],
    ids=range(10),
)
def test_anything_doubtful_is_nobody(changes: dict[str, list[bytes]]) -> None:
    with pytest.raises(UnauthenticatedError):
        certified(Context(**changes), lambda: NOW)  # type: ignore[arg-type]


def test_a_connection_without_tls_is_nobody() -> None:
    empty = Context()
    empty._found = {}
    with pytest.raises(UnauthenticatedError, match=r"TLS 1\.3"):
        certified(empty)  # type: ignore[arg-type]
