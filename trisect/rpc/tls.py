"""Channels and ports with mutual TLS 1.3. Not here: who may call what (`trisect.rpc.authorisation`)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence

import grpc
import grpc.aio

from trisect.rpc.options import CLIENT_OPTIONS, MAX_MESSAGE_BYTES, SERVER_OPTIONS
from trisect.trust.certificates import COORDINATOR_HOST, NODE_HOST, TlsIdentity


def coordinator_channel(address: str, authority: bytes, identity: TlsIdentity) -> grpc.aio.Channel:
    """Open a channel to the coordinator, which must show a certificate of the pinned authority.

    Args:
        address: HOST:PORT.
        authority: the pinned CA certificate, PEM.
        identity: the caller's own key and certificate.

    `https_proxy` and `http_proxy` are heeded, but not for a coordinator on this very machine.
    """
    return _channel(address, authority, identity, COORDINATOR_HOST)


def node_channel(address: str, authority: bytes, identity: TlsIdentity) -> grpc.aio.Channel:
    """Open a channel to the port that a party's node has for the party's own programs, as `coordinator_channel` does."""
    return _channel(address, authority, identity, NODE_HOST)


def _channel(address: str, authority: bytes, identity: TlsIdentity, name: str) -> grpc.aio.Channel:
    credentials = grpc.ssl_channel_credentials(authority, identity.key, identity.certificate)
    options = (*CLIENT_OPTIONS, ("grpc.ssl_target_name_override", name), *_proxy_options(address))
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


def _proxy_options(address: str) -> tuple[tuple[str, int], ...]:
    """Give what keeps gRPC from asking a proxy for this machine itself, which it does for 127.0.0.1 too."""
    host = address.rpartition(":")[0].strip("[]").lower()
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost" or host.endswith(".localhost")
    return (("grpc.enable_http_proxy", 0),) if loopback else ()


def server(
    interceptors: Sequence[grpc.aio.ServerInterceptor], *, largest: int = MAX_MESSAGE_BYTES
) -> grpc.aio.Server:
    """Make a server with the options that every Trisect server has, and messages of so many bytes at most."""
    options = (*SERVER_OPTIONS, ("grpc.max_receive_message_length", largest))
    return grpc.aio.server(interceptors=list(interceptors), options=options)
