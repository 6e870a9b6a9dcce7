"""`trisect-node join`: make keys on the node, trade an invitation for a certificate, write the home.

Safe to repeat: keys are saved before they are shown, so a join cut by a lost connection goes on with the same
key and gets the same certificate.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from nodes.config import check_founder
from nodes.keys import NodeKeys
from nodes.times import Times
from trisect.clock import Clock, Randomness, from_text
from trisect.config import check_address, check_consortium, check_database, to_toml
from trisect.errors import BadInputError, ConflictError, DeniedError, TrisectError
from trisect.home import Home
from trisect.rpc import tls
from trisect.rpc.status import translated
from trisect.store.keystore import KEYSTORE_FILE, write_private
from trisect.trust import certificates
from trisect.trust.certificates import Caller, Principal, TlsIdentity
from trisect.trust.invitations import Invitation
from trisect.trust.keys import Fingerprint
from trisect.trust.statements import Role, party_name
from trisect.wire.convert import keys_to_wire
from trisect.wire.v1 import enrolment_pb2, enrolment_pb2_grpc

TIMEOUT_S = 20.0
_APPLICANT = "applicant"


@dataclass(frozen=True, slots=True)
class Joined:
    """What `join` tells: the fingerprint to read to the government, the founder's, and who has joined what.

    Whether the party is admitted is the coordinator's word here.
    """

    fingerprint: Fingerprint
    founder: str
    admitted: bool
    party: str
    role: str
    consortium: str


async def join(
    home: Home,
    invitation: Invitation,
    settings: dict[str, str],
    http_listen: str,
    *,
    clock: Clock,
    randomness: Randomness,
) -> Joined:
    """Redeem an invitation into a home.

    Args:
        home: an empty folder, or one in which the same invitation was begun.
        invitation: what the coordinator issued.
        settings: further top-level configuration keys to write.
        http_listen: HOST:PORT of the node's HTTP endpoint, or empty.
        clock: tells the time.
        randomness: for the keys.

    Raises:
        DeniedError: expired, or redeemed with another key.
        ConflictError: the home belongs to another party, or is running.
        VerificationError: the coordinator is not the invitation's, or returned a wrong certificate.
    """
    if from_text(invitation.expires_at) <= clock():
        raise DeniedError(
            f"the invitation expired at {invitation.expires_at}",
            hint="ask for a new one, and check the clock",
        )
    _check_invitation(invitation)
    check_database(settings.get("database", ""))
    if http_listen:
        check_address("http.listen", http_listen)
    _make(home)
    with home.locked():
        _check_home(home, invitation)
        keys = _own_keys(home, invitation, randomness)
        state = await _redeem(home, invitation, keys, clock)
        _write_config(home, invitation, keys, settings, http_listen)
    own = keys.identity.public.fingerprint
    return Joined(
        fingerprint=own,
        founder=invitation.founder_fingerprint or own,
        admitted=state != _APPLICANT,
        party=invitation.party,
        role=invitation.role,
        consortium=invitation.consortium,
    )


async def _redeem(home: Home, invitation: Invitation, keys: NodeKeys, clock: Clock) -> str:
    """Trade the invitation for a certificate, and keep it; gives the party's state as the coordinator has it."""
    request = certificates.signing_request(keys.tls.key)
    async with tls.coordinator_channel(
        invitation.coordinator, invitation.authority.encode(), invitation.identity
    ) as channel:
        stub = enrolment_pb2_grpc.EnrolmentStub(channel)
        try:
            async with translated("the coordinator"):
                reply = await stub.Redeem(
                    enrolment_pb2.RedeemRequest(
                        signing_request=request,
                        keys=keys_to_wire(keys.public),
                        proof=keys.identity.private.sign(request),
                    ),
                    timeout=TIMEOUT_S,
                    wait_for_ready=False,
                )
        except TrisectError as error:
            raise Times(clock).explained(error, b"") from error.__cause__
    whom = Principal(invitation.consortium, Caller.PARTY, invitation.party)
    certificates.check_issued(reply.certificate, keys.authority, keys.tls.key, whom)
    keys.with_tls(TlsIdentity(keys.tls.key, reply.certificate)).save(home.path)
    return reply.state


def _check_invitation(invitation: Invitation) -> None:
    """Refuse an invitation with which a node could not run, or would believe anybody."""
    party_name(invitation.party)
    check_consortium(invitation.consortium)
    check_address("coordinator", invitation.coordinator)
    if invitation.role not in {role.value for role in Role}:
        raise BadInputError("the invitation's role is none", hint="ask for a new invitation")
    check_founder("the invitation's founder_fingerprint", invitation.founder_fingerprint, invitation.role)


def _make(home: Home) -> None:
    if (home.path / KEYSTORE_FILE).exists():
        return
    if home.path.exists() and (not home.path.is_dir() or any(home.path.iterdir())):
        raise BadInputError(f"{home.path} is not empty", hint="choose an empty folder for the home")
    home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.path.chmod(0o700)


def _check_home(home: Home, invitation: Invitation) -> None:
    """Raise ConflictError where the configuration is another party's."""
    if not home.config.exists():
        return
    try:
        found = tomllib.loads(home.config.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInputError(f"{home.config} cannot be read", hint="mend it, or restore it") from error
    for key in ("consortium", "party", "role"):
        if found.get(key) != getattr(invitation, key):
            raise ConflictError(
                f"{home.path} is the home of another {key} than the invitation's",
                hint="choose an empty folder",
            )


def _own_keys(home: Home, invitation: Invitation, randomness: Randomness) -> NodeKeys:
    """Give the keys that an earlier join left here for the same party, or new ones."""
    if not (home.path / KEYSTORE_FILE).exists():
        keys = NodeKeys.generate(invitation.party, invitation.authority.encode(), randomness)
        keys.save(home.path)
        return keys
    keys = NodeKeys.load(home.path)
    if keys.authority != invitation.authority.encode():
        raise ConflictError(
            f"{home.path} holds the keys of another consortium", hint="choose an empty folder"
        )
    if keys.party != invitation.party:
        raise ConflictError(
            f"{home.path} holds the keys of another party than the invitation's",
            hint="choose an empty folder",
        )
    return keys


def _write_config(
    home: Home, invitation: Invitation, keys: NodeKeys, settings: dict[str, str], http_listen: str
) -> None:
    if home.config.exists():
        return
    fields = {
        "consortium": invitation.consortium,
        "party": invitation.party,
        "role": invitation.role,
        "coordinator": invitation.coordinator,
        "founder": invitation.founder_fingerprint or keys.identity.public.fingerprint,
        **settings,
    }
    text = to_toml(fields)
    if http_listen:
        text += "\n[http]\n" + to_toml({"listen": http_listen})
    write_private(home.config, text.encode())
