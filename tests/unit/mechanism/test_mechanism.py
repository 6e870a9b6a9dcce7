"""The whole mechanism, done in any order: never a disclosure outside of rule and consent, and each that is within them.

People consent and take back, lists are imported, rulebooks change, peppers rotate, parties are suspended, the proxy's word
comes or does not, time passes, the bank's node is killed and its old backup restored; and the telco asks.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from unit.mechanism.cast import BANK, PROXY, PURPOSES, TELCO, Cast

from nodes.consents.replay import GRACE_S
from trisect.errors import ConflictError, DeniedError, StaleError
from trisect.rules.consents import Consent
from trisect.rules.vocabulary import Purpose
from trisect.store.database import Database, sqlite_url
from trisect.trust.statements import Standing

PERSONS = range(4)
SOME_PERSONS = st.sets(st.sampled_from(PERSONS), min_size=1)
SOME_PURPOSES = st.sets(st.sampled_from(PURPOSES), min_size=1)
REFUSALS = (DeniedError, StaleError, ConflictError)


@dataclass
class Given:
    """A consent as the person knows it.

    Attributes:
        person: whose.
        consent: what was said.
        number: of the proxy's that its giving has.
        withdrawn: the number of its withdrawal, 0 while it was not taken back.
    """

    person: int
    consent: Consent
    number: int
    withdrawn: int = 0


class Mechanism(RuleBasedStateMachine):
    """What people, parties and fate may do, and what must never follow."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.cast = Cast(Path(self.folder.name), self.template)
        self.run(self.cast.begin())
        self.given: list[Given] = []
        self.listed: set[int] = set()
        self.ruled: set[Purpose] = set()
        self.suspended: dict[str, dt.datetime] = {}
        self.committed: list[tuple[dt.datetime, int]] = []
        self.must_know = 0
        """Up to which number the bank's node must know whatever it has been told, since it has started."""
        self.backups: list[tuple[Path, set[int], int]] = []

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.cast.close()
        self.runner.close()
        self.folder.cleanup()

    @property
    def now(self) -> dt.datetime:
        return self.cast.clock.now

    # People.

    @rule(
        person=st.sampled_from(PERSONS),
        purposes=SOME_PURPOSES,
        parties=st.sampled_from([(BANK, TELCO), (BANK, TELCO), (BANK,), (TELCO,)]),
        days=st.sampled_from([1, 30, 30]),
    )
    def grant(self, person: int, purposes: set[Purpose], parties: tuple[str, ...], days: int) -> None:
        consent = self.cast.grant(person, purposes, parties, days)
        self.given.append(Given(person, consent, self.cast.granted.newest))

    @precondition(lambda self: any(not one.withdrawn for one in self.given))
    @rule(data=st.data(), commits=st.booleans())
    def revoke(self, data: st.DataObject, commits: bool) -> None:
        self.take_back(data.draw(st.sampled_from([one for one in self.given if not one.withdrawn])))
        if commits:
            self.commit()

    def take_back(self, one: Given) -> None:
        one.withdrawn = self.cast.revoke(one.consent)

    # The proxy.

    @rule()
    def deliver(self) -> None:
        self.run(self.cast.deliver())

    @precondition(lambda self: self.cast.granted.newest > (self.committed[-1][1] if self.committed else 0))
    @rule()
    def commit(self) -> None:
        self.cast.commit()
        self.committed.append((self.now, self.cast.granted.newest))

    # The bank.

    @rule(persons=SOME_PERSONS, replaces=st.booleans())
    def import_(self, persons: set[int], replaces: bool) -> None:
        self.cast.list_(persons, replaces=replaces)
        self.listed = persons if replaces else self.listed | persons

    @rule()
    def crash(self) -> None:
        self.run(self.cast.restart())
        self.must_know = self.committed[-1][1] if self.committed else 0

    @rule()
    def back_up(self) -> None:
        self.backups.append((self.cast.backup(), set(self.listed), self.cast.node.replay.cursor(PROXY)))

    @precondition(lambda self: self.backups)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        place, self.listed, _ = data.draw(st.sampled_from(self.backups))
        self.run(self.cast.restart(place))
        self.must_know = self.committed[-1][1] if self.committed else 0

    # The government.

    @initialize()
    def all_is_well(self) -> None:
        """Begin where everything is permitted, everybody is listed and has consented to something, and a backup is kept."""
        self.rulebook(set(PURPOSES))
        for person, purposes, parties, days in (
            (0, set(PURPOSES), (BANK, TELCO), 30),
            (1, {Purpose.SCAM_PREVENTION}, (BANK, TELCO), 30),
            (2, set(PURPOSES), (BANK,), 30),
            (3, set(PURPOSES), (BANK, TELCO), 1),
        ):
            self.grant(person, purposes, parties, days)
        self.import_(set(PERSONS), replaces=False)
        self.deliver()
        self.back_up()

    @rule(purposes=SOME_PURPOSES)
    def rulebook(self, purposes: set[Purpose]) -> None:
        self.pass_(1)
        self.cast.rule(sorted(purposes))
        self.ruled = purposes

    @rule()
    def rotate(self) -> None:
        self.run(self.cast.rotate())

    @precondition(lambda self: not self.suspended)
    @rule(name=st.sampled_from([PROXY, PROXY, BANK, TELCO]))
    def suspend(self, name: str) -> None:
        self.cast.stand(name, Standing.SUSPENDED)
        self.suspended[name] = self.now + dt.timedelta(days=7)

    @precondition(lambda self: self.suspended)
    @rule(data=st.data())
    def reinstate(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.suspended)))
        self.cast.stand(name, Standing.ACTIVE)
        del self.suspended[name]

    # Time.

    @rule(seconds=st.sampled_from([1, 30, 61, 130, 130, 86_400, 8 * 86_400]))
    def pass_(self, seconds: int) -> None:
        self.cast.clock.now += dt.timedelta(seconds=seconds)
        self.suspended = {name: until for name, until in self.suspended.items() if until > self.now}

    # The telco.

    @invariant()
    def ask(self) -> None:
        """After whatever has happened, the telco asks for everything."""
        for purpose in PURPOSES:
            self.judge(purpose, self.asked(purpose))

    @precondition(lambda self: any(not one.withdrawn for one in self.given))
    @rule(data=st.data(), purpose=st.sampled_from(PURPOSES))
    def ask_while_somebody_takes_back(self, data: st.DataObject, purpose: Purpose) -> None:
        one = data.draw(st.sampled_from([one for one in self.given if not one.withdrawn]))

        async def meanwhile() -> None:
            self.take_back(one)
            await self.cast.deliver()

        self.judge(purpose, self.asked(purpose, meanwhile), interrupted=True)

    def asked(self, purpose: Purpose, meanwhile: Any = None) -> set[int] | None:
        """Ask; gives whose telephones the bank's set held, None where it was refused."""
        try:
            found = self.run(self.cast.ask(purpose, meanwhile))
        except REFUSALS:
            return None
        disclosed = {person for person in PERSONS if self.cast.token(person) in found}
        assert len(disclosed) == len(found), "what was disclosed is nobody's"
        return disclosed

    def judge(self, purpose: Purpose, disclosed: set[int] | None, *, interrupted: bool = False) -> None:
        told = self.cast.node.replay.cursor(PROXY)
        least = max(
            told,
            self.must_know,
            *(number for at, number in self.committed if self.now - at >= dt.timedelta(seconds=GRACE_S)),
            0,
        )
        if PROXY in self.suspended:  # its word is not waited for, and so counts only where all of it is known
            least = max(least, self.committed[-1][1] if self.committed else 0)
        within = self.allowed(purpose, least)
        permitted = purpose in self.ruled and not {BANK, TELCO} & set(self.suspended)
        if disclosed is not None:
            assert permitted, "outside of the rulebook, or with one that is suspended"
            assert disclosed <= within, "without a consent"
        if permitted and told == self.cast.granted.newest and not interrupted:
            assert disclosed == within, "it was within rule and consent"

    def allowed(self, purpose: Purpose, known: int) -> set[int]:
        """Tell who may be disclosed, by what must be known up to a number."""
        return {
            one.person
            for one in self.given
            if one.person in self.listed
            and purpose in one.consent.purposes
            and {BANK, TELCO} <= set(one.consent.parties)
            and one.consent.expires > self.text
            and not 0 < one.withdrawn <= known
        }

    @property
    def text(self) -> str:
        return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_never_a_disclosure_outside_of_rule_and_consent(tmp_path: Path) -> None:
    Mechanism.template = tmp_path / "template.db"
    database = Database(sqlite_url(Mechanism.template))
    database.migrate("node")
    database.close()
    run_state_machine_as_test(
        Mechanism,
        settings=settings(
            max_examples=12, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
