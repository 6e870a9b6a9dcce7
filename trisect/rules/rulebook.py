"""The government's rulebook: limits, budgets, deadlines and witnesses, and the policies that decide.

It is written as a folder with `rulebook.toml` and `policies.cedar`, signed as one document, and in force from one
moment to another. Whoever has several goes by the newest that has begun; where that has expired nothing is in force,
since an older one does not come back. Not here: who has signed it (`trisect.trust.membership`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

from trisect import config
from trisect.clock import to_text
from trisect.errors import BadInputError, StaleError, VerificationError
from trisect.indicators.kinds import Kind
from trisect.rules.policies import Policies
from trisect.rules.validity import check_life, check_moment
from trisect.rules.vocabulary import EngineName, Purpose
from trisect.trust import canonical_json
from trisect.trust.canonical_json import Json
from trisect.trust.statements import Role, party_name

TOML_FILE = "rulebook.toml"
POLICIES_FILE = "policies.cedar"
MAX_TOML_BYTES = 64 * 1024
LONGEST = dt.timedelta(days=3 * 366)
LEAST_HEAD_AGE_S = 60
"""Less would stop exchanges whenever a witness is slow."""
ANNOUNCED_DAYS = (30, 7, 1)
"""How many days ahead the expiry of a rulebook is announced."""
_DOMAIN = b"trisect/rulebook/v1\x00"
_NOUN = "rulebook key"


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds for every exchange.

    Attributes:
        min_set: entries that a set has at least, in `match` and `count`.
        max_set: entries that a set has at most.
        max_walk: the largest share of a kind's number space that one asker may walk within the rulebook's life.
        max_head_age_s: how old the newest counted head of the record may be for a permit.
        min_voluntariness: of a consent that may be a basis, 0 to 100.
        retention_days: how long an asker may keep hits at most.
        engines: those that may run.
        count_unit: a count is told as a multiple of this.
        count_epsilon: of the discrete Laplace noise in a count.
    """

    min_set: int = 10
    max_set: int = 20_000_000
    max_walk: float = 0.01
    max_head_age_s: int = 3_600
    min_voluntariness: int = 60
    retention_days: int = 365
    engines: tuple[EngineName, ...] = (EngineName.ECDH,)
    count_unit: int = 10
    count_epsilon: float = 1.0


@dataclass(frozen=True, slots=True)
class Budget:
    """How many elements one asker may have evaluated by one answerer, for one purpose, in one budget day (UTC)."""

    purpose: Purpose
    elements_per_day: int


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Within what time somebody has to act."""

    breach_reply_days: int = 14
    appeal_days: int = 30
    contest_days: int = 30
    stale_hits_days: int = 7
    leak_report_hours: int = 72
    silence_hours: int = 24
    suspension_days: int = 14


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Who cosigns heads of the record, of each role an odd number; of none the eldest active party does."""

    provider: tuple[str, ...] = ()
    government: tuple[str, ...] = ()
    proxy: tuple[str, ...] = ()

    def of(self, role: Role) -> tuple[str, ...]:
        """Name the witnesses of a role."""
        found: tuple[str, ...] = getattr(self, role.value)
        return found


@dataclass(frozen=True, slots=True)
class AcceptedWalk:
    """A sentence by which the signers take a larger share of a kind's number space than `max_walk` upon themselves."""

    kind: Kind
    share: float
    sentence: str


