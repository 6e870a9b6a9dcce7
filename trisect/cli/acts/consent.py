"""Consents: a proxy's administrator records them, takes them back, and hands persons their copies."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trisect.cli import files, link, screen, stdin
from trisect.cli.call import Call
from trisect.cli.failures import PartialError
from trisect.errors import BadInputError
from trisect.record import export
from trisect.record.receipts import ConsentReceipt
from trisect.rules.consents import Consent, Word
from trisect.trust.keys import normal_fingerprint
from trisect.wire.v1 import consents_pb2 as pb


@dataclass(frozen=True, slots=True)
class Given:
    """What a person has said, as the command line has it."""

    purposes: Sequence[str]
    kinds: Sequence[str]
    parties: Sequence[str]
    method: str
    days: int
    pressures: Sequence[str]
    notice: int
    language: str

    def fields(self) -> dict[str, Any]:
        """Give it as fields of a request to the node."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


def grant(call: Call, person: str, given: Given, receipt: Path | None, delegation: str) -> None:
    """Record a consent."""
    if receipt is not None:
        files.check_place(receipt)
    under = identifier(delegation, "delegation") if delegation else b""
    request = pb.GrantConsentRequest(person=who(call, person), delegation=under, **given.fields())
    call.run(_grant(call, request, receipt))


async def _grant(call: Call, request: pb.GrantConsentRequest, receipt: Path | None) -> None:
    async with link.node(call) as node:
        reply = await node.consents.GrantConsent(request, timeout=link.CALL_S)
        if receipt is not None:
            await _write_receipt(node, reply.consent.id, receipt)
    data = _described(reply.consent) | {"subjects": dict(sorted(reply.subjects.items()))}

    def text() -> None:
        screen.say(f"consent {data['id']} is recorded, until {data['expires']}")
        if reply.consent.why_not:
            screen.say(f"it is no basis: {reply.consent.why_not}")
        screen.table(["PARTY", "SUBJECT"], data["subjects"].items(), empty="", whole=["SUBJECT"])

    call.report.result(data, text)


async def show(call: Call, consent: str, receipt: Path | None) -> None:
    """Show one consent."""
    async with link.node(call) as node:
        reply = await node.consents.ListConsents(pb.ListConsentsRequest(id=_id(consent)), timeout=link.CALL_S)
        if receipt is not None:
            await _write_receipt(node, _id(consent), receipt)
    _tell(call, reply.consents[0])


def list_(call: Call, person: str, credential: str) -> None:
    """List consents."""
    request = pb.ListConsentsRequest(person=who(call, person) if person else "", credential=credential)
    call.run(_list(call, request))


async def _list(call: Call, request: pb.ListConsentsRequest) -> None:
    async with link.node(call) as node:
        reply = await node.consents.ListConsents(request, timeout=link.CALL_S)
    rows = [_described(one) for one in reply.consents]
    call.report.result(
        {"consents": rows},
        lambda: screen.listing(
            {
                "ID": "id",
                "PURPOSES": lambda row: ", ".join(row["purposes"]),
                "PARTIES": lambda row: ", ".join(row["parties"]),
                "UNTIL": "expires",
                "IN FORCE": lambda row: "yes" if row["in_force"] else row["why_not"],
            },
            rows,
            empty="There are no consents.",
            whole=["ID"],
        ),
    )


def revoke(call: Call, consent: str, *, erase: bool, wait_s: float) -> None:
    """Take a consent back."""
    if erase:
        call.confirm(f"consent {consent} will be taken back and erased, and no receipt of it can be checked")
    else:
        call.confirm(f"consent {consent} will be taken back at every party that it names")
    call.run(_revoke(call, _id(consent), erase=erase, wait_s=wait_s))


async def _revoke(call: Call, consent: bytes, *, erase: bool, wait_s: float) -> None:
    async with link.node(call) as node:
        request = pb.RevokeConsentRequest(id=consent, erase=erase, wait_s=wait_s)
        reply = await node.consents.RevokeConsent(request, timeout=link.CALL_S + wait_s)
    missing = [one.party for one in reply.consent.acknowledgements if not one.at]
    if wait_s and missing:
        raise PartialError(
            f"the consent is taken back, and not acknowledged yet by {', '.join(missing)}",
            data=_described(reply.consent),
            text=lambda: _print(reply.consent),
            hint="a party that is away hears of it when it is back; `trisect consent show` tells when",
        )
    _tell(call, reply.consent)


