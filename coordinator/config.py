"""The coordinator's configuration."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from trisect import config
from trisect.errors import BadInputError

DEMO = "demo"
PRODUCTION = "production"
RELOADABLE = frozenset(
    (
        "drain_s",
        "log_level",
        "relay.call_timeout_s",
        "relay.idle_timeout_s",
        "relay.max_exchanges_per_party",
        "relay.pair_timeout_s",
        "relay.write_timeout_s",
    )
)
"""Keys that may change while the coordinator runs."""


@dataclass(frozen=True, slots=True)
class Relay:
    """Limits of the relay, and the demo's recorder."""

    pair_timeout_s: float = 20.0
    call_timeout_s: float = 15.0
    write_timeout_s: float = 120.0
    idle_timeout_s: float = 10_800.0
    max_exchanges_per_party: int = 128
    record_to: str = ""


@dataclass(frozen=True, slots=True)
class Http:
    """Where /live, /ready and /metrics are served."""

    listen: str = "127.0.0.1:0"


@dataclass(frozen=True, slots=True)
class Config:
    """`config.toml` of a coordinator's home."""

    consortium: str
    listen: str = "127.0.0.1:0"
    advertise: str = ""
    database: str = ""
    profile: str = PRODUCTION
    log_level: str = "info"
    drain_s: float = 30.0
    certificate_days: float = 30.0
    party_certificate_hours: float = 24.0 * 7
    relay: Relay = field(default_factory=Relay)
    http: Http = field(default_factory=Http)

    def check(self) -> None:
        """Check what types cannot say; raises BadInputError."""
        config.check_consortium(self.consortium)
        config.check_database(self.database)
        if self.profile not in {PRODUCTION, DEMO}:
            raise BadInputError(
                "configuration key profile must be production or demo",
                hint="leave it out unless this is a demonstration",
            )
        if self.relay.record_to and self.profile != DEMO:
            raise BadInputError(
                "the relay recorder exists under the demo only", hint="remove [relay] record_to"
            )
        if not 0 <= self.drain_s < math.inf:
            raise BadInputError(
                "configuration key drain_s must not be below zero", hint="0 waits for nothing"
            )
        config.check_reachable(self.listen, self.advertise)
        config.check_common(self.log_level, self.http.listen)
        config.check_positive(
            certificate_days=self.certificate_days,
            party_certificate_hours=self.party_certificate_hours,
            relay__pair_timeout_s=self.relay.pair_timeout_s,
            relay__call_timeout_s=self.relay.call_timeout_s,
            relay__write_timeout_s=self.relay.write_timeout_s,
            relay__idle_timeout_s=self.relay.idle_timeout_s,
            relay__max_exchanges_per_party=self.relay.max_exchanges_per_party,
        )