@dataclass(frozen=True, slots=True)
class Provisions:
    """All that stands in `rulebook.toml`.

    Attributes:
        version: 1, and one more with every rulebook that follows.
        title: for people.
        title_zh: the same in Chinese, or empty.
        valid_from: when it begins.
        valid_until: when it ends.
        grace_until: until when offers may still name the former version; `valid_from` at least.
        approvals: how many officers sign rulebooks, admissions, expulsions and grants of budget.
    """

    version: int
    title: str
    valid_from: dt.datetime
    valid_until: dt.datetime
    grace_until: dt.datetime | None = None
    title_zh: str = ""
    approvals: int = 2
    limits: Limits = field(default_factory=Limits)
    budgets: tuple[Budget, ...] = ()
    deadlines: Deadlines = field(default_factory=Deadlines)
    witnesses: Witnesses = field(default_factory=Witnesses)
    accepted_walks: tuple[AcceptedWalk, ...] = ()

    def check(self) -> None:
        """Check what types cannot say; raises BadInputError naming the key."""
        check_life(_NOUN, self.valid_from, self.valid_until, LONGEST)
        _check_grace(self.valid_from, self.valid_until, self.grace_until)
        for name, least, most, value in (
            ("version", 1, 2**31, self.version),
            ("approvals", 1, 16, self.approvals),
            ("limits.min_set", 1, self.limits.max_set, self.limits.min_set),
            ("limits.max_set", 1, 2**40, self.limits.max_set),
            ("limits.max_walk", 0, 1, self.limits.max_walk),
            ("limits.max_head_age_s", LEAST_HEAD_AGE_S, 7 * 86_400, self.limits.max_head_age_s),
            ("limits.min_voluntariness", 0, 100, self.limits.min_voluntariness),
            ("limits.retention_days", 1, 3_660, self.limits.retention_days),
            ("limits.count_unit", 1, 10_000, self.limits.count_unit),
            ("limits.count_epsilon", 0.01, 10, self.limits.count_epsilon),
            *((f"budgets of {one.purpose}", 1, 2**50, one.elements_per_day) for one in self.budgets),
            *(
                (f"deadlines.{name}", 1, 3_660, getattr(self.deadlines, name))
                for name in Deadlines.__dataclass_fields__
            ),
            *((f"accepted_walks of {one.kind}", 0, 1, one.share) for one in self.accepted_walks),
        ):
            if not least <= value <= most:
                raise BadInputError(
                    f"{_NOUN} {name} must be from {least} to {most}",
                    hint="mend the number in the rulebook's TOML file",
                )
        if not self.title.strip():
            raise BadInputError(
                f"{_NOUN} title is empty", hint="give the rulebook a title that people know it by"
            )
        if not self.limits.engines:
            raise BadInputError(f"{_NOUN} limits.engines names no engine", hint='write engines = ["ecdh"]')
        _check_once("budgets", (one.purpose for one in self.budgets))
        _check_once("accepted_walks", (one.kind for one in self.accepted_walks))
        if silent := [one.kind for one in self.accepted_walks if not one.sentence.strip()]:
            raise BadInputError(
                f"{_NOUN} accepted_walks of {silent[0]} has no sentence that accepts it",
                hint="write down who accepts it and why",
            )
        for role in Role:
            named = self.witnesses.of(role)
            _check_once(f"witnesses.{role}", map(party_name, named))
            if named and len(named) % 2 == 0:
                raise BadInputError(
                    f"{_NOUN} witnesses.{role} must name an odd number of parties", hint="1, 3, 5 ..."
                )

    def budget(self, purpose: Purpose) -> int:
        """Tell the elements a day for a purpose, 0 where no budget names it."""
        return next((one.elements_per_day for one in self.budgets if one.purpose is purpose), 0)


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One rulebook: its terms, its policies, and the text that both were read from.

    Attributes:
        provisions: what stands in `rulebook.toml`.
        policies: what stands in `policies.cedar`.
        toml: the text of the one; that of the other is `policies.text`.
        hash: SHA-256 over both texts, by which offers and permits name it.
    """

    provisions: Provisions
    policies: Policies
    toml: str
    hash: bytes

    @classmethod
    def parse(cls, toml: str, policies: str) -> Self:
        """Read a rulebook.

        Raises:
            BadInputError: a key is unknown, missing or out of its range, or the policies are not sound.
        """
        if len(toml.encode()) > MAX_TOML_BYTES:
            raise BadInputError(f"{TOML_FILE} has more than {MAX_TOML_BYTES} bytes", hint="shorten its texts")
        provisions = config.parse(Provisions, toml, _NOUN)
        provisions.check()
        content: dict[str, Json] = {"toml": toml, "policies": policies}
        found = hashlib.sha256(_DOMAIN + canonical_json.encode(content)).digest()
        return cls(provisions, Policies.parse(policies), toml, found)

    @property
    def content(self) -> dict[str, Json]:
        """The rulebook as its signed document carries it."""
        return {"toml": self.toml, "policies": self.policies.text, "approvals": self.provisions.approvals}

    @classmethod
    def of_texts(cls, toml: object, policies: object) -> Self:
        """Read a rulebook out of its signed document's two texts; raises VerificationError."""
        if not isinstance(toml, str) or not isinstance(policies, str):
            raise VerificationError("a rulebook's document does not hold its two texts")
        try:
            return cls.parse(toml, policies)
        except BadInputError as error:
            raise VerificationError(f"a signed rulebook is not sound: {error.message}") from error


