"""A government's officers, and the keys with which they approve."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from trisect.cli import files, link, screen
from trisect.cli.acts import approval
from trisect.cli.call import Call
from trisect.clock import system_randomness
from trisect.errors import BadInputError
from trisect.trust import canonical_json
from trisect.trust.filings import OfficerFiling
from trisect.trust.keys import IdentityKey, IdentityPublic
from trisect.trust.officers import content, officer_name
from trisect.wire.v1 import governance_pb2 as pb


def new_key(call: Call, file: Path) -> None:
    """Make an officer's key."""
    if file.exists():
        raise BadInputError(f"{file} is there already", hint="choose another file; a key is never replaced")
    key = IdentityKey.generate(system_randomness)
    pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with files.written(file) as stream:
        stream.write(pem)
    public = key.public.raw.hex()
    call.report.result(
        {"public_key": public, "fingerprint": key.public.fingerprint, "file": str(file)},
        lambda: screen.facts(
            {"public key": public, "fingerprint": key.public.fingerprint, "keep it to yourself": file}
        ),
    )


async def change(call: Call, name: str, public_key: str | None, means: approval.Means) -> None:
    """Name an officer, or dismiss one where no key is given."""
    key = IdentityPublic(_raw(public_key)) if public_key else None
    request = pb.FileDocumentRequest(
        kind=OfficerFiling.KIND, content=canonical_json.encode(content(officer_name(name), key))
    )
    async with link.node(call) as node:
        reply = await node.governance.FileDocument(request, timeout=link.LONG_CALL_S)
        published = await approval.carry(node, reply.proposal, means)
    done = f"{name} is {'an officer' if key else 'no officer any more'}"
    if not published:
        approval.waiting(call, done, means)
        return
    call.report.result({"officer": name, "state": "named" if key else "dismissed"}, lambda: screen.say(done))


async def list_all(call: Call) -> None:
    """List officers, and how many have to approve."""
    async with link.node(call) as node:
        found = await node.governance.GetRegime(pb.GetRegimeRequest(), timeout=link.CALL_S)
    officers = [
        {"government": one.government, "name": one.name, "fingerprint": one.fingerprint}
        for one in found.officers
    ]

    def text() -> None:
        screen.listing(
            {"GOVERNMENT": "government", "OFFICER": "name", "FINGERPRINT": "fingerprint"},
            officers,
            empty="There is no government yet.",
            whole=("FINGERPRINT",),
        )
        screen.say(f"{found.approvals} of a government's officers approve what takes approval")

    call.report.result({"officers": officers, "approvals": found.approvals}, text)


def _raw(text: str) -> bytes:
    try:
        return bytes.fromhex(text.strip())
    except ValueError as error:
        raise BadInputError(
            "an officer's public key has 64 hexadecimal digits", hint="`trisect officer key` tells it"
        ) from error
