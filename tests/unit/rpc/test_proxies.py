"""Which coordinators are asked for past a proxy."""

from __future__ import annotations

import pytest

from trisect.rpc import tls


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1.2.3", "localhost", "LOCALHOST", "relay.localhost", "[::1]", "::1"]
)
def test_this_machine_is_reached_past_the_proxy(host: str) -> None:
    assert tls._proxy_options(f"{host}:7443") == (("grpc.enable_http_proxy", 0),)


@pytest.mark.parametrize(
    "host", ["192.0.2.2", "10.0.0.1", "relay.example", "localhost.example", "[2001:db8::1]", "127.example"]
)
def test_another_machine_is_reached_through_it(host: str) -> None:
    assert tls._proxy_options(f"{host}:7443") == ()
