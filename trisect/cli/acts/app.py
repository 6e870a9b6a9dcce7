"""Credentials of a proxy's own apps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from trisect.cli import files, link, screen
from trisect.cli.call import Call
from trisect.store.keystore import write_private
from trisect.trust import certificates
from trisect.wire.v1 import credentials_pb2 as pb

_SCHEMA = 1


def issue(call: Call, name: str, output: Path, days: int) -> None:
    """Make a key, have it certified, and write both to a file of mode 0600."""
    files.check_place(output)
    call.run(_issue(call, name, output, days))


async def _issue(call: Call, name: str, output: Path, days: int) -> None:
    key = certificates.new_tls_key()
    request = pb.IssueCredentialRequest(name=name, request=certificates.signing_request(key), days=days)
    async with link.node(call) as node:
        reply = await node.credentials.IssueCredential(request, timeout=link.CALL_S)
    fields = {
        "trisect_app_credential": _SCHEMA,
        "id": reply.credential.id,
        "name": reply.credential.name,
        "expires_at": reply.credential.expires_at,
        "address": reply.address,
        "server_name": reply.server_name,
        "authority": reply.authority.decode(),
        "certificate": reply.certificate.decode(),
        "key": key.decode(),
    }
    write_private(output, (json.dumps(fields, indent=1) + "\n").encode())
    data = _described(reply.credential) | {"address": reply.address, "output": str(output)}
    call.report.result(
        data,
        lambda: screen.say(
            f"{data['name']} may call {data['address']} until {data['expires_at']}; its credential is in {output}, "
            "which nobody else may read"
        ),
    )


async def list_(call: Call) -> None:
    """List credentials."""
    async with link.node(call) as node:
        reply = await node.credentials.ListCredentials(pb.ListCredentialsRequest(), timeout=link.CALL_S)
    rows = [_described(one) for one in reply.credentials]
    call.report.result(
        {"credentials": rows},
        lambda: screen.listing(
            {
                "ID": "id",
                "NAME": "name",
                "SINCE": "issued_at",
                "UNTIL": lambda row: row["revoked_at"] or row["expires_at"],
                "": lambda row: "revoked" if row["revoked_at"] else "",
            },
            rows,
            empty="No app has a credential.",
            whole=["ID"],
        ),
    )


def revoke(call: Call, credential: str) -> None:
    """End a credential."""
    call.confirm(f"credential {credential} will be ended, and the app that has it cut off")
    call.run(_revoke(call, credential))


async def _revoke(call: Call, credential: str) -> None:
    async with link.node(call) as node:
        reply = await node.credentials.RevokeCredential(
            pb.RevokeCredentialRequest(id=credential), timeout=link.CALL_S
        )
    data = _described(reply.credential)
    call.report.result(data, lambda: screen.say(f"{data['name']} is cut off"))


def _described(found: pb.Credential) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "issued_at": found.issued_at,
        "expires_at": found.expires_at,
        "revoked_at": found.revoked_at,
    }
