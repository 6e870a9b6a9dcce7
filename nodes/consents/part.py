"""Everything of a node that has to do with consents, put together."""

from __future__ import annotations

from collections.abc import Callable

from nodes.config import Config
from nodes.consents.committing import Committing
from nodes.consents.courier import Courier
from nodes.consents.receiving import Receiving
from nodes.consents.register import Register
from nodes.consents.replay import Replay
from nodes.link import Link
from nodes.members import Members
from nodes.peppers import Peppers
from nodes.proposals import Proposals
from nodes.services.consents import ConsentsService
from nodes.services.persons import PersonsService
from trisect.clock import Clock, Randomness
from trisect.daemon import Tasks
from trisect.store.consent_epochs import ConsentEpochs
from trisect.store.consents import Consents
from trisect.store.database import Database
from trisect.store.delegating import Delegations
from trisect.store.granting import GrantedConsents
from trisect.trust.statements import Role


class ConsentsPart:
    """What every node does with consents, and what a proxy's does besides.

    Attributes:
        replay: tells whether this node knows all consents that it must.
        receiving: takes in what proxies tell.
        service: serves administrators of a proxy.
        persons: serves a proxy's apps.
    """

    def __init__(
        self,
        database: Database,
        members: Members,
        link: Link,
        peppers: Peppers,
        proposals: Proposals,
        *,
        clock: Clock,
        randomness: Randomness,
        config: Callable[[], Config],
    ) -> None:
        consents, granted, epochs = Consents(database), GrantedConsents(database), ConsentEpochs(database)
        self.replay = Replay(members, link, consents, clock)
        self.receiving = Receiving(members, link, consents, peppers, self.replay, clock)
        self._courier = Courier(members, link, granted, lambda: config().consents.tick_s)
        register = Register(
            members,
            link,
            granted,
            Delegations(database),
            consents,
            self.receiving,
            self.replay,
            clock=clock,
            randomness=randomness,
        )
        self._committing = Committing(
            members,
            register,
            epochs,
            proposals,
            randomness=randomness,
            epoch_s=lambda: config().consents.epoch_s,
        )
        self.service = ConsentsService(register, self._committing, self._courier)
        self.persons = PersonsService(register, self.service, clock)

    def keep(self, tasks: Tasks, role: str) -> None:
        """Start what goes on by itself."""
        tasks.keep(self.receiving.run, "take in consents")
        if role == Role.PROXY:
            tasks.keep(self._courier.run, "tell of consents")
            tasks.keep(self._committing.run, "commit to consents")
