"""An app of a proxy: it records what a member allows, shows it to the member, and takes it back.

    trisect --home /srv/consumer-aid app issue "the members' app" --output app.json
    python app.py app.json "member 1017" first-telco

Any language with gRPC does: the contract is `proto/trisect/wire/v1/person.proto`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import grpc

from trisect.wire.v1 import consents_pb2, person_pb2
from trisect.wire.v1.person_pb2_grpc import PersonsStub

TIMEOUT_S = 30.0


def channel(credential: Path) -> grpc.Channel:
    """Open a channel with the credential that `trisect app issue` wrote."""
    fields = json.loads(credential.read_text())
    authority, key, certificate = (fields[name].encode() for name in ("authority", "key", "certificate"))
    return grpc.secure_channel(
        fields["address"],
        grpc.ssl_channel_credentials(authority, key, certificate),
        # The node shows this name whatever its address; it is checked against the authority of the credential.
        options=[("grpc.ssl_target_name_override", fields["server_name"])],
    )


def main(credential: Path, member: str, party: str) -> None:
    """Let a member consent, and take it back."""
    with channel(credential) as opened:
        node = PersonsStub(opened)
        wish = consents_pb2.GrantConsentRequest(
            person=member,
            purposes=["scam-prevention"],
            kinds=["phone"],
            parties=[party],
            days=365,
            language="en",
            method="the form in the app",
        )
        granted = node.Grant(wish, timeout=TIMEOUT_S)
        print("given:", granted.consent.id.hex())
        print(f"{party} knows the member as", granted.subjects[party])
        asked = person_pb2.ListPersonsConsentsRequest(person=member)
        print("in force:", sum(one.in_force for one in node.List(asked, timeout=TIMEOUT_S).consents))
        taken = person_pb2.RevokePersonsConsentRequest(person=member, id=granted.consent.id)
        print("taken back:", node.Revoke(taken, timeout=TIMEOUT_S).consent.revoked_at)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), *sys.argv[2:4])
    except grpc.RpcError as error:
        sys.exit(f"{error.code().name}: {error.details()}")
