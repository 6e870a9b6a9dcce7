"""A government's officers: named persons, each with a key of their own, who approve what one alone must not do.

Their keys are theirs and not the node's, so that whoever has the node alone approves nothing. Until a government has
named officers, the node's identity key stands for the one that it has, and names the first.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from trisect.errors import BadInputError, ConflictError, DeniedError, VerificationError
from trisect.trust import documents
from trisect.trust.canonical_json import Json
from trisect.trust.filings import OfficerFiling
from trisect.trust.keys import IdentityPublic

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
NODE = "node"
"""What the one officer is called whom nobody has named."""


def officer_name(text: str) -> str:
    """Check what an officer is called in public; raises BadInputError."""
    if not _NAME.fullmatch(text) or text == NODE:
        raise BadInputError(
            f"an officer's name has 1 to 63 of a-z, 0-9 and '-', a letter first, and is not {NODE}",
            hint="a name or an office, such as chief-of-fraud; every party reads it",
        )
    return text


@dataclass(frozen=True, slots=True)
class Officers:
    """The officers of one government.

    Attributes:
        keys: those that count, by name.
        gone: keys of officers that were dismissed; they do not come back.
    """

    keys: Mapping[str, IdentityPublic]
    gone: frozenset[IdentityPublic] = field(default_factory=frozenset)

    @classmethod
    def alone(cls, identity: IdentityPublic) -> Self:
        """Give the one officer of a government that has named none."""
        return cls({NODE: identity})

    @property
    def named(self) -> bool:
        """Whether these are persons."""
        return NODE not in self.keys

    def check(self, envelope: bytes, kind: str, approvals: int) -> frozenset[bytes]:
        """Check that enough officers have signed a document; gives the keys of those who have.

        Raises:
            DeniedError: too few have; names how many it takes.
        """
        try:
            found = documents.verify(envelope, kind, self.keys.values(), threshold=approvals)
        except VerificationError as error:
            raise DeniedError(
                f"this takes the signatures of {approvals} of the government's officers, and it has fewer",
                hint="`trisect approval sign` adds an officer's signature; `trisect officer list` names them",
                rule="approvals",
            ) from error
        return frozenset(found.signers)

    def changed(self, filing: OfficerFiling, approvals: int) -> Officers:
        """Give the officers once one was named or dismissed.

        Raises:
            VerificationError: it is malformed, or repeats a name or key.
            ConflictError: fewer would be left than have to approve.
        """
        name, key = read(filing)
        keys = dict(self.keys) if self.named else {}
        if key is None:
            if name not in keys:
                raise VerificationError(f"{name} is dismissed, and is no officer")
            if len(keys) <= approvals:
                raise ConflictError(
                    f"without {name} the government has fewer than the {approvals} officers who have to approve",
                    hint="name another one first",
                )
            return Officers(keys, self.gone | {keys.pop(name)})
        if name in keys or key in {*keys.values(), *self.gone}:
            raise VerificationError("an officer is named by a name or a key that is, or was, another's")
        return Officers(keys | {name: key}, self.gone)


def content(name: str, key: IdentityPublic | None) -> dict[str, Json]:
    """Write a filing's content: an officer's key, or None to dismiss one."""
    return {"officer": name, "key": base64.b64encode(key.raw).decode() if key else None}


def read(filing: OfficerFiling) -> tuple[str, IdentityPublic | None]:
    """Read what `content` wrote; raises VerificationError."""
    name, key = filing.content.get("officer"), filing.content.get("key")
    if (
        not isinstance(name, str)
        or not isinstance(key, str | None)
        or set(filing.content) != {"officer", "key"}
    ):
        raise VerificationError("a filing about an officer is malformed")
    try:
        return officer_name(name), IdentityPublic(base64.b64decode(key, validate=True)) if key else None
    except (ValueError, BadInputError) as error:
        raise VerificationError("a filing about an officer has no sound name or key") from error
