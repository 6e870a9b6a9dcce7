"""A node's configuration."""

from __future__ import annotations

from dataclasses import dataclass, field

from trisect import config
from trisect.errors import BadInputError
from trisect.psi.bands import LARGEST_SET
from trisect.trust.statements import Role, party_name

DEMO = "demo"
PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class Import:
    """What a collection made by an import has unless the command says otherwise."""

    region: str = ""
    source: str = "unspecified"
    legal_basis: str = "unspecified"
    retention_days: int = 365


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
class Http:
    """Where /live, /ready and /metrics are served."""

    listen: str = "127.0.0.1:0"


@dataclass(frozen=True, slots=True)
class Config:
    """`config.toml` of a node's home; `join` writes the first four keys."""

    consortium: str
    party: str
    role: str
    coordinator: str
    founder: str = ""
    database: str = ""
    profile: str = PRODUCTION
    log_level: str = "info"
    imports: Import = field(default_factory=Import)
    limits: Limits = field(default_factory=Limits)
    timeouts: Timeouts = field(default_factory=Timeouts)
    http: Http = field(default_factory=Http)

    def check(self) -> None:
        """Check what types cannot say; raises BadInputError."""
        party_name(self.party)
        if self.role not in {role.value for role in Role}:
            raise BadInputError("configuration key role must be provider, government or proxy")
        if self.profile not in {PRODUCTION, DEMO}:
            raise BadInputError("configuration key profile must be production or demo")
        if not 0 < self.limits.min_set <= self.limits.max_set <= LARGEST_SET:
            raise BadInputError(f"limits.min_set and limits.max_set must lie between 1 and {LARGEST_SET}")
        if not 0 < self.limits.max_exchanges <= 64:  # noqa: PLR2004
            raise BadInputError("limits.max_exchanges must lie between 1 and 64")
        if self.imports.retention_days <= 0 or self.limits.import_workers < 0:
            raise BadInputError(
                "imports.retention_days must be above zero, limits.import_workers not below it"
            )
        config.check_address("coordinator", self.coordinator)
        config.check_common(self.log_level, self.http.listen)
        config.check_positive(
            timeouts__call_s=self.timeouts.call_s,
            timeouts__peer_idle_s=self.timeouts.peer_idle_s,
            timeouts__write_s=self.timeouts.write_s,
        )
