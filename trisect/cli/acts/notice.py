"""Notices: drafted from what a node holds, completed by a person, published, shown."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path

from trisect.cli import files, link, screen
from trisect.cli.call import Call
from trisect.clock import system_clock, to_text
from trisect.errors import BadInputError, NotFoundError
from trisect.rules.notices import NOTICE_FILE, Notice
from trisect.rules.vocabulary import BasisName, Purpose, basis
from trisect.trust import canonical_json
from trisect.trust.filings import NoticeFiling
from trisect.trust.statements import Role
from trisect.wire.v1 import collections_pb2, node_admin_pb2
from trisect.wire.v1 import governance_pb2 as pb


def draft(call: Call, file: Path, days: int) -> None:
    """Write a notice from what the node holds."""
    if file.exists():
        raise BadInputError(f"{file} is there already", hint="choose another file")
    party, text = call.run(_draft(call, days))
    with files.written(file) as stream:
        stream.write(text)
    call.report.result(
        {"file": str(file), "party": party},
        lambda: screen.say(
            f"a notice is drafted in {file}; complete what says TODO, then `trisect notice publish`"
        ),
    )


async def _draft(call: Call, days: int) -> tuple[str, str]:
    async with link.node(call) as node:
        status = await node.admin.GetStatus(node_admin_pb2.GetStatusRequest(), timeout=link.CALL_S)
        lists = await node.collections.ListCollections(
            collections_pb2.ListCollectionsRequest(), timeout=link.CALL_S
        )
    return status.party, _drafted(status.party, Role(status.role), list(lists.collections), days)


def publish(call: Call, file: Path) -> None:
    """Sign and publish a notice."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"cannot read {file}", hint="`trisect notice draft` writes one") from error
    if "TODO" in text:
        raise BadInputError(f"{file} still says TODO", hint="complete it: people read it")
    call.run(_publish(call, text))


async def _publish(call: Call, text: str) -> None:
    async with link.node(call) as node:
        status = await node.admin.GetStatus(node_admin_pb2.GetStatusRequest(), timeout=link.CALL_S)
        found = Notice.parse(text, Role(status.role))
        request = pb.FileDocumentRequest(kind=NoticeFiling.KIND, content=canonical_json.encode(found.content))
        await node.governance.FileDocument(request, timeout=link.LONG_CALL_S)
    until = to_text(found.declaration.valid_until)
    call.report.result(
        {
            "party": status.party,
            "title": found.declaration.title,
            "valid_from": to_text(found.declaration.valid_from),
            "valid_until": until,
        },
        lambda: screen.say(f"the notice of {status.party} is published, and holds until {until}"),
    )


async def show(call: Call, party: str) -> None:
    """Show notices."""
    async with link.node(call) as node:
        reply = await node.governance.GetRegime(pb.GetRegimeRequest(), timeout=link.CALL_S)
    rows = [
        {
            "party": one.party,
            "version": one.version,
            "valid_from": one.valid_from,
            "valid_until": one.valid_until,
            "in_force": one.in_force,
            "hash": one.hash.hex(),
            "toml": one.toml,
        }
        for one in reply.notices
        if party in {"", one.party}
    ]
    if party and not rows:
        raise NotFoundError(
            f"{party} has published no notice", hint="`trisect notice show` lists those there are"
        )

    def text() -> None:
        if party:
            screen.say(str(rows[0]["toml"]))
            return
        screen.listing(
            {
                "PARTY": "party",
                "VERSION": "version",
                "FROM": "valid_from",
                "UNTIL": "valid_until",
                "IN FORCE": lambda row: "yes" if row["in_force"] else "NO",
            },
            rows,
            empty="Nobody has published a notice; nothing can be exchanged.",
        )

    call.report.result({"notices": rows}, text)


async def check(call: Call) -> None:
    """Compare words with deeds."""
    async with link.node(call) as node:
        reply = await node.governance.CheckNotice(pb.CheckNoticeRequest(), timeout=link.LONG_CALL_S)
    rows = [{"collection": one.collection, "text": one.text} for one in reply.drift]
    call.report.result(
        {"drift": rows},
        lambda: screen.listing(
            {"COLLECTION": "collection", "THE NOTICE": "text"},
            rows,
            empty="Every list is as the notice says.",
        ),
    )


def _drafted(party: str, role: Role, lists: Sequence[collections_pb2.Collection], days: int) -> str:
    """Fill a notice in with what collections say, a section for each purpose; where nothing is shared yet, for one."""
    now = system_clock().replace(microsecond=0)
    shared = {sharing.purpose for one in lists for sharing in one.sharings}
    lines = [
        f"# {NOTICE_FILE} of {party}, for people to read and rules to go by.",
        f"title = {json.dumps(f'What {party} does with fraud information')}",
        'text = "TODO: in plain words: what you collect, how, why, for how long, for whom, with what AI"',
        'text_zh = "TODO: 同样内容的中文说明"',
        'contact = "TODO: where people turn to"',
        'storage_place = "TODO: country, or ISO 3166-2 region"',
        *(['mandate = "TODO: by what law or statute"'] if role is not Role.PROVIDER else []),
        f"valid_from = {to_text(now)}",
        f"valid_until = {to_text(now + dt.timedelta(days=days))}",
    ]
    for purpose in sorted(shared) or [Purpose.SCAM_PREVENTION.value]:
        mine = [one for one in lists if any(found.purpose == purpose for found in one.sharings) or not shared]
        kinds = sorted({kind for one in mine for kind in one.kinds})
        bases = sorted({_basis(one.legal_basis) for one in mine} or {BasisName.STATUTORY_DUTY.value})
        recipients = sorted(
            {getattr(found, "with") for one in mine for found in one.sharings if found.purpose == purpose}
        )
        lines += [
            "",
            "[[processing]]",
            f"purpose = {json.dumps(purpose)}",
            f"kinds = {json.dumps(kinds or ['phone'])}",
            'sources = ["own-operation"]  # person, own-operation, other-party, public',
            'obtained = "TODO: how, such as reports of customers"',
            f"legal_basis = {json.dumps(bases)}",
            f"retention_days = {max((one.retention_days for one in mine), default=365)}",
            f"recipients = {json.dumps(recipients or ['all'])}",
            'ai_uses = ["none"]  # none, detection, scoring, profiling, automated-decision',
        ]
    return "\n".join(lines) + "\n"


def _basis(text: str) -> str:
    try:
        return basis(text)[0].value
    except BadInputError:
        return BasisName.UNSPECIFIED.value
