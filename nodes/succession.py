"""How this party's keys are succeeded: drawn and kept, published, and put in place once the consortium has them.

New keys are in the keystore before anybody hears of them, and stay there until the statement about them stands in
the node's verified directory. So a node that is killed anywhere between is never without the keys that count.
Not here: what a succession means to others (`trisect.trust.membership`).
"""

from __future__ import annotations

import asyncio
import logging

from nodes.link import Link
from nodes.members import Members
from trisect.clock import Clock, Randomness, to_text
from trisect.errors import ConflictError, TimedOutError, TrisectError, UnreachableError
from trisect.trust import documents
from trisect.trust.keys import Fingerprint
from trisect.trust.statements import Succession
from trisect.wire.v1 import directory_pb2

_log = logging.getLogger(__name__)
_TIMEOUT_S = 15.0


class Successions:
    """Lets the keys of this node's party be succeeded."""

    def __init__(self, members: Members, link: Link, *, clock: Clock, randomness: Randomness) -> None:
        self._members = members
        self._link = link
        self._clock = clock
        self._randomness = randomness
        self._one_at_a_time = asyncio.Lock()

    async def succeed(self, fingerprint: str) -> Fingerprint:
        """Have new keys follow the ones of a fingerprint; gives the new fingerprint.

        Where they have been succeeded already nothing is done, so that the same act can be repeated.

        Raises:
            DeniedError: this party is not admitted and active.
            ConflictError: its key is another one, or another statement about it came first.
            UnreachableError: the coordinator cannot be reached, or was lost before it could be known what it did.
        """
        self._members.require_active()
        async with self._one_at_a_time:
            await self._members.sync()
            known = [key.fingerprint for key in self._link.keys.identities]
            if fingerprint not in known:
                raise ConflictError(
                    f"the key of {self._members.name} is {known[-1]}",
                    hint="look at `trisect status`; somebody else may have had it succeeded",
                )
            if fingerprint == known[-1]:
                await self._succeed()
            return self._link.keys.identity.public.fingerprint

    async def _succeed(self) -> None:
        await self._link.change_keys(lambda keys: keys.with_successor(self._randomness))
        keys = self._link.keys
        if keys.successor is None:  # what an earlier attempt had published has come into the log just now
            return
        succession = Succession(
            consortium=self._members.membership.consortium,
            party=self._members.name,
            former=keys.identity.public,
            keys=keys.successor.public,
            serial=self._members.membership.next_serial(self._members.name),
            issuer=self._members.name,
            issued=to_text(self._clock()),
        )
        envelope = documents.sign(
            Succession.KIND, succession.to_body(), [keys.identity, keys.successor.identity]
        )
        try:
            async with self._link.translated():
                await self._link.directory.Publish(
                    directory_pb2.PublishRequest(envelope=envelope), timeout=_TIMEOUT_S
                )
            await self._members.sync()
        except (UnreachableError, TimedOutError) as error:
            raise _unknown(error) from error
        if self._link.keys.identity != keys.successor.identity:
            raise _unknown(UnreachableError("it does not hand the statement out"))
        _log.info("this party's keys were succeeded", extra={"party": self._members.name})


def _unknown(error: TrisectError) -> UnreachableError:
    return UnreachableError(
        f"the coordinator was told of the new key, and whether it has published it is not known: {error.message}",
        hint="the node finds out by itself. When its link is back, look at `trisect status`: if the fingerprint is "
        "still the former one, repeat the command",
    )
