"""Filing a document that no officer has to sign."""

from __future__ import annotations

from trisect.cli import link
from trisect.cli.call import Call
from trisect.trust import canonical_json
from trisect.trust.canonical_json import Json
from trisect.wire.v1 import governance_pb2 as pb


async def file(call: Call, kind: str, content: dict[str, Json], party: str = "") -> None:
    """File a document about a party, which is the node's own where none is named."""
    request = pb.FileDocumentRequest(kind=kind, party=party, content=canonical_json.encode(content))
    async with link.node(call) as node:
        await node.governance.FileDocument(request, timeout=link.LONG_CALL_S)
