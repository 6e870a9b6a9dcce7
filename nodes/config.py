"""A node's configuration."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from phonenumbers import SUPPORTED_REGIONS

from trisect import config
from trisect.errors import BadInputError
from trisect.psi.bands import LARGEST_SET
from trisect.rules.vocabulary import checked_basis
from trisect.trust.keys import is_fingerprint
from trisect.trust.statements import Role, party_name

DEMO = "demo"
PRODUCTION = "production"
RELOADABLE = frozenset(
    (
        "consents.epoch_s",
        "consents.tick_s",
        "drain_s",
        "imports.legal_basis",
        "imports.region",
        "imports.retention_days",
        "imports.source",
        "limits.max_exchanges",
        "limits.max_set",
        "limits.min_set",
        "log_level",
        "stale_hits.tick_s",
        "timeouts.call_s",
        "timeouts.peer_idle_s",
        "timeouts.write_s",
    )
)
"""Keys that may change while the node runs."""


@dataclass(frozen=True, slots=True)
class Import:
    """What a collection made by an import has unless the command says otherwise."""

    region: str = ""
    source: str = "unspecified"
    legal_basis: str = "unspecified"
    retention_days: int = 365

    def check(self) -> None:
        """Check what types cannot say; raises BadInputError."""
        if self.region and self.region not in SUPPORTED_REGIONS:
            raise BadInputError(
                "configuration key imports.region must be an ISO 3166 country code in capitals",
                hint="for example GB, CN, US; empty takes none for granted",
            )
        checked_basis(self.legal_basis)
        config.check_positive(imports__retention_days=self.retention_days)


@dataclass(frozen=True, slots=True)
class Limits:
    """This party's own limits; they can only deny."""

    min_set: int = 10
    max_set: int = LARGEST_SET
    max_exchanges: int = 4
    import_workers: int = 0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long the node waits for others, in seconds."""

    call_s: float = 20.0
    peer_idle_s: float = 60.0
    write_s: float = 120.0


@dataclass(frozen=True, slots=True)
class Consents:
    """How a proxy tells of consents, in seconds.

    Attributes:
        tick_s: from one frame to every party to the next.
        epoch_s: from one commitment in the public record to the next, where there is something to commit to.
    """

    tick_s: float = 10.0
    epoch_s: float = 60.0

    def check(self) -> None:
        """Check that what people take back has effect within a minute; raises BadInputError."""
        for name, value, most in (("tick_s", self.tick_s, 30.0), ("epoch_s", self.epoch_s, 3_600.0)):
            if not 0 < value <= most:
                raise BadInputError(
                    f"configuration key consents.{name} must be above 0 and at most {most:.0f} seconds",
                    hint="what a person takes back has effect at the parties within a minute; leave it out",
                )


@dataclass(frozen=True, slots=True)
class StaleHits:
    """How askers are told that hits may be stale.

    Attributes:
        tick_s: from one frame to everybody who has matched a list here to the next, in seconds.
    """

    tick_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Http:
    """Where /live, /ready and /metrics are served."""

    listen: str = "127.0.0.1:0"


@dataclass(frozen=True, slots=True)
class Apps:
    """Where a proxy's node serves the proxy's own apps over TLS; empty serves none.

    Attributes:
        advertise: the HOST:PORT under which apps reach it, where that is not `listen`.
    """

    listen: str = ""
    advertise: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """`config.toml` of a node's home; `join` writes the first five keys."""

    consortium: str
    party: str
    role: str
    coordinator: str
    founder: str = ""
    database: str = ""
    profile: str = PRODUCTION
    log_level: str = "info"
    drain_s: float = 30.0
    imports: Import = field(default_factory=Import)
    limits: Limits = field(default_factory=Limits)
    timeouts: Timeouts = field(default_factory=Timeouts)
    consents: Consents = field(default_factory=Consents)
    stale_hits: StaleHits = field(default_factory=StaleHits)
    http: Http = field(default_factory=Http)
    apps: Apps = field(default_factory=Apps)

    def check(self) -> None:
        """Check what types cannot say; raises BadInputError."""
        party_name(self.party)
        config.check_consortium(self.consortium)
        config.check_database(self.database)
        self.imports.check()
        self.consents.check()
        if self.role not in {role.value for role in Role}:
            raise BadInputError(
                "configuration key role must be provider, government or proxy",
                hint="set it to the role that this party was invited with",
            )
        check_founder("configuration key founder", self.founder, self.role)
        if self.profile not in {PRODUCTION, DEMO}:
            raise BadInputError(
                "configuration key profile must be production or demo",
                hint="leave it out unless this is a demonstration",
            )
        if not 0 < self.limits.min_set <= self.limits.max_set <= LARGEST_SET:
            raise BadInputError(
                f"limits.min_set and limits.max_set must lie between 1 and {LARGEST_SET}",
                hint="leave both out for the defaults",
            )
        if not 0 < self.limits.max_exchanges <= 64:  # noqa: PLR2004
            raise BadInputError(
                "limits.max_exchanges must lie between 1 and 64", hint="leave it out for the default"
            )
        if self.limits.import_workers < 0:
            raise BadInputError(
                "configuration key limits.import_workers must not be below zero",
                hint="0 means as many as there are processors",
            )
        if not 0 <= self.drain_s < math.inf:
            raise BadInputError(
                "configuration key drain_s must not be below zero", hint="0 waits for nothing"
            )
        config.check_address("coordinator", self.coordinator)
        if self.apps.listen:
            config.check_reachable(self.apps.listen, self.apps.advertise, "apps.")
            if self.role != Role.PROXY:
                raise BadInputError(
                    "configuration key apps.listen is for a proxy's node alone", hint="leave it out"
                )
        config.check_common(self.log_level, self.http.listen)
        config.check_positive(
            timeouts__call_s=self.timeouts.call_s,
            timeouts__peer_idle_s=self.timeouts.peer_idle_s,
            timeouts__write_s=self.timeouts.write_s,
            consents__tick_s=self.consents.tick_s,
            consents__epoch_s=self.consents.epoch_s,
            stale_hits__tick_s=self.stale_hits.tick_s,
        )


def check_founder(what: str, fingerprint: str, role: str) -> None:
    """Check a founding government's fingerprint, by which a node knows its consortium; raises BadInputError.

    Args:
        what: where the fingerprint stands, for the message.
        fingerprint: of the founding government; empty at the government that founds, and nowhere else.
        role: of the node's own party.
    """
    if not fingerprint and role != Role.GOVERNMENT.value:
        raise BadInputError(
            f"{what} is missing: without it a node would believe whatever consortium its coordinator shows",
            hint="ask for a new invitation; the fingerprint is the founding government's, which reads it to you",
        )
    if fingerprint and not is_fingerprint(fingerprint):
        raise BadInputError(
            f"{what} must have eight groups of four letters or digits 2-7, joined by -",
            hint="`trisect status` at the founding government's node shows it",
        )
