"""Rulebooks: drafted, checked and explained offline, signed and published through a government's node."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trisect.cli import files, link, screen
from trisect.cli.acts import approval
from trisect.cli.call import Call
from trisect.cli.failures import FlawedResultError, UsageError
from trisect.cli.officer_keys import read_key
from trisect.cli.units import seconds
from trisect.clock import from_text, system_clock, to_text
from trisect.errors import BadInputError, NotFoundError
from trisect.rules import drafting, explaining, linting
from trisect.rules.linting import Finding, Level
from trisect.rules.rulebook import POLICIES_FILE, TOML_FILE, Rulebook
from trisect.trust import canonical_json, documents
from trisect.trust.filings import RulebookFiling
from trisect.wire.v1 import governance_pb2 as pb

SIGNED_FILE = "rulebook.signed.json"


class LintError(FlawedResultError):
    """A rulebook has an error."""

    code = "TRI-LINT"


def draft(
    call: Call, folder: Path, template: str, version: int, begin: str, days: int, approvals: int
) -> None:
    """Write a rulebook from a template."""
    try:
        begins = from_text(begin) if begin else system_clock().replace(microsecond=0)
    except ValueError as error:
        raise UsageError("--from is no time", hint="write it as 2027-01-31T00:00:00Z") from error
    texts = drafting.draft(
        template, version=version, begins=begins, ends=begins + dt.timedelta(days=days), approvals=approvals
    )
    found = Rulebook.parse(*texts)
    _write(folder, *texts)
    call.report.result(
        {"folder": str(folder), **_described(found)},
        lambda: screen.say(
            f"rulebook {version} is drafted in {folder}; change it, then `trisect rulebook lint`"
        ),
    )


def lint(call: Call, folder: Path) -> None:
    """Look for what is wrong with a rulebook."""
    found = read(folder)
    findings = linting.lint(found)
    data = {**_described(found), "findings": [_finding(one) for one in findings]}
    errors = sum(one.level is Level.ERROR for one in findings)
    if errors:
        raise LintError(
            f"the rulebook has {screen.count(errors, 'error', 'errors')}",
            data=data,
            text=lambda: _tell(findings),
            hint="mend what is marked as an error; warnings may stay",
        )

    def text() -> None:
        _tell(findings)
        screen.say("no error")

    call.report.result(data, text)


def explain(call: Call, folder: Path | None, language: str) -> None:
    """Say a rulebook in plain words."""
    found = read(folder) if folder else Rulebook.parse(*call.run(_texts(call, 0)))
    lines = explaining.explain(found, language)
    call.report.result(
        {**_described(found), "language": language, "lines": lines}, lambda: screen.say("\n".join(lines))
    )


async def simulate(call: Call, folder: Path, against: str) -> None:
    """Judge past exchanges by a rulebook."""
    found = read(folder)
    request = pb.SimulateRulebookRequest(
        toml=found.toml, policies=found.policies.text, seconds=seconds(against, "--against")
    )
    async with link.node(call) as node:
        reply = await node.governance.SimulateRulebook(request, timeout=link.LONG_CALL_S)
    rows = [
        {
            "asker": one.asker,
            "answerer": one.answerer,
            "purpose": one.purpose,
            "mode": one.mode,
            "times": one.times,
            "rule": one.rule,
            "message": one.message,
            "hint": one.hint or None,
            "exchange_id": one.exchange_id,
        }
        for one in reply.denials
    ]

    def text() -> None:
        denied = sum(one.times for one in reply.denials)
        screen.say(f"{denied:,} of {screen.count(reply.permits, 'exchange')} would have been denied")
        for one in reply.denials:
            screen.say(
                f"\n{one.asker} asking {one.answerer} ({one.purpose}, {one.mode}), "
                f"{screen.count(one.times, 'time')}, by {one.rule}: {one.message}"
            )
            if one.hint:
                screen.say(f"  what helps: {one.hint}")

    data = {**_described(found), "against_s": request.seconds, "permits": reply.permits, "denials": rows}
    call.report.result(data, text)


def sign(call: Call, folder: Path, officer_keys: Sequence[Path]) -> None:
    """Sign a rulebook with the node's key, and with officers' keys."""
    found = read(folder)
    if errors := [one for one in linting.lint(found) if one.level is Level.ERROR]:
        raise BadInputError(
            f"the rulebook is not signed: {errors[0].about}: {errors[0].text}",
            hint="see `trisect rulebook lint`",
        )
    path = folder / SIGNED_FILE
    envelope = approval.read(path) if path.exists() else b""
    if not envelope or _content(envelope, path) != found.content:
        envelope = call.run(_signed_by_node(call, found))
    for key in officer_keys:
        envelope = documents.countersign(envelope, read_key(key))
    with files.written(path) as stream:
        stream.write(envelope.decode())
    signatures = len(documents.signers(envelope))
    call.report.result(
        {**_described(found), "signatures": signatures, "file": str(path)},
        lambda: screen.say(
            f"rulebook {found.provisions.version} is signed by {screen.count(signatures, 'key', 'keys')}: {path}"
        ),
    )


def publish(call: Call, folder: Path) -> None:
    """Publish a signed rulebook."""
    path = folder / SIGNED_FILE
    if not path.exists():
        raise BadInputError(f"{folder} holds no signed rulebook", hint="`trisect rulebook sign` first")
    found, envelope = read(folder), approval.read(path)
    if _content(envelope, path) != found.content:
        raise BadInputError(
            "the rulebook was changed after it was signed", hint="sign it anew with `trisect rulebook sign`"
        )
    call.confirm(
        f"rulebook {found.provisions.version} will be in force at every party from "
        f"{to_text(found.provisions.valid_from)} on, and no lower version ever again"
    )
    call.run(_publish(call, envelope))
    call.report.result(
        _described(found), lambda: screen.say(f"rulebook {found.provisions.version} is published")
    )


async def show(call: Call, version: int, diff: int, output: Path | None) -> None:
    """Show what is published."""
    async with link.node(call) as node:
        reply = await node.governance.GetRegime(pb.GetRegimeRequest(), timeout=link.CALL_S)
    rows = [
        {
            "version": one.version,
            "title": one.title,
            "valid_from": one.valid_from,
            "valid_until": one.valid_until,
            "in_force": one.in_force,
            "hash": one.hash.hex(),
            "issuer": one.issuer,
        }
        for one in reply.rulebooks
    ]
    chosen = _chosen(reply.rulebooks, version) if version or diff or output else None
    changes = _diff(_chosen(reply.rulebooks, diff), chosen) if diff and chosen else []
    if output and chosen:
        _write(output, chosen.toml, chosen.policies)
    data: dict[str, Any] = {"rulebooks": rows, "approvals": reply.approvals}
    if chosen:
        data |= {"toml": chosen.toml, "policies": chosen.policies, "diff": changes}

    def text() -> None:
        if chosen is None:
            screen.listing(
                {
                    "VERSION": "version",
                    "TITLE": "title",
                    "FROM": "valid_from",
                    "UNTIL": "valid_until",
                    "IN FORCE": lambda row: "yes" if row["in_force"] else "",
                },
                rows,
                empty="No rulebook has been published; nothing can be exchanged.",
            )
        elif diff:
            screen.say("\n".join(changes) or "nothing has changed")
        elif output is None:
            screen.say(chosen.toml)
            screen.say(chosen.policies)

    call.report.result(data, text)


def read(folder: Path) -> Rulebook:
    """Read a rulebook's folder; raises BadInputError."""
    texts = []
    for name in (TOML_FILE, POLICIES_FILE):
        try:
            texts.append((folder / name).read_text(encoding="utf-8"))
        except OSError as error:
            raise BadInputError(
                f"cannot read {folder / name}: {error.strerror}", hint="`trisect rulebook draft` writes one"
            ) from error
        except UnicodeDecodeError as error:
            raise BadInputError(
                f"{folder / name} is not UTF-8", hint="save the file as UTF-8 text"
            ) from error
    return Rulebook.parse(*texts)


