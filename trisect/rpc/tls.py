"""Channels and ports: mutual TLS 1.3 to the coordinator, Unix sockets for administrators.

The options are the measured ones: bounded streams, keepalive that notices a frozen peer in 15 s, frames of
256 KiB. Not here: who may call what (`trisect.rpc.authorisation`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from pathlib import Path

import grpc
import grpc.aio

from trisect.trust.certificates import COORDINATOR_HOST, TlsIdentity

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
MAX_STREAMS = 64
_PING_MS = 10_000
_PING_TIMEOUT_MS = 5_000

CLIENT_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", _PING_MS),
    ("grpc.keepalive_timeout_ms", _PING_TIMEOUT_MS),
    ("grpc.http2.ping_timeout_ms", _PING_TIMEOUT_MS),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 10_000),  # in truth the time that one attempt to connect is given
    ("grpc.max_reconnect_backoff_ms", 3_000),
)

SERVER_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_concurrent_streams", MAX_STREAMS),
    ("grpc.keepalive_time_ms", _PING_MS),
    ("grpc.keepalive_timeout_ms", _PING_TIMEOUT_MS),
    ("grpc.http2.ping_timeout_ms", _PING_TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.so_reuseport", 0),
)


def coordinator_channel(address: str, authority: bytes, identity: TlsIdentity) -> grpc.aio.Channel:
    """Open a channel to the coordinator, which must show a certificate of the pinned authority.

    Args:
        address: HOST:PORT.
        authority: the pinned CA certificate, PEM.
        identity: the caller's own key and certificate.

    `https_proxy` and `http_proxy` are heeded, but not for a coordinator on this very machine.
    """
    credentials = grpc.ssl_channel_credentials(authority, identity.key, identity.certificate)
    options = (*CLIENT_OPTIONS, ("grpc.ssl_target_name_override", COORDINATOR_HOST), *_proxy_options(address))
    return grpc.aio.secure_channel(address, credentials, options=options)


def server_credentials(current: Callable[[], TlsIdentity], authority: bytes) -> grpc.ServerCredentials:
    """Give a server's credentials that follow certificate renewal without a restart.

    Args:
        current: gives the identity to show at the next handshake.
        authority: the CA that clients must be certified by, PEM.
    """
    shown = current()

    def configuration(identity: TlsIdentity) -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration(
            [(identity.key, identity.certificate)], root_certificates=authority
        )

    def changed() -> grpc.ServerCertificateConfiguration | None:
        # Asked at every handshake. With a new configuration each time a coordinator was gone after 50 parallel
        # joins, once in two runs; how it ended was not established. Unchanged ones have not done so since.
        nonlocal shown
        latest = current()
        if latest is shown:
            return None
        shown = latest
        return configuration(latest)

    return grpc.dynamic_ssl_server_credentials(
        configuration(shown),
        changed,  # type: ignore[arg-type]  # None is allowed and means: as before
        require_client_authentication=True,
    )


def socket_channel(path: Path) -> grpc.aio.Channel:
    """Open a channel to a daemon's administration socket."""
    return grpc.aio.insecure_channel(
        f"unix:{path}", options=(*CLIENT_OPTIONS, ("grpc.default_authority", "localhost"))
    )


def _proxy_options(address: str) -> tuple[tuple[str, int], ...]:
    """Give what keeps gRPC from asking a proxy for this machine itself, which it does for 127.0.0.1 too."""
    host = address.rpartition(":")[0].strip("[]").lower()
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost" or host.endswith(".localhost")
    return (("grpc.enable_http_proxy", 0),) if loopback else ()


def server(interceptors: Sequence[grpc.aio.ServerInterceptor]) -> grpc.aio.Server:
    """Make a server with the options that every Trisect server has."""
    return grpc.aio.server(interceptors=list(interceptors), options=SERVER_OPTIONS)
