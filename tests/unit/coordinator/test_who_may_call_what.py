"""Every kind of caller at every door against every method of the contract: nobody gets in but who is named here.

The callers are real ones of a real registry, and the check is the daemons' own. A method of `proto/` that has no line
here fails the test, as does one that lets anybody else in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest
from support.membership import GOVERNMENT
from unit.coordinator.office import Office
from unit.rpc.contract import methods

import coordinator.app
import nodes.app
from coordinator.services import authoriser
from nodes.clients import Clients
from trisect.clock import system_randomness, to_text
from trisect.rpc.gate import Authorise, Gate
from trisect.store.credentials import Credentials
from trisect.store.database import Database, sqlite_url
from trisect.trust import certificates
from trisect.trust.certificates import Caller, Principal
from trisect.trust.statements import Role, Standing

HERE = "anti-fraud"
INVITED = "the holder of an invitation"
JOINED = {"newcomer", "telco with a new key"}
ACTIVE = {GOVERNMENT, "telco", "proxy"}
SUSPENDED = {"suspended provider", "suspended proxy", "suspended government"}
ENROLLED = JOINED | ACTIVE | SUSPENDED
OUTSIDERS = {
    "no certificate",
    "an expired certificate",
    "another consortium's telco",
    "the coordinator itself",
    "expelled",
    "never enrolled",
}
CERTIFIED = ENROLLED | {INVITED, "expelled", "never enrolled"}
"""Who passes the transport: what gRPC itself offers to anyone tells nothing of ours."""

AT_THE_COORDINATOR: Mapping[str, set[str]] = {
    "Enrolment/Redeem": {INVITED},
    "Enrolment/Renew": ENROLLED,
    "Directory/ListStatements": ENROLLED,
    "Directory/Publish": ENROLLED,
    "Directory/ListApplicants": {GOVERNMENT},
    "Relay/Attach": ENROLLED,
    "Relay/Deliver": ENROLLED,
    "Relay/Notify": ENROLLED,
    "Relay/Call": ACTIVE,
    "Relay/EnterReceipt": ENROLLED,
    "Relay/IssuePermit": ACTIVE,
    "Relay/Exchange": ACTIVE,
    "Record/GetKey": ENROLLED,
    "Record/GetHead": ENROLLED,
    "Record/ListEntries": ENROLLED,
    "Record/Cosign": ACTIVE,
    "Record/Restore": ACTIVE,
}
"""Who gets in at the coordinator's TLS port; whoever is not named does not, nor anybody at a method that is not."""

AT_A_SOCKET = {
    "CoordinatorAdmin": {"Invite", "GetCoordinatorStatus"},
    "NodeAdmin": {
        "GetStatus",
        "ListParties",
        "Admit",
        "ChangeStanding",
        "SucceedKeys",
        "GetPepperStatus",
        "RotatePepper",
    },
    "Governance": {
        "GetRegime",
        "FileDocument",
        "ListBudgets",
        "ListBreaches",
        "ListLeaks",
        "GetMeter",
        "CheckNotice",
        "SimulateRulebook",
        "InspectParty",
        "PublishProposal",
    },
    "Consents": {
        "GrantConsent",
        "RevokeConsent",
        "ListConsents",
        "GetConsentReceipt",
        "GiveDelegation",
        "RevokeDelegation",
        "ListDelegations",
    },
    "Credentials": {"IssueCredential", "ListCredentials", "RevokeCredential"},
    "Collections": {
        "ListCollections",
        "CountLabels",
        "ShareCollection",
        "UnshareCollection",
        "DeleteCollection",
        "Import",
        "ChangeEntry",
    },
    "Matching": {
        "StartMatch",
        "ExplainMatch",
        "WatchExchange",
        "ListExchanges",
        "CancelExchange",
        "HoldHits",
        "DropHits",
        "GetPermit",
        "ListHits",
    },
    "Proofs": {"ProveEntry", "CheckProof"},
    "RecordAdmin": {"GetRecord", "GetRecordProof", "ListRecord"},
    "Schedules": {"AddSchedule", "ListSchedules", "RemoveSchedule"},
}
"""What administrators call, at the socket of their daemon and nowhere else."""

