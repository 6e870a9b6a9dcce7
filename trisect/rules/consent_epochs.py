"""Up to where consents were known when a set was taken: the consent epochs that a permit names.

A party that keeps a list on consent names, of each active proxy, the newest epoch that it has taken in whole. Whoever
judges the permit holds it against the record: an epoch that stood there before must not be missing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence

from trisect.clock import from_text
from trisect.errors import BadInputError, StaleError, VerificationError
from trisect.rules.consents import EpochCommitment
from trisect.trust.filings import ConsentsFiling, Filed
from trisect.trust.keys import PartyName
from trisect.trust.membership import Membership
from trisect.trust.party import Party
from trisect.trust.statements import Role, Standing, party_name

LAG = dt.timedelta(seconds=120)
"""How long an epoch may stand in the record before everybody has to have taken it in."""
RULE = "consents-known"


def known(membership: Membership, cursor: Callable[[PartyName], int]) -> str:
    """Name the epochs that are known here: `aid:17,union:4`.

    Args:
        membership: has what proxies have committed to.
        cursor: tells up to which of its numbers a proxy's word was taken in.
    """
    found = []
    for party, filed in _committed(membership):
        reached = [one.filing.serial for one in filed if _sequence(one) <= cursor(party.name)]
        if reached:
            found.append(f"{party.name}:{reached[-1]}")
    return ",".join(sorted(found))


def newest(membership: Membership) -> str:
    """Name the epochs of whoever knows all that stands in the record."""
    return ",".join(
        sorted(f"{party.name}:{filed[-1].filing.serial}" for party, filed in _committed(membership))
    )


def require(text: str, membership: Membership, moment: dt.datetime) -> None:
    """Check the epochs that a permit names.

    Raises:
        VerificationError: they are not written as epochs are.
        StaleError: an epoch that stood in the record before is not among them.
    """
    named = _read(text)
    for party, filed in _committed(membership):
        due = [one.filing.serial for one in filed if from_text(one.filing.issued) <= moment - LAG]
        if due and named.get(party.name, 0) < due[-1]:
            raise StaleError(
                f"a list that is kept on consent was taken before the consents of {party.name} of epoch {due[-1]} were "
                "known",
                hint="the end that is behind is told by the proxy's node within seconds; try again then",
                rule=RULE,
            )


class Lag:
    """How late what stands in the record was known; made once for many permits.

    Args:
        membership: has what proxies have committed to.
    """

    def __init__(self, membership: Membership) -> None:
        self._committed = [(party.name, list(filed)) for party, filed in _committed(membership)]

    def of(self, text: str, moment: dt.datetime) -> dt.timedelta:
        """Tell how long the oldest epoch that a permit does not name had stood there when it was decided."""
        named, longest = _read(text), dt.timedelta()
        for name, filed in self._committed:
            missing = filed[named.get(name, 0) : named.get(name, 0) + 1]  # epochs are numbered from 1
            for oldest in missing:
                longest = max(longest, moment - from_text(oldest.filing.issued))
        return longest


def _committed(membership: Membership) -> Iterator[tuple[Party, Sequence[Filed]]]:
    for party in membership.parties.values():
        if party.role is Role.PROXY and party.standing is Standing.ACTIVE:
            filed = membership.filed(ConsentsFiling, party.name)
            if filed:
                yield party, filed


def _sequence(one: Filed) -> int:
    return EpochCommitment.from_content(one.filing.content).sequence


def _read(text: str) -> dict[PartyName, int]:
    pairs = [word.partition(":")[::2] for word in text.split(",") if word]
    try:
        found = {party_name(name): int(epoch) for name, epoch in pairs}
    except (BadInputError, ValueError) as error:
        raise VerificationError("the consent epochs in an offer or permit are none") from error
    if ",".join(sorted(f"{name}:{epoch}" for name, epoch in found.items())) != text:
        raise VerificationError("the consent epochs in an offer or permit are not in order")
    return found
