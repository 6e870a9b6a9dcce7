"""The party's own programs that call its node over the network: their credentials, and who is let in with one.

The node is their authority, with a key of its own in `clients.json`: what the coordinator's certifies opens nothing here, and the
other way round.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

from trisect.clock import Clock, Randomness, to_text
from trisect.errors import BadInputError, NotFoundError, UnauthenticatedError, VerificationError
from trisect.rpc.authentication import Context, certified
from trisect.rpc.authorisation import Access
from trisect.store import keystore
from trisect.store.credentials import Credential, Credentials
from trisect.trust import certificates
from trisect.trust.authority import Authority
from trisect.trust.certificates import Caller, Principal, TlsIdentity

FILE = "clients.json"
MAX_DAYS = 400
MAX_NAME = 64
OWN_LIFE = dt.timedelta(days=30)
_ID_BYTES = 16


class Clients:
    """Issues credentials, and admits their holders.

    Args:
        home: the node's folder.
        server: whom the node's own certificate names.
        store: keeps credentials.
        clock: tells the time.
        randomness: draws ids.
    """

    def __init__(
        self, home: Path, server: Principal, store: Credentials, clock: Clock, randomness: Randomness
    ) -> None:
        self._file = home / FILE
        self._server = server
        self._store = store
        self._clock = clock
        self._randomness = randomness
        self._authority: Authority | None = None
        self._revoked: set[str] = set()
        """Those that were revoked while this node runs: whether or not its database could be told, and before it was."""

    @property
    def authority(self) -> Authority:
        """The authority, made when it is first needed; raises BadInputError where its file cannot be read."""
        if self._authority is None:
            if not self._file.exists():
                root = certificates.new_authority(
                    f"{self._server.consortium} {self._server.name}", self._clock()
                )
                keystore.save(self._file, {"key": root.key, "certificate": root.certificate})
            kept = keystore.load(self._file)
            try:
                root = TlsIdentity(kept["key"], kept["certificate"])
                certificates.validity(root.certificate)
            except (KeyError, VerificationError) as error:
                raise BadInputError(
                    f"{self._file} holds no authority", hint="restore it from its backup"
                ) from error
            self._authority = Authority(root, self._server, OWN_LIFE, self._clock)
        return self._authority

    async def issue(self, name: str, request: bytes, days: int) -> tuple[Credential, bytes]:
        """Issue a credential for a CSR (DER); gives it and its certificate, PEM.

        Raises:
            BadInputError: the name or the days are out of bounds.
            ConflictError: there is one for that name that holds.
            VerificationError: the request is not for a P-256 key that has signed it.
        """
        if not 0 < len(name) <= MAX_NAME or not name.isprintable():
            raise BadInputError(
                f"a program's name has 1 to {MAX_NAME} printable characters", hint="choose a short one"
            )
        if not 0 < days <= MAX_DAYS:
            raise BadInputError(
                f"a credential holds for 1 to {MAX_DAYS} days", hint="issue another one before it ends"
            )
        now, whom = self._clock(), self._whom(self._randomness(_ID_BYTES).hex())
        certificate = self.authority.certify(whom, request, dt.timedelta(days=days))
        credential = Credential(whom.name, name, to_text(now), to_text(certificates.validity(certificate)[1]))
        await asyncio.to_thread(self._store.add, credential)
        return credential, certificate

    async def shut_out(self, credential: str) -> None:
        """Let nobody in by a credential from now on, while this node runs; raises NotFoundError."""
        self._revoked.add(credential)  # before anything that may fail
        try:
            await asyncio.to_thread(self._store.get, credential)
        except NotFoundError:
            self._revoked.discard(credential)
            raise

    async def revoke(self, credential: str) -> Credential:
        """End a credential for good; raises NotFoundError."""
        await self.shut_out(credential)
        return await asyncio.to_thread(self._store.revoke, credential, to_text(self._clock()))

    async def authorise(self, access: Access, context: Context) -> Principal:
        """Let a caller of the programs' port in that has a credential and calls what is served there.

        Raises:
            UnauthenticatedError: it has none, or one that was revoked or has ended.
            BadInputError: the method is served elsewhere.
        """
        caller = certified(context, self._clock)
        if caller != self._whom(caller.name):
            raise UnauthenticatedError("the certificate is no credential of this node's")
        try:
            found = await asyncio.to_thread(self._store.get, caller.name)
        except NotFoundError as error:
            raise UnauthenticatedError(
                "this node does not know the credential", hint="ask the node's administrator for a new one"
            ) from error
        if found.revoked_at or found.id in self._revoked:
            raise UnauthenticatedError(
                "the credential was revoked", hint="ask the node's administrator for a new one"
            )
        if access not in {Access.APP, Access.ANYONE}:
            raise BadInputError(
                "this port serves a proxy's apps only", hint="administrators call the node's own socket"
            )
        return caller

    def _whom(self, credential: str) -> Principal:
        return Principal(self._server.consortium, Caller.APP, credential)