class Rulebooks:
    """All rulebooks that were published, oldest first."""

    def __init__(self, published: Iterable[Rulebook]) -> None:
        self._published = tuple(published)

    def __iter__(self) -> Iterator[Rulebook]:
        return iter(self._published)

    @property
    def newest(self) -> Rulebook | None:
        """The one with the highest version, in force or not yet."""
        return self._published[-1] if self._published else None

    def at(self, moment: dt.datetime) -> Rulebook:
        """Give the rulebook in force at a moment.

        Raises:
            StaleError: none has been published, none has begun, or the newest that has begun has ended.
        """
        begun = [one for one in self._published if one.provisions.valid_from <= moment]
        if not begun:
            raise StaleError(
                "no rulebook is in force" + (" yet" if self._published else ": none has been published"),
                hint="the government publishes one with `trisect rulebook publish`"
                + ("; where one should be in force already, set the clocks (NTP)" if self._published else ""),
            )
        found = begun[-1]
        if moment >= found.provisions.valid_until:
            raise StaleError(
                f"rulebook {found.provisions.version} expired at {to_text(found.provisions.valid_until)}",
                hint="the government publishes a new one; until then nothing new is exchanged",
            )
        return found

    def last(self, moment: dt.datetime) -> Rulebook:
        """Give the one after which none is in force any more: that of a moment, or its successors'.

        Raises:
            StaleError: none is in force at that moment.
        """
        found = self.at(moment)
        for one in self._published[self._published.index(found) + 1 :]:
            if one.provisions.valid_from <= found.provisions.valid_until:
                found = one
        return found

    def announced(self, moment: dt.datetime) -> tuple[Rulebook, int] | None:
        """Tell which rulebook ends with none to follow, and within how many days of `ANNOUNCED_DAYS`; else None."""
        try:
            found = self.last(moment)
        except StaleError:  # then nothing is announced any more: it has ended
            return None
        left = found.provisions.valid_until - moment
        due = [days for days in ANNOUNCED_DAYS if left <= dt.timedelta(days=days)]
        return (found, min(due)) if due else None

    def named(self, wanted: bytes, moment: dt.datetime) -> Rulebook:
        """Give the rulebook of a hash, if an exchange may go by it at a moment.

        It is the one in force, or during the grace of that one the one before.

        Raises:
            StaleError: it is another, which an end that is behind learns within a minute.
        """
        now = self.at(moment)
        if now.hash == wanted:
            return now
        at = self._published.index(now)
        former = self._published[at - 1] if at else None
        grace = now.provisions.grace_until
        if (
            former is not None
            and former.hash == wanted
            and grace is not None
            and moment < min(grace, former.provisions.valid_until)
        ):
            return former
        raise StaleError(
            f"another rulebook than number {now.provisions.version} is named, which is in force",
            hint="the end that is behind gets it within a minute; try again then",
        )


def _check_grace(begins: dt.datetime, ends: dt.datetime, grace: dt.datetime | None) -> None:
    if grace is not None:
        check_moment(_NOUN, "grace_until", grace)
        if not begins <= grace <= ends:
            raise BadInputError(
                f"{_NOUN} grace_until must lie between valid_from and valid_until",
                hint="choose a time between the two, or leave it out",
            )


def _check_once(name: str, found: Iterable[str]) -> None:
    seen: set[str] = set()
    for one in found:
        if one in seen:
            raise BadInputError(f"{_NOUN} {name} names {one} twice", hint="keep one of the two")
        seen.add(one)
