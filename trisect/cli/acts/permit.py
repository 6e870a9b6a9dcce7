"""The leave on which an exchange ran."""

from __future__ import annotations

import dataclasses
from typing import Any

from trisect.cli import link, screen
from trisect.cli.acts.exchange import check_id, whole_id
from trisect.cli.call import Call
from trisect.rules.permit import Permit
from trisect.rules.terms import Terms
from trisect.trust import documents
from trisect.trust.keys import fingerprint
from trisect.wire.v1 import matching_pb2 as pb


async def show(call: Call, exchange_id: str) -> None:
    """Show the permit of an exchange."""
    check_id(exchange_id)
    async with link.node(call) as node:
        request = pb.GetPermitRequest(exchange_id=await whole_id(node, exchange_id))
        reply = await node.matching.GetPermit(request, timeout=link.CALL_S)
    data: dict[str, Any] = {
        name: value.hex() if isinstance(value, bytes) else value
        for name, value in dataclasses.asdict(Permit.peek(reply.envelope)).items()
    }
    data["hash"] = documents.payload_hash(reply.envelope).hex()
    data["signed_by"] = sorted(fingerprint(raw) for raw in documents.signers(reply.envelope))
    data["terms_of_sharing"] = dataclasses.asdict(Terms.peek(reply.terms)) if reply.terms else None
    call.report.result(data, lambda: screen.facts({name.replace("_", " "): data[name] for name in data}))