AT_THE_APPS_PORT = {
    "Persons/Grant",
    "Persons/GrantMany",
    "Persons/Revoke",
    "Persons/List",
    "Persons/GetReceipt",
    "Persons/Delegate",
    "Persons/RevokeDelegated",
    "Persons/ListDelegated",
}
"""What apps with a credential of a proxy's node call, at the node's port for them and nowhere else."""


class Refused(Exception):  # noqa: N818  (what gRPC's own abort does, without its machinery)
    """The gate has aborted the call."""


class Context:
    """A call's context as far as the gate reads it."""

    def __init__(self, found: Mapping[str, list[bytes]]) -> None:
        self._found = found

    def auth_context(self) -> Mapping[str, list[bytes]]:
        return self._found

    async def abort(self, code: grpc.StatusCode, *_: object, **__: object) -> None:
        assert code in {grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED, *NO_DOOR}, code
        raise Refused


NO_DOOR = {grpc.StatusCode.INVALID_ARGUMENT}
"""A socket says so where it does not serve a method at all."""


def certified(whom: Principal, now: dt.datetime, life: dt.timedelta = dt.timedelta(days=1)) -> Context:
    authority = certificates.new_authority(whom.consortium, now)
    request = certificates.signing_request(certificates.new_tls_key())
    return Context(
        {
            "ssl_tls_version": [b"TLSv1.3"],
            "peer_uri": [whom.uri.encode()],
            "x509_pem_cert": [certificates.issue(authority, request, whom, now=now, life=life)],
        }
    )


def settle(office: Office) -> dict[str, Context]:
    """Have a consortium with every kind of party; gives their contexts and those of others."""
    office.founded()
    parties = {
        "telco": Role.PROVIDER,
        "proxy": Role.PROXY,
        "suspended-telco": Role.PROVIDER,
        "suspended-proxy": Role.PROXY,
        "suspended-state": Role.GOVERNMENT,
        "expelled": Role.PROVIDER,
        "rejoined": Role.PROVIDER,
    }
    for name, role in parties.items():
        office.join(name, role.value)
        office.publish(office.consortium.admission(name, role))
    office.expel("expelled")
    until = to_text(office.now + dt.timedelta(days=1))
    for name in ("suspended-telco", "suspended-proxy", "suspended-state"):
        change = office.consortium.standing(name, Standing.SUSPENDED, issued=to_text(office.now), until=until)
        office.publish(change)
    office.join("rejoined", key="rejoined-new")
    office.join("newcomer")

    def party(name: str, consortium: str = HERE) -> Context:
        return certified(Principal(consortium, Caller.PARTY, name), office.now)

    return {
        GOVERNMENT: party(GOVERNMENT),
        "telco": party("telco"),
        "proxy": party("proxy"),
        "suspended provider": party("suspended-telco"),
        "suspended proxy": party("suspended-proxy"),
        "suspended government": party("suspended-state"),
        "telco with a new key": party("rejoined"),
        "newcomer": party("newcomer"),
        "expelled": party("expelled"),
        "never enrolled": party("nobody"),
        "another consortium's telco": party("telco", "elsewhere"),
        "no certificate": Context({"ssl_tls_version": [b"TLSv1.3"]}),
        "an expired certificate": certified(
            Principal(HERE, Caller.PARTY, "telco"), office.now - dt.timedelta(days=2)
        ),
        "the coordinator itself": certified(Principal(HERE, Caller.COORDINATOR, "coordinator"), office.now),
        INVITED: certified(Principal(HERE, Caller.INVITATION, office.invited("guest")), office.now),
    }


