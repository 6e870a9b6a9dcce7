"""A proxy's app at a real node, over TLS, with a credential of its own."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
import support.tls
from support.cluster import Cluster
from support.daemons import Daemon, until
from support.planted import watch
from support.sqlite import locked
from walk.test_consents import member, trisect

from trisect.rpc import tls
from trisect.rpc.status import from_rpc
from trisect.trust.certificates import TlsIdentity
from trisect.wire.v1 import consents_pb2 as pb
from trisect.wire.v1 import person_pb2
from trisect.wire.v1.consents_pb2_grpc import ConsentsStub
from trisect.wire.v1.person_pb2_grpc import PersonsStub

pytestmark = pytest.mark.walk
EXAMPLE = Path(__file__).parents[2] / "deploy/examples/app.py"
MANY = 600


def served(daemon: Daemon) -> None:
    """Have the proxy serve apps, and tell of consents at once."""
    if daemon.home.name == "proxy":
        with (daemon.home / "config.toml").open("a") as config:
            config.write('[apps]\nlisten = "127.0.0.1:0"\n[consents]\ntick_s = 0.3\nepoch_s = 0.5\n')


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    found = asyncio.run(
        Cluster.create(tmp_path_factory.mktemp("apps"), ("government", "telco", "proxy"), prepare=served)
    )
    watch(found).plant(*(member(one) for one in range(MANY)), canonical=())
    yield found
    found.stop()


class App:
    """A program with a credential."""

    def __init__(self, cluster: Cluster, name: str, folder: Path) -> None:
        self.file = folder / f"{name}.json"
        self.id = trisect(cluster["proxy"], "app", "issue", name, "--output", self.file)["id"]

    def channel(self) -> grpc.aio.Channel:
        found = json.loads(self.file.read_text())
        identity = TlsIdentity(found["key"].encode(), found["certificate"].encode())
        return tls.node_channel(found["address"], found["authority"].encode(), identity)

    async def call(self, method: str, request: Any, stub: Any = PersonsStub) -> Any:
        async with self.channel() as channel:
            return await getattr(stub(channel), method)(request, timeout=20)


def wish(number: int, **changes: Any) -> pb.GrantConsentRequest:
    fields: dict[str, Any] = {
        "person": member(number),
        "purposes": ["scam-prevention"],
        "kinds": ["domain"],
        "parties": ["telco"],
        "days": 90,
        "language": "en",
        "method": "the app",
    }
    return pb.GrantConsentRequest(**fields | changes)


async def refusal(awaitable: Any) -> tuple[str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await awaitable
    error = from_rpc(caught.value, "the node")
    return error.code, error.message


async def test_an_app_does_for_a_person_what_the_person_asks(cluster: Cluster, tmp_path: Path) -> None:
    app = App(cluster, "members", tmp_path)
    granted = await app.call("Grant", wish(1))
    assert granted.consent.in_force
    assert set(granted.subjects) == {"proxy", "telco"}
    assert (await app.call("Grant", wish(1, once=True))).known
    mine = await app.call("List", person_pb2.ListPersonsConsentsRequest(person=member(1)))
    assert [one.id for one in mine.consents] == [granted.consent.id]
    receipt = await app.call(
        "GetReceipt", person_pb2.GetPersonsReceiptRequest(person=member(1), id=granted.consent.id)
    )
    assert receipt.record == granted.consent.record
    revoking = person_pb2.RevokePersonsConsentRequest(person=member(1), id=granted.consent.id, wait_s=20)
    told = (await app.call("Revoke", revoking)).consent.acknowledgements
    assert {one.party for one in told if one.at} == {"proxy", "telco"}


async def test_nothing_is_shown_or_changed_of_another_person(cluster: Cluster, tmp_path: Path) -> None:
    app = App(cluster, "curious", tmp_path)
    consent = (await app.call("Grant", wish(2))).consent.id
    given = await app.call("Delegate", pb.GiveDelegationRequest(
        person=member(2), purposes=["scam-prevention"], kinds=["domain"], parties=["telco"], days=9, language="en",
        method="a mandate",
    ))  # fmt: skip
    for method, request in (
        ("Revoke", person_pb2.RevokePersonsConsentRequest(person=member(3), id=consent)),
        ("GetReceipt", person_pb2.GetPersonsReceiptRequest(person=member(3), id=consent)),
        (
            "RevokeDelegated",
            person_pb2.RevokePersonsDelegationRequest(person=member(3), id=given.delegation.id),
        ),
    ):
        code, message = await refusal(app.call(method, request))
        assert (code, "the person has given no such" in message) == ("TRI-UNKNOWN", True), method
        assert (await refusal(app.call(method, type(request)(id=consent))))[0] == "TRI-INPUT", (
            "nobody is everybody"
        )
    for method, request in (
        ("List", person_pb2.ListPersonsConsentsRequest()),
        ("ListDelegated", person_pb2.ListPersonsDelegationsRequest()),
    ):
        assert (await refusal(app.call(method, request)))[0] == "TRI-INPUT"
    others = await app.call("List", person_pb2.ListPersonsConsentsRequest(person=member(3)))
    assert not others.consents
    under = await app.call("Grant", wish(2, days=5, delegation=given.delegation.id))
    ended = await app.call(
        "RevokeDelegated", person_pb2.RevokePersonsDelegationRequest(person=member(2), id=given.delegation.id)
    )
    assert list(ended.consents) == [under.consent.id]
    listed = await app.call("ListDelegated", person_pb2.ListPersonsDelegationsRequest(person=member(2)))
    assert [one.in_force for one in listed.delegations] == [False]


async def test_many_persons_in_one_call(cluster: Cluster, tmp_path: Path) -> None:
    app = App(cluster, "move", tmp_path)
    wishes = [wish(person, once=True) for person in range(10, MANY)]
    wishes[7] = wish(17, purposes=["curiosity"])
    wishes[8:9] = [wish(18, once=True), wish(18, once=True)]
    async with app.channel() as channel:
        call = PersonsStub(channel).GrantMany(iter(wishes), timeout=60)
        outcomes = [outcome async for outcome in call]
    assert [one.WhichOneof("outcome") for one in outcomes] == [
        "refused" if at == 7 else "granted" for at in range(len(wishes))
    ]
    assert (outcomes[7].refused.code, "no such purpose" in outcomes[7].refused.message) == ("TRI-INPUT", True)
    granted = [one.granted for one in outcomes if one.HasField("granted")]
    assert [one.known for one in granted].count(True) == 1, "the second of two alike"
    assert granted[7].consent.id == granted[8].consent.id
    assert len({one.consent.id for one in granted}) == MANY - 11
    assert all(one.consent.in_force for one in granted)
    again = [outcome async for outcome in _again(app, wishes[9:40])]
    assert all(one.granted.known for one in again)


async def _again(app: App, wishes: list[pb.GrantConsentRequest]) -> Any:
    async with app.channel() as channel:
        async for outcome in PersonsStub(channel).GrantMany(iter(wishes), timeout=60):
            yield outcome


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"method": "a\0form"}, "printable"),
        ({"method": "\x01"}, "printable"),
        ({"method": "m" * 1_001}, "at most 1000"),
        ({"days": 4_000_000_000}, "days"),
        ({"days": 0}, "days"),
        ({"person": ""}, "person"),
        ({"person": "p" * 257}, "person"),
        ({"kinds": ["voiceprint"]}, "voiceprint"),
        ({"delegation": b"\0" * 16}, "no such delegation"),
        ({"notice": 99}, "notice 99"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
async def test_one_wish_that_cannot_be_recorded_stops_no_other(
    cluster: Cluster, tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    app = App(cluster, "sloppy", tmp_path)
    try:
        before, wrong, after = [
            one async for one in _again(app, [wish(20, once=True), wish(21, **changes), wish(22, once=True)])
        ]
        assert (wrong.WhichOneof("outcome"), told in wrong.refused.message) == ("refused", True)
        assert before.granted.consent.in_force
        assert after.granted.consent.in_force
        assert cluster["proxy"].ready() == []
    finally:
        trisect(cluster["proxy"], "app", "revoke", app.id)


async def test_a_message_that_is_none_ends_its_call_at_once(cluster: Cluster, tmp_path: Path) -> None:
    app = App(cluster, "garbled", tmp_path)
    async with app.channel() as channel:
        raw = channel.stream_stream("/trisect.wire.v1.Persons/GrantMany")
        call = raw(iter([wish(31).SerializeToString(), b"\xff" * 9]), timeout=20)
        answer = await call.read()
        assert person_pb2.GrantOutcome.FromString(answer).granted.consent.in_force
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "Traceback" not in cluster["proxy"].log()


async def test_what_is_asked_for_once_is_renewed_before_it_ends(cluster: Cluster, tmp_path: Path) -> None:
    app = App(cluster, "renewing", tmp_path)
    first = await app.call("Grant", wish(32, days=10, once=True, method="a yearly form"))
    for days, known in ((10, True), (9, True), (30, False), (10, True), (30, True)):
        again = await app.call("Grant", wish(32, days=days, once=True, method="a yearly form"))
        assert again.known is known, days
    everything = await app.call("List", person_pb2.ListPersonsConsentsRequest(person=member(32)))
    listed = [one for one in everything.consents if one.credential == app.id]
    assert len(listed) == 2
    older = person_pb2.ListPersonsConsentsRequest(person=member(32), before=listed[-1].sequence)
    assert (await app.call("List", older)).consents[-1].id == first.consent.id
    kept = trisect(cluster["proxy"], "consent", "list", "--credential", app.id)["consents"]
    assert {one["id"] for one in kept} == {one.id.hex() for one in listed}
    await app.call("Revoke", person_pb2.RevokePersonsConsentRequest(person=member(32), id=first.consent.id))
    (left,) = trisect(cluster["proxy"], "consent", "list", "--credential", app.id)["consents"]
    assert (left["id"], left["credential"]) == (listed[-1].id.hex(), app.id)


async def test_a_credential_is_shut_out_though_the_database_cannot_be_told(
    cluster: Cluster, tmp_path: Path
) -> None:
    app, proxy = App(cluster, "locked", tmp_path), cluster["proxy"]
    async with app.channel() as channel:
        call = PersonsStub(channel).GrantMany(timeout=60)
        await call.write(wish(33, once=True))
        await call.read()
        with locked(proxy.home / "node.db"):
            revoking = asyncio.create_task(asyncio.to_thread(trisect, proxy, "app", "revoke", app.id))
            assert await refusal(call.read()) == ("TRI-AUTH", "the credential was revoked")
        await revoking
    assert (await refusal(app.call("List", person_pb2.ListPersonsConsentsRequest(person=member(33)))))[
        0
    ] == "TRI-AUTH"


async def test_a_message_that_is_too_large_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    app = App(cluster, "huge", tmp_path)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await app.call("Grant", wish(30, purposes=["p" * 1_000] * 100))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("sent", [1, 3 * 256])
async def test_what_a_call_that_breaks_off_has_begun_is_recorded_once(
    cluster: Cluster, tmp_path: Path, sent: int
) -> None:
    """The queue is full, or a batch is being written, when the app goes away."""
    app = App(cluster, f"away-{sent}", tmp_path)
    wishes = [wish(10_000 + person % 300, once=True, method=f"break {sent}") for person in range(sent)]
    async with app.channel() as channel:
        call = PersonsStub(channel).GrantMany(iter(wishes), timeout=60)
        await call.read()
        call.cancel()
    again = [one async for one in _again(app, wishes)]
    assert {one.WhichOneof("outcome") for one in again} == {"granted"}
    for person in range(0, min(sent, 300), 37):
        mine = await app.call("List", person_pb2.ListPersonsConsentsRequest(person=member(10_000 + person)))
        assert (
            len([one for one in mine.consents if one.in_force and f"break {sent}".encode() in record(one)])
            == 1
        )
    assert "never retrieved" not in cluster["proxy"].log()
    assert "was destroyed" not in cluster["proxy"].log()


def record(consent: pb.Consent) -> bytes:
    return base64.b64decode(json.loads(consent.record)["payload"])


async def test_a_call_that_breaks_off_keeps_what_it_has_answered(cluster: Cluster, tmp_path: Path) -> None:
    app = App(cluster, "broken", tmp_path)

    async def requests() -> Any:
        yield wish(5, once=True, days=30, method="half a call")
        await asyncio.Event().wait()

    async with app.channel() as channel:
        call = PersonsStub(channel).GrantMany(requests(), timeout=60)
        first = await call.read()
        call.cancel()
    kept = await app.call("List", person_pb2.ListPersonsConsentsRequest(person=member(5)))
    assert first.granted.consent.id in {one.id for one in kept.consents}


async def test_a_credential_that_was_revoked_opens_nothing_and_cuts_what_runs(
    cluster: Cluster, tmp_path: Path
) -> None:
    proxy, app, other = cluster["proxy"], App(cluster, "stolen", tmp_path), App(cluster, "kept", tmp_path)

    async def requests() -> Any:
        yield wish(6, once=True)
        await asyncio.Event().wait()

    async with app.channel() as channel:
        call = PersonsStub(channel).GrantMany(requests(), timeout=60)
        await call.read()
        await asyncio.to_thread(trisect, proxy, "app", "revoke", app.id)
        assert await refusal(call.read()) == ("TRI-AUTH", "the credential was revoked")
        asked = person_pb2.ListPersonsConsentsRequest(person=member(6))
        assert await refusal(PersonsStub(channel).List(asked, timeout=20)) == (
            "TRI-AUTH",
            "the credential was revoked",
        )
    assert (await other.call("List", asked)).consents
    rows = {one["name"]: bool(one["revoked_at"]) for one in trisect(proxy, "app", "list")["credentials"]}
    assert (rows["stolen"], rows["kept"]) == (True, False)
    trisect(proxy, "app", "issue", "stolen", "--output", tmp_path / "new.json")
    error = trisect(proxy, "app", "issue", "kept", "--output", tmp_path / "second.json", code=1)
    assert "that holds" in error["message"]


async def test_the_doors_are_apart(cluster: Cluster, tmp_path: Path) -> None:
    """What opens one opens no other: neither the coordinator's certificates here nor the node's credentials there."""
    proxy, app = cluster["proxy"], App(cluster, "neighbour", tmp_path)
    assert (
        "unimplemented"
        in (await refusal(app.call("ListConsents", pb.ListConsentsRequest(), ConsentsStub)))[1]
    )
    keystore = json.loads((proxy.home / "keystore.json").read_text())["secrets"]
    found = json.loads(app.file.read_text())
    party = TlsIdentity(*(base64.b64decode(keystore[name]) for name in ("tls_key", "tls_certificate")))
    asked = person_pb2.ListPersonsConsentsRequest(person=member(1))
    async with tls.node_channel(found["address"], found["authority"].encode(), party) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await PersonsStub(channel).List(asked, timeout=10)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    async with grpc.aio.secure_channel(
        found["address"],
        grpc.ssl_channel_credentials(found["authority"].encode()),
        options=[("grpc.ssl_target_name_override", found["server_name"])],
    ) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await PersonsStub(channel).List(asked, timeout=10)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_handshake_below_tls_1_3_fails(cluster: Cluster, tmp_path: Path) -> None:
    found = json.loads(App(cluster, "elderly", tmp_path).file.read_text())
    own = TlsIdentity(found["key"].encode(), found["certificate"].encode())
    greeting = (found["address"], found["authority"].encode(), own)
    version, frame = await asyncio.to_thread(
        support.tls.greet, *greeting, "TLSv1_3", host=found["server_name"]
    )
    assert (version, frame) == ("TLSv1.3", support.tls.SETTINGS), "the node speaks only to whom it has let in"
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        await asyncio.to_thread(support.tls.greet, *greeting, "TLSv1_2", host=found["server_name"])


async def test_an_app_finds_the_node_again_after_a_restart(cluster: Cluster, tmp_path: Path) -> None:
    proxy, app = cluster["proxy"], App(cluster, "patient", tmp_path)
    address = proxy.state["apps"]
    assert proxy.terminate() == 0
    await proxy.start()
    await until(proxy.is_admitted, "the proxy to be back")
    assert proxy.state["apps"] == address
    assert (await app.call("Grant", wish(4))).consent.in_force


def test_the_example_does_what_it_says(cluster: Cluster, tmp_path: Path) -> None:
    app = App(cluster, "example", tmp_path)
    words = [sys.executable, EXAMPLE, app.file, member(9), "telco"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    given, known, in_force, taken = done.stdout.splitlines()
    assert given.startswith("given: ")
    assert known.startswith("telco knows the member as ")
    assert (in_force, taken.startswith("taken back: 20")) == ("in force: 1", True)
    trisect(cluster["proxy"], "app", "revoke", app.id)
    ended = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, "the credential was revoked" in ended.stderr) == (1, True)


def test_only_a_proxy_serves_apps(cluster: Cluster, tmp_path: Path) -> None:
    error = trisect(cluster["telco"], "app", "issue", "an app", "--output", tmp_path / "app.json", code=1)
    assert "serves no apps" in error["message"]
    assert not (tmp_path / "app.json").exists()
