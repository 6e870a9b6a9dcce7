"""Consents of many persons from a file: JSON lines in, ids and pseudonyms out.

A line that cannot be recorded is counted and named, and stops nothing. The same file again records nothing twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from trisect.cli import files, link, screen
from trisect.cli.acts.consent import Given, identifier
from trisect.cli.call import Call
from trisect.cli.failures import PartialError
from trisect.errors import BadInputError, DeniedError, NotFoundError
from trisect.rpc.status import translated
from trisect.wire.v1 import consents_pb2 as pb

MAX_LINE = 64 * 1024
_SHAPE = "docs/consent.md shows a line"
_DEFAULTS: Mapping[str, Any] = {
    "days": 365,
    "pressures": [],
    "notice": 0,
    "language": "en",
    "delegation": "",
}
_TYPES: Mapping[str, type] = {
    "person": str,
    "purposes": list,
    "kinds": list,
    "parties": list,
    "method": str,
    "days": int,
    "pressures": list,
    "notice": int,
    "language": str,
    "delegation": str,
}


def read(call: Call, file: Path, output: Path) -> None:
    """Record the consents of a file."""
    files.check_place(output)
    try:
        with file.open(encoding="utf-8-sig") as stream:
            call.run(_record(call, stream, output))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"cannot read {file}", hint="give a file of JSON lines in UTF-8") from error


async def _record(call: Call, stream: TextIO, output: Path) -> None:
    granted = known = 0
    rejects: list[dict[str, Any]] = []
    async with link.node(call) as node:
        with files.written(output) as written:
            for number, line in _lines(stream):
                try:
                    async with translated("the node"):
                        reply = await node.consents.GrantConsent(_request(line), timeout=link.CALL_S)
                except (BadInputError, DeniedError, NotFoundError) as error:
                    rejects.append({"line": number, "reason": error.message})
                    continue
                known += reply.known
                granted += not reply.known
                described = {"line": number, "id": reply.consent.id.hex(), "in_force": reply.consent.in_force}
                written.write(
                    json.dumps(described | {"subjects": dict(sorted(reply.subjects.items()))}) + "\n"
                )
    _tell(call, granted, known, rejects, output)


def _tell(call: Call, granted: int, known: int, rejects: list[dict[str, Any]], output: Path) -> None:
    data = {
        "rows": granted + known + len(rejects),
        "granted": granted,
        "known": known,
        "rejected": len(rejects),
        "rejects": rejects,
        "output": str(output),
    }

    def text() -> None:
        screen.say(
            f"{screen.count(granted, 'consent')} recorded, {known} known already; pseudonyms are in {output}"
        )
        screen.listing({"LINE": "line", "REASON": "reason"}, rejects, empty="No line was rejected.")

    if rejects:
        raise PartialError(
            f"{screen.count(len(rejects), 'line')} could not be recorded",
            data=data,
            text=text,
            hint="mend them and give the file again: what was recorded is not recorded twice",
        )
    call.report.result(data, text)


def _lines(stream: TextIO) -> Iterator[tuple[int, str]]:
    """Give every line that is not blank, with its number; one that is too long comes cut short."""
    number = 0
    while line := stream.readline(MAX_LINE):
        number += 1
        rest = line
        while not rest.endswith("\n") and (rest := stream.readline(MAX_LINE)):
            pass
        if line.strip():
            yield number, line


def _request(line: str) -> pb.GrantConsentRequest:
    """Read one line; raises BadInputError."""
    try:
        fields = {**_DEFAULTS, **json.loads(line)}
    except (ValueError, TypeError, RecursionError) as error:
        raise BadInputError("this is no JSON object", hint=_SHAPE) from error
    if missing := [name for name in _TYPES if name not in fields]:
        raise BadInputError(f"the field {missing[0]} is missing", hint=_SHAPE)
    for name, value in fields.items():
        if name not in _TYPES:
            raise BadInputError("a field is unknown", hint=_SHAPE)
        texts = not isinstance(value, list) or all(isinstance(one, str) for one in value)
        if type(value) is not _TYPES[name] or not texts:
            raise BadInputError(f"the field {name} is not as it must be", hint=_SHAPE)
    if not 0 < fields["days"] < 2**31 or not 0 <= fields["notice"] < 2**31:
        raise BadInputError("days or notice is out of range", hint=_SHAPE)
    person, delegation = fields.pop("person"), fields.pop("delegation")
    return pb.GrantConsentRequest(
        person=person,
        once=True,
        delegation=identifier(delegation, "delegation"),
        **Given(**fields).fields(),
    )