async def lets_in(authorise: Authorise, method: str, context: Context) -> bool:
    found: Any = context
    try:
        async with Gate(authorise).passing(method, found):
            return True
    except Refused:
        return False


def full(method: str) -> str:
    return f"/trisect.wire.v1.{method}"


def test_every_method_of_the_contract_has_its_line() -> None:
    administrative = {f"{service}/{method}" for service, found in AT_A_SOCKET.items() for method in found}
    doors = (administrative, AT_THE_COORDINATOR.keys(), AT_THE_APPS_PORT)
    told = [method for door in doors for method in door]
    ours = [method.removeprefix(full("")) for method in methods() if method.startswith(full(""))]
    assert sorted(told) == sorted(ours)


async def test_at_the_coordinators_port(office: Office) -> None:
    callers = settle(office)
    assert callers.keys() == ENROLLED | OUTSIDERS | {INVITED}
    authorise = authoriser(office.registry, HERE, lambda: office.now)
    for method in (*sorted(methods()), full("Relay/Unknown"), full("Desk/Check")):
        expected = AT_THE_COORDINATOR.get(method.removeprefix(full("")), set())
        if method.startswith("/grpc."):
            expected = CERTIFIED
        found = {name for name, context in callers.items() if await lets_in(authorise, method, context)}
        assert found == expected, method


@pytest.fixture
def node_database(tmp_path: Path) -> Iterator[Database]:
    found = Database(sqlite_url(tmp_path / "node.db"))
    found.migrate("node")
    yield found
    found.close()


async def test_at_a_nodes_port_for_apps(node_database: Database, tmp_path: Path) -> None:
    now = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    node = Principal(HERE, Caller.NODE, "proxy")
    clients = Clients(tmp_path, node, Credentials(node_database), lambda: now, system_randomness)
    request = certificates.signing_request(certificates.new_tls_key())
    holding, revoked = [(await clients.issue(name, request, 1))[0].id for name in ("app", "former")]
    await clients.revoke(revoked)

    def app(credential: str, consortium: str = HERE, at: dt.datetime = now) -> Context:
        return certified(Principal(consortium, Caller.APP, credential), at)

    callers = {
        "an app": app(holding),
        "an app whose credential was revoked": app(revoked),
        "an app whose credential has ended": app(holding, at=now - dt.timedelta(days=2)),
        "an app that nobody knows": app("0" * 32),
        "an app of another consortium's": app(holding, "elsewhere"),
        "the proxy's own party": certified(Principal(HERE, Caller.PARTY, "proxy"), now),
        "the node itself": certified(node, now),
        "the coordinator": certified(Principal(HERE, Caller.COORDINATOR, "coordinator"), now),
        "a party by the name of a credential": certified(Principal(HERE, Caller.PARTY, holding), now),
        "no certificate": Context({"ssl_tls_version": [b"TLSv1.3"]}),
        "TLS 1.2": Context(app(holding).auth_context() | {"ssl_tls_version": [b"TLSv1.2"]}),
    }
    for method in (*sorted(methods()), full("Persons/Unknown")):
        served = method.removeprefix(full("")) in AT_THE_APPS_PORT or method.startswith("/grpc.")
        found = {
            name for name, context in callers.items() if await lets_in(clients.authorise, method, context)
        }
        assert found == ({"an app"} if served else set()), method


@pytest.mark.parametrize("daemon", [coordinator.app, nodes.app], ids=lambda module: module.__name__)
async def test_at_a_daemons_socket(daemon: Any) -> None:
    """Which services a socket has at all is another matter: it serves administrators, and nothing that others call."""
    for method in (*sorted(methods()), full("Relay/Unknown")):
        service, _, name = method.removeprefix(full("")).partition("/")
        expected = name in AT_A_SOCKET.get(service, set()) or method.startswith("/grpc.")
        assert await lets_in(daemon._administrators, method, Context({})) == expected, method
