"""What a cluster on one machine needs before anything is exchanged: a rulebook, notices, vetting."""

from __future__ import annotations

import datetime as dt

import grpc.aio

from trisect.clock import to_text
from trisect.rules import reviews
from trisect.rules.drafting import draft
from trisect.rules.notices import Notice
from trisect.rules.rulebook import Rulebook
from trisect.trust import canonical_json
from trisect.trust.canonical_json import Json
from trisect.trust.filings import NoticeFiling, RulebookFiling, SourceReviewFiling
from trisect.trust.statements import Role, Standing, Vetting
from trisect.wire.v1 import governance_pb2 as pb
from trisect.wire.v1 import (
    governance_pb2_grpc,
    node_admin_pb2,
    node_admin_pb2_grpc,
    record_admin_pb2,
    record_admin_pb2_grpc,
)

LIFE = dt.timedelta(days=365)
CALL_S = 30.0
_NOTICE = """\
title = "A demonstration"
text = "This party of a demonstration matches made-up and public fraud indicators with the others, and nothing else."
text_zh = "本演示参与方仅与其他各方比对虚构及公开的涉诈信息，不作他用。"
contact = "nobody: all parties of a demonstration are one"
storage_place = "this machine"
mandate = "a demonstration"
valid_from = {begins}
valid_until = {ends}

[[processing]]
purpose = "scam-prevention"
kinds = ["phone", "url", "domain", "email", "iban", "wallet"]
sources = ["public", "own-operation"]
obtained = "sample lists that come with the program, and whatever is imported by hand"
legal_basis = ["statutory-duty", "vital-interest", "legitimate-interest", "consent"]
retention_days = 365
recipients = ["all"]
ai_uses = ["none"]
"""


def vetting(now: dt.datetime) -> Vetting:
    """Vet a party of a demonstration."""
    return Vetting("demonstration", "all parties of a demonstration are one", to_text(now + LIFE))


def rulebook(begins: dt.datetime) -> Rulebook:
    """Write the rulebook of a demonstration."""
    return Rulebook.parse(*draft("demo", version=1, begins=begins, ends=begins + LIFE, approvals=1))


def notice(begins: dt.datetime, role: Role) -> Notice:
    """Write the notice of every party of a demonstration."""
    return Notice.parse(_NOTICE.format(begins=to_text(begins), ends=to_text(begins + LIFE)), role)


async def put_in_place(channel: grpc.aio.Channel, now: dt.datetime, role: Role, *, founder: bool) -> None:
    """Publish a party's notice and its reviews of the others, and the founder's rulebook, unless they are there already.

    Args:
        channel: to the socket of the party's node.
        now: when they begin.
        role: the party's.
        founder: whether it is the government that founded the consortium.
    """
    stub = governance_pb2_grpc.GovernanceStub(channel)
    found = await stub.GetRegime(pb.GetRegimeRequest(), timeout=CALL_S)
    begins = now.replace(microsecond=0)
    if founder and not found.rulebooks:
        await _file(stub, RulebookFiling.KIND, rulebook(begins).content)
    if found.party not in {one.party for one in found.notices}:
        await _file(stub, NoticeFiling.KIND, notice(begins, role).content)
    await review_sources(channel, now)


async def review_sources(channel: grpc.aio.Channel, now: dt.datetime) -> None:
    """Review every other party that a node knows, unless it has."""
    stub = governance_pb2_grpc.GovernanceStub(channel)
    found = await stub.GetRegime(pb.GetRegimeRequest(), timeout=CALL_S)
    listed = await node_admin_pb2_grpc.NodeAdminStub(channel).ListParties(
        node_admin_pb2.ListPartiesRequest(), timeout=CALL_S
    )
    reviewed = {found.party, *(one.source for one in found.reviews if one.recipient == found.party)}
    for party in listed.parties:
        if party.state == Standing.ACTIVE and party.name not in reviewed:
            await _file(stub, SourceReviewFiling.KIND, reviews.of_vetting(party.name, vetting(now)).to_body())


async def known(channel: grpc.aio.Channel, parties: int) -> bool:
    """Tell whether a node knows a rulebook, notices and reviews of so many parties, and a head that counts: it can match."""
    stub = governance_pb2_grpc.GovernanceStub(channel)
    found = await stub.GetRegime(pb.GetRegimeRequest(), timeout=CALL_S)
    complete = len(found.notices) >= parties and len(found.reviews) >= parties * (parties - 1)
    return bool(found.rulebooks) and complete and await _knows_head(channel)


async def _knows_head(channel: grpc.aio.Channel) -> bool:
    """Tell whether a node knows a head of the record that counts."""
    stub = record_admin_pb2_grpc.RecordAdminStub(channel)
    try:
        found = await stub.GetRecord(record_admin_pb2.GetRecordRequest(), timeout=CALL_S)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return False
        raise
    return bool(found.counted_size)


async def _file(stub: governance_pb2_grpc.GovernanceStub, kind: str, content: dict[str, Json]) -> None:
    request = pb.FileDocumentRequest(kind=kind, content=canonical_json.encode(content))
    await stub.FileDocument(request, timeout=CALL_S)
