"""Proposals: statements that a node has signed and officers have to sign before they are published."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trisect.cli import files, link, screen
from trisect.cli.acts import pepper
from trisect.cli.call import Call
from trisect.cli.officer_keys import read_key
from trisect.errors import BadInputError, DeniedError, VerificationError
from trisect.trust import documents
from trisect.trust.keys import fingerprint
from trisect.trust.statements import Standing
from trisect.wire.v1 import governance_pb2 as pb

MAX_PROPOSAL_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Means:
    """How an act that takes officers' approval is to go on.

    Attributes:
        officer_keys: files of the keys of officers who sign at once.
        proposal: where to leave the proposal for others to sign; None publishes.
    """

    officer_keys: Sequence[Path] = ()
    proposal: Path | None = None


async def carry(node: link.Node, proposal: pb.Proposal, means: Means) -> bool:
    """Sign a proposal with the keys at hand and publish it, or leave it in a file.

    Returns:
        Whether it is published.

    Raises:
        DeniedError: it takes more officers, and there is no place for it to wait in.
    """
    if not proposal.approvals:
        return True
    envelope = proposal.envelope
    for path in means.officer_keys:
        envelope = documents.countersign(envelope, read_key(path))
    if means.proposal is not None:
        _write(means.proposal, envelope)
        return False
    if len(means.officer_keys) < proposal.approvals:
        raise DeniedError(
            f"this takes the signatures of {proposal.approvals} officers, and has {len(means.officer_keys)}",
            hint="repeat with --officer-key for each who is here, or leave it for others with --proposal FILE",
            rule="approvals",
        )
    await node.governance.PublishProposal(
        pb.PublishProposalRequest(envelope=envelope), timeout=link.LONG_CALL_S
    )
    return True


def waiting(call: Call, what: str, means: Means) -> None:
    """Report that a proposal waits for its officers."""
    call.report.result(
        {"state": "proposed", "proposal": str(means.proposal)},
        lambda: screen.say(
            f"{what}: proposed in {means.proposal}, and waits for its officers (`trisect approval sign`)"
        ),
    )


def show(call: Call, file: Path) -> None:
    """Show what a proposal says and who has signed it."""
    envelope = read(file)
    kind, body = peek(envelope, file)
    signed = sorted(fingerprint(raw) for raw in documents.signers(envelope))

    def text() -> None:
        screen.say(f"{kind}:")
        screen.say(json.dumps(body, indent=2, ensure_ascii=False, sort_keys=True))
        screen.listing(
            {"SIGNED BY THE KEY": "key"}, [{"key": one} for one in signed], empty="Nobody has signed it."
        )

    call.report.result({"kind": kind, "statement": body, "signed_by": signed}, text)


def sign(call: Call, file: Path, key: Path) -> None:
    """Add an officer's signature to a proposal."""
    envelope = read(file)
    kind, body = peek(envelope, file)
    officer = read_key(key)
    call.confirm(
        f"you approve a {kind} about {body.get('party')} (`trisect approval show {file}` tells all of it)"
    )
    signed = documents.countersign(envelope, officer)
    _write(file, signed)
    found = officer.public.fingerprint
    call.report.result(
        {"kind": kind, "key": found, "signatures": len(documents.signers(signed))},
        lambda: screen.say(f"signed by {found}"),
    )


async def publish(call: Call, file: Path) -> None:
    """Publish a proposal that has been approved."""
    envelope = read(file)
    kind, body = peek(envelope, file)
    async with link.node(call) as node:
        await node.governance.PublishProposal(
            pb.PublishProposalRequest(envelope=envelope), timeout=link.LONG_CALL_S
        )
    call.report.result({"kind": kind, "state": "published"}, lambda: screen.say(f"{kind} is published"))
    if body.get("standing") == Standing.EXPELLED:
        pepper.note_expelled(call, body["party"])


def read(file: Path) -> bytes:
    """Read a signed envelope from a file; raises BadInputError."""
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_PROPOSAL_BYTES)
    except OSError as error:
        raise BadInputError(
            f"cannot read {file}: {error.strerror}",
            hint="name the file that the first officer's command wrote, and one that you may read",
        ) from error


def peek(envelope: bytes, file: Path) -> tuple[str, dict[str, Any]]:
    """Read what a file's envelope says, unchecked; raises BadInputError."""
    try:
        kind, body = documents.peek(envelope)
    except VerificationError as error:
        raise BadInputError(
            f"{file} holds no proposal: {error.message}",
            hint="give the file that the command of the first officer wrote with --proposal",
        ) from error
    return kind, dict(body)


def _write(file: Path, envelope: bytes) -> None:
    with files.written(file) as stream:
        stream.write(envelope.decode())
