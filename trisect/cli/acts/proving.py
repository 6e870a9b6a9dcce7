"""Proofs that an entry was in the snapshot of an exchange. Whose value it is, no message or file here repeats."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trisect.cli import files, link, screen, stdin
from trisect.cli.acts.exchange import check_id, whole_id
from trisect.cli.acts.import_options import check_kind, check_region
from trisect.cli.call import Call
from trisect.errors import BadInputError
from trisect.wire.v1 import proofs_pb2 as pb

STDIN = "-"
MAX_BYTES = 1 << 20
NOT_YET = (
    "The record does not have the exchange's receipt yet, so that nobody can check the proof: it comes within a minute "
    "of the exchange's end at both ends."
)


@dataclass(frozen=True, slots=True)
class Named:
    """A value as the command line names it, `-` for stdin."""

    value: str
    kind: str
    region: str

    def read(self, call: Call) -> pb.RawValue:
        """Read it for the node; raises BadInputError."""
        kind, region = check_kind(self.kind), check_region(self.region)
        value = self.value
        if value == STDIN:
            value = stdin.one(call, "value", "give one value on one line")
        return pb.RawValue(kind=kind, value=value, region=region)


def prove(call: Call, exchange_id: str, named: Named, output: Path) -> None:
    """Write the proof of one value."""
    check_id(exchange_id)
    files.check_place(output)
    call.run(_prove(call, exchange_id, named.read(call), output))


async def _prove(call: Call, exchange_id: str, value: pb.RawValue, output: Path) -> None:
    async with link.node(call) as node:
        whole = await whole_id(node, exchange_id)
        request = pb.ProveEntryRequest(exchange_id=whole, value=value)
        found = await node.proofs.ProveEntry(request, timeout=link.LONG_CALL_S)
    with files.written(output) as stream:
        stream.write(found.proof)

    def text() -> None:
        screen.say(f"that the value was in this node's list in exchange {whole} is proved by {output}")
        if not found.recorded:
            screen.say(f"warning: {NOT_YET}")

    data = {"exchange_id": whole, "end": found.end, "recorded": found.recorded, "output": str(output)}
    call.report.result(data, text)


def verify(call: Call, file: Path, named: Named) -> None:
    """Check the proof of one value."""
    try:
        with file.open(encoding="utf-8") as stream:
            proof = stream.read(MAX_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"cannot read {file}", hint="`trisect exchange prove` writes a proof") from error
    call.run(_verify(call, proof, named.read(call)))


async def _verify(call: Call, proof: str, value: pb.RawValue) -> None:
    async with link.node(call) as node:
        request = pb.CheckProofRequest(proof=proof, value=value)
        found = await node.proofs.CheckProof(request, timeout=link.CALL_S)
    data = {
        name: getattr(found, name)
        for name in (
            "exchange_id",
            "owner",
            "end",
            "peer",
            "purpose",
            "mode",
            "collection",
            "version",
            "decided",
        )
    } | {"finished": found.finished}
    act = "asked" if found.end == "asker" else "was asked by"
    call.report.result(
        data,
        lambda: screen.say(
            f"the value was in collection {found.collection} of {found.owner}, version {found.version}, when {found.owner} "
            f"{act} {found.peer} for {found.purpose} (exchange {found.exchange_id}, permitted {found.decided})"
        ),
    )
