"""Statements of this node on their way to everybody: signed here, approved by officers where it takes them, published.

A proposal is a signed envelope that the administrator holds meanwhile; nothing of it is kept here, and one that was
overtaken by another statement is refused when it is published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nodes.members import Members
from trisect.errors import BadInputError, VerificationError
from trisect.rules import checking
from trisect.trust import documents
from trisect.trust.filings import FILINGS, STATEMENTS, Author, Statement
from trisect.trust.statements import party_name


@dataclass(frozen=True, slots=True)
class Proposal:
    """A statement that was signed here.

    Attributes:
        envelope: it, with this node's signature.
        approvals: how many officers have to sign it as well; 0 where it has been published.
    """

    envelope: bytes
    approvals: int


class Proposals:
    """Signs and publishes statements of this node's party."""

    def __init__(self, members: Members) -> None:
        self._members = members

    async def put(self, statement: Statement, *, only_sign: bool = False) -> Proposal:
        """Sign a statement, and publish it unless officers have to sign it first.

        Raises:
            VerificationError: nobody would take it.
            ConflictError: another statement came first.
        """
        envelope = self._members.sign(statement)
        checking.check(statement, self._members.membership)
        approvals = self._members.membership.approvals_for(statement)
        officers = self._members.membership.officers(self._members.name)
        if only_sign or approvals > 1 or (approvals and officers.named):
            return Proposal(envelope, approvals)
        await self._members.publish_signed(envelope)
        return Proposal(envelope, 0)

    async def file(
        self, kind: str, party: str, content: Mapping[str, Any], *, only_sign: bool = False
    ) -> Proposal:
        """File a document of a kind about a party, which is the own one where none is named.

        Raises:
            BadInputError: there is no such kind, or it is not about others.
            NotFoundError: there is no such party.
        """
        if kind not in FILINGS:
            raise BadInputError(
                "documents of that kind are not filed", hint="bring both ends to the same version of Trisect"
            )
        filing, own = FILINGS[kind], self._members.name
        membership = self._members.membership
        about = membership.party(party_name(party)).name if party else own
        if filing.AUTHOR is Author.GOVERNMENT:
            self._members.require_government()
        elif filing.AUTHOR is Author.ITSELF and about != own:
            raise BadInputError(
                "a party files such a document about itself only", hint="leave the party's name out"
            )
        statement = filing(
            consortium=membership.consortium,
            party=about,
            content=content,
            serial=len(membership.filed(filing, about)) + 1,
            issuer=own,
            issued=self._members.now(),
        )
        return await self.put(statement, only_sign=only_sign)

    async def publish(self, envelope: bytes) -> None:
        """Publish what was proposed here, with its officers' signatures.

        Raises:
            BadInputError: it is another party's, or no statement.
            DeniedError: officers have still to sign it.
            ConflictError: another statement came first.
        """
        kind, body = documents.peek(envelope)
        if kind not in STATEMENTS or body.get("issuer") != self._members.name:
            raise BadInputError(
                "this is no proposal of this node's party", hint="--home is the node's that made it"
            )
        trial = self._members.membership.copy()
        try:
            statement = trial.apply(envelope)
        except VerificationError as error:
            raise BadInputError(f"the proposal does not hold: {error.message}", hint=error.hint) from error
        checking.check(statement, trial)
        await self._members.publish_signed(envelope)