def verify(call: Call, receipt: Path, record: Path, founder: str) -> None:
    """Check a receipt offline."""
    try:
        found = ConsentReceipt.parse(receipt.read_text(encoding="utf-8"))
        with record.open(encoding="utf-8", newline="\n") as lines:
            checked = export.check(lines, normal_fingerprint(founder) if founder else None)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(
            "cannot read the receipt or the export", hint="`trisect record export` writes an export"
        ) from error
    consent = found.check(checked.membership)
    data = read(consent) | {
        "epoch": found.epoch,
        "founder_fingerprint": checked.membership.founder,
        "founder_checked": bool(founder),
        "delegated": bool(consent.delegation),
    }

    def text() -> None:
        screen.say(f"{consent.proxy} has signed this consent and committed to it in the public record")
        screen.facts({name: value for name, value in data.items() if not isinstance(value, list)})

    call.report.result(data, text)


async def _write_receipt(node: link.Node, consent: bytes, file: Path) -> None:
    reply = await node.consents.GetConsentReceipt(
        pb.GetConsentReceiptRequest(id=consent), timeout=link.CALL_S
    )
    found = ConsentReceipt(
        reply.record, reply.salt, reply.epoch, reply.leaf, reply.leaves, list(reply.proof), reply.delegation
    )
    with files.written(file) as stream:
        stream.write(found.to_text())


def _tell(call: Call, found: pb.Consent) -> None:
    call.report.result(_described(found), lambda: _print(found))


def _print(found: pb.Consent) -> None:
    data = _described(found)
    screen.facts(
        {
            "consent": data["id"],
            "purposes": ", ".join(data["purposes"]),
            "kinds": ", ".join(data["kinds"]),
            "parties": ", ".join(data["parties"]),
            "voluntariness": data["voluntariness"],
            "given": data["given"],
            "until": data["expires"],
            "in force": "yes" if found.in_force else found.why_not,
            "revoked": data["revoked_at"] or "no",
            "under delegation": data["delegation"] or "none, the person has given it",
        }
    )
    if data["acknowledged"]:
        screen.listing(
            {
                "PARTY": "party",
                "SINCE": lambda row: row["at"] or "not acknowledged yet",
                "COLLECTIONS": lambda row: len(row["versions"]),
            },
            data["acknowledged"],
            empty="",
        )


def _described(found: pb.Consent) -> dict[str, Any]:
    record = read(Consent.peek(found.record)) if found.record else nothing_read()
    return record | {
        "id": found.id.hex(),
        "in_force": found.in_force,
        "why_not": found.why_not,
        "erased": not found.record,
        "delegation": found.delegation.hex(),
        "credential": found.credential,
        "revoked_at": found.revoked_at,
        "acknowledged": [
            {
                "party": one.party,
                "at": one.at,
                "versions": [{"collection": row.collection, "version": row.version} for row in one.versions],
            }
            for one in found.acknowledgements
        ],
    }


_EMPTY: dict[str, Any] = {"purposes": [], "kinds": [], "parties": [], "pressures": []}
_READ = ("id", "proxy", "subject", "language", "method", "voluntariness", "given", "expires", "notice")


def read(word: Word) -> dict[str, Any]:
    """Give a record's fields as answers carry them."""
    return {
        "id": word.id.hex(),
        "proxy": word.proxy,
        "subject": word.subject,
        "purposes": [one.value for one in word.purposes],
        "kinds": [one.value for one in word.kinds],
        "parties": list(word.parties),
        "notice": word.notice.hex(),
        "language": word.language.value,
        "method": word.method,
        "pressures": [one.value for one in word.pressures],
        "voluntariness": word.voluntariness,
        "given": word.given,
        "expires": word.expires,
    }


def nothing_read() -> dict[str, Any]:
    """Give the same fields of what was erased."""
    return dict.fromkeys(_READ, None) | {name: list(empty) for name, empty in _EMPTY.items()}


def identifier(text: str, noun: str) -> bytes:
    """Read the id of a consent or a delegation."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise BadInputError(
            f"a {noun}'s id is hexadecimal", hint=f"`trisect {noun} list` shows ids"
        ) from None


def _id(text: str) -> bytes:
    return identifier(text, "consent")


def who(call: Call, argument: str) -> str:
    """Read the proxy's own reference for a person."""
    return stdin.one(call, "person", "give your own reference on one line") if argument == "-" else argument