def _write(folder: Path, toml: str, policies: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(
            f"cannot make {folder}: {error.strerror}", hint="choose a folder that you may make"
        ) from error
    for name, text in ((TOML_FILE, toml), (POLICIES_FILE, policies)):
        if (folder / name).exists():
            raise BadInputError(f"{folder / name} is there already", hint="choose another folder")
        with files.written(folder / name) as stream:
            stream.write(text)


async def _signed_by_node(call: Call, found: Rulebook) -> bytes:
    request = pb.FileDocumentRequest(
        kind=RulebookFiling.KIND, content=canonical_json.encode(found.content), only_sign=True
    )
    async with link.node(call) as node:
        reply = await node.governance.FileDocument(request, timeout=link.CALL_S)
    return reply.proposal.envelope


async def _publish(call: Call, envelope: bytes) -> None:
    async with link.node(call) as node:
        await node.governance.PublishProposal(
            pb.PublishProposalRequest(envelope=envelope), timeout=link.LONG_CALL_S
        )


async def _texts(call: Call, version: int) -> tuple[str, str]:
    async with link.node(call) as node:
        reply = await node.governance.GetRegime(pb.GetRegimeRequest(), timeout=link.CALL_S)
    found = _chosen(reply.rulebooks, version)
    return found.toml, found.policies


def _chosen(published: Sequence[pb.PublishedRulebook], version: int) -> pb.PublishedRulebook:
    for one in published:
        if one.version == version or (not version and one.in_force):
            return one
    raise NotFoundError(
        f"there is no rulebook {version}" if version else "no rulebook is in force",
        hint="`trisect rulebook show` lists those that were published",
    )


def _diff(former: pb.PublishedRulebook, latter: pb.PublishedRulebook) -> list[str]:
    lines: list[str] = []
    for name, old, new in (
        (TOML_FILE, former.toml, latter.toml),
        (POLICIES_FILE, former.policies, latter.policies),
    ):
        lines += difflib.unified_diff(
            old.splitlines(),
            new.splitlines(),
            f"{former.version}/{name}",
            f"{latter.version}/{name}",
            lineterm="",
        )
    return lines


def _content(envelope: bytes, path: Path) -> object:
    kind, body = approval.peek(envelope, path)
    if kind != RulebookFiling.KIND:
        raise BadInputError(f"{path} holds no rulebook", hint="remove the file, and sign anew")
    return body.get("content")


def _described(found: Rulebook) -> dict[str, Any]:
    return {
        "version": found.provisions.version,
        "title": found.provisions.title,
        "valid_from": to_text(found.provisions.valid_from),
        "valid_until": to_text(found.provisions.valid_until),
        "approvals": found.provisions.approvals,
        "hash": found.hash.hex(),
    }


def _finding(found: Finding) -> dict[str, str]:
    return {"level": found.level.value, "about": found.about, "text": found.text, "cure": found.cure}


def _tell(findings: Sequence[Finding]) -> None:
    for one in findings:
        screen.say(f"{one.level}: {one.about}: {one.text}" + (f" ({one.cure})" if one.cure else ""))
