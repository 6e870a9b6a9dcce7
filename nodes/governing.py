"""What a government's administrator does to the consortium: admit, suspend, reinstate, expel, vouch for the coordinator.

Each is a statement that this node signs and publishes, and takes back in as every node does (`nodes.members`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from nodes.link import Link
from nodes.members import Members
from nodes.proposals import Proposal, Proposals
from trisect.clock import from_text, to_text
from trisect.errors import ConflictError, DeniedError, NotFoundError, VerificationError
from trisect.rules.regime import Regime
from trisect.trust.keys import IdentityPublic, PartyName, normal_fingerprint
from trisect.trust.statements import (
    COORDINATOR,
    Admission,
    CoordinatorKey,
    KeyCheck,
    PartyKeys,
    Role,
    Standing,
    StandingChange,
    Vetting,
)
from trisect.wire.convert import keys_from_wire
from trisect.wire.v1 import directory_pb2

_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Applicant:
    """A party that has enrolled and waits for admission, as the coordinator tells it."""

    name: PartyName
    role: Role
    keys: PartyKeys


class Governing:
    """A government's statements about others."""

    def __init__(self, members: Members, link: Link, proposals: Proposals) -> None:
        self._members = members
        self._link = link
        self._proposals = proposals

    async def applicants(self) -> list[Applicant]:
        """List who waits for admission. Their keys are the coordinator's word."""
        async with self._link.translated():
            reply = await self._link.directory.ListApplicants(
                directory_pb2.ListApplicantsRequest(), timeout=_TIMEOUT_S
            )
        return [
            Applicant(
                PartyName(found.name),
                Role(found.role),
                keys_from_wire(found.keys),
            )
            for found in reply.applicants
        ]

    async def admit(
        self, name: str, fingerprint: str, role: str = "", vetting: Vetting | None = None
    ) -> Proposal | None:
        """Admit an applicant, compared with the fingerprint that it gave out of band.

        Gives the admission as it was proposed, None where the party has been admitted before. Its role is the coordinator's word, so a government, which could admit others, has to be expected.

        Raises:
            DeniedError: the applicant is a government, and `role` does not say so.
            ConflictError: it has another role than expected.
            VerificationError: the coordinator presents another key than the party's own.
            NotFoundError: nobody of that name waits.
        """
        self._members.require_government()
        found = {applicant.name: applicant for applicant in await self.applicants()}.get(PartyName(name))
        if found is None:
            known = self._members.membership.parties.get(PartyName(name))
            if known is None:
                raise NotFoundError(
                    "no party of that name waits for admission", hint="`trisect party list` shows who does"
                )
            if fingerprint and normal_fingerprint(fingerprint) != known.keys.identity.fingerprint:
                raise VerificationError(f"{name} was admitted with another key than the given fingerprint's")
            return None
        presented = found.keys.identity.fingerprint
        if fingerprint and normal_fingerprint(fingerprint) != presented:
            raise VerificationError(
                f"the coordinator presents the key {presented} for {name}, not the one of the given fingerprint",
                hint="do not admit it: either the fingerprint was mistyped, or somebody between has swapped the key",
            )
        _check_role(found, role)
        admission = Admission(
            consortium=self._members.membership.consortium,
            party=PartyName(name),
            role=found.role,
            keys=found.keys,
            key_check=KeyCheck.FINGERPRINT if fingerprint else KeyCheck.NONE,
            serial=self._members.membership.next_serial(PartyName(name)),
            issuer=self._members.name,
            issued=self._members.now(),
            vetting=vetting,
        )
        return await self._proposals.put(admission)

    async def change_standing(
        self, name: str, standing: Standing, reason: str, until: str = ""
    ) -> Proposal | None:
        """Suspend, reinstate or expel a party; gives the proposed change, None where there is nothing to change.

        A suspension lapses `until` then, or after the longest time that the rulebook leaves it.
        """
        self._members.require_government()
        party = self._members.membership.party(name)
        if party.name == self._members.name:
            raise ConflictError(
                "a party does not change its own standing", hint="ask another government party"
            )
        if party.standing is standing:
            return None
        issued = self._members.now()
        if standing is Standing.SUSPENDED and not until:
            days = Regime(self._members.membership).deadlines(from_text(issued)).suspension_days
            until = to_text(from_text(issued) + dt.timedelta(days=days))
        return await self._proposals.put(
            StandingChange(
                consortium=self._members.membership.consortium,
                party=party.name,
                standing=standing,
                reason=reason,
                until=until,
                serial=self._members.membership.next_serial(party.name),
                issuer=self._members.name,
                issued=issued,
            )
        )

    async def vouch_for_coordinator(self, key: IdentityPublic) -> None:
        """As the eldest government, state the first key by which the coordinator signs heads of the record."""
        if (
            self._members.membership.pepper_keeper == self._members.name
            and not self._members.membership.coordinator_keys
        ):
            await self._members.publish(
                CoordinatorKey(
                    consortium=self._members.membership.consortium,
                    party=COORDINATOR,
                    key=key,
                    serial=1,
                    issuer=self._members.name,
                    issued=self._members.now(),
                )
            )


def _check_role(applicant: Applicant, expected: str) -> None:
    if expected and expected != applicant.role:
        raise ConflictError(
            f"{applicant.name} was invited as {applicant.role.value}, not as {expected}",
            hint="ask the coordinator's administrator; a new invitation can name another role",
        )
    if applicant.role is Role.GOVERNMENT and not expected:
        raise DeniedError(
            f"{applicant.name} was invited as a government, which admits and suspends others",
            hint="if that is meant, repeat with --role government",
        )
