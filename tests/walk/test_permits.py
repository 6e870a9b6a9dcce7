"""No byte without a permit: rules, notices and budgets decide at real nodes, and the record tells on what leave."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from support.cluster import COMMON, NUMBERS, Cluster, run, trisect
from support.daemons import Node, failure, hosts, until

from coordinator import authority
from nodes.keys import NodeKeys
from trisect.cli.demo import rules
from trisect.clock import from_text, system_clock, system_randomness, to_text
from trisect.errors import Fault
from trisect.record import entries
from trisect.rules.notices import Notice
from trisect.rules.permit import Permit
from trisect.rules.rulebook import Rulebook
from trisect.store.budgets import Budgets
from trisect.store.database import Database, sqlite_url
from trisect.store.record import Record
from trisect.store.tables import (
    RecordTables,
    coordinator_budgets,
    coordinator_record,
    node_budgets,
    node_record,
)
from trisect.trust.filings import NoticeFiling, RulebookFiling
from trisect.trust.keys import IdentityPublic
from trisect.trust.statements import Role
from trisect.wire.v1 import governance_pb2, governance_pb2_grpc, matching_pb2

pytestmark = pytest.mark.walk
BUDGET = 200
"""Elements a day in the second rulebook: three questions of 60, and not a fourth."""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster whose rules these tests change, in their order."""
    found = asyncio.run(
        Cluster.create(tmp_path_factory.mktemp("permits"), ("government", "telco", "proxy"), rules=False)
    )
    for name, numbers in ((name, NUMBERS[name]) for name in ("telco", "proxy")):
        asyncio.run(found[name].import_values("list", hosts(numbers)))
    yield found
    found.stop()


async def regime(node: Node) -> governance_pb2.GetRegimeReply:
    async with node.channel() as channel:
        stub = governance_pb2_grpc.GovernanceStub(channel)
        return await stub.GetRegime(governance_pb2.GetRegimeRequest(), timeout=30)


async def permit_of(node: Node, exchange_id: str) -> bytes:
    reply = await node.matching("GetPermit", matching_pb2.GetPermitRequest(exchange_id=exchange_id))
    return reply.envelope


def entries_of(path: Path, tables: RecordTables) -> list[bytes]:
    with closing(Database(sqlite_url(path))) as database:
        return list(Record(database, tables).entries(0))


def all_entries(cluster: Cluster) -> list[bytes]:
    return entries_of(cluster.coordinator.home / "coordinator.db", coordinator_record)


def recorded(cluster: Cluster) -> list[bytes]:
    return [entry for entry in all_entries(cluster) if entries.kind(entry) == Permit.KIND]


def frames(cluster: Cluster) -> float:
    return cluster.coordinator.relayed()[0]


async def test_before_the_first_rulebook_nothing_is_exchanged(own: Cluster) -> None:
    error = await failure(own["telco"].start_match("list", "proxy", "list"))
    assert error.fault is Fault.STALE, error.message
    assert "rulebook publish" in error.hint

    async def ready_but_for_rules() -> bool:
        return {reason["check"] for reason in own["telco"].ready()} == {"rulebook", "notice"}

    await until(ready_but_for_rules, "all but rules to be there")
    done = run("trisect", "--home", own["telco"].home, "match", "--collection", "list", "--peer", "proxy",
               "--with", "list", "--purpose", "scam-prevention")  # fmt: skip
    assert done.returncode == 8


async def test_without_a_notice_a_party_shares_and_exchanges_nothing(own: Cluster) -> None:
    now = system_clock().replace(microsecond=0)
    await own["government"].file(RulebookFiling.KIND, rules.rulebook(now).content)

    async def known() -> bool:
        return all([(await regime(node)).rulebooks for node in own.nodes.values()])

    await until(known, "all to have the rulebook")
    error = await failure(own["telco"].start_match("list", "proxy", "list"))
    assert (error.fault, error.rule) == (Fault.DENIED, "notice-in-force")
    error = await failure(own["proxy"].share("list", "government"))
    assert (error.fault, error.rule) == (Fault.DENIED, "notice-in-force")
    assert frames(own) == 0


async def test_a_permit_is_the_same_at_both_ends_and_in_the_record(own: Cluster) -> None:
    await own.put_rules_in_place()
    await own["proxy"].share("list", "all")
    exchange = await own["telco"].match("list", "proxy", "list")
    assert exchange.state == "complete", exchange.error.message
    assert {hit.ref for hit in await own["telco"].hits(exchange.exchange_id)} == COMMON
    envelope = await permit_of(own["telco"], exchange.exchange_id)
    assert envelope == await permit_of(own["proxy"], exchange.exchange_id)
    assert recorded(own) == [envelope]
    proxy = NodeKeys.load(own["proxy"].home).identity.public
    coordinator: IdentityPublic = authority.signing_key(own.coordinator.home, system_randomness).public
    permit, _ = Permit.verify(envelope, proxy, coordinator, signers=2)
    assert permit.exchange.hex() == exchange.exchange_id
    assert (permit.rules, permit.kinds) == ("demo-scam-prevention", "domain")
    (rulebook,) = (await regime(own["proxy"])).rulebooks
    assert permit.rulebook == rulebook.hash
    notices = {one.party: one.hash for one in (await regime(own["proxy"])).notices}
    assert (permit.asker_notice, permit.answerer_notice) == (notices["telco"], notices["proxy"])


async def test_a_red_line_is_denied_by_the_own_node_and_named(own: Cluster) -> None:
    telco = own["telco"]
    await telco.import_values(
        "unfounded", [f"u{n}.example.com" for n in range(20)], legal_basis="unspecified"
    )
    before = frames(own)
    done = run("trisect", "--home", telco.home, "--format", "json", "match", "--collection", "unfounded",
               "--peer", "proxy", "--with", "list", "--purpose", "scam-prevention")  # fmt: skip
    assert (done.returncode, '"rule": "no-basis-no-exchange"' in done.stdout) == (6, True), done.stdout
    assert frames(own) == before
    assert len(recorded(own)) == 1


def by_command(node: Node, *arguments: object) -> dict:
    done = run("trisect", "--home", node.home, "--format", "json", *arguments)
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout)["data"]


async def test_a_budget_is_spent_to_the_element_at_both_ledgers(own: Cluster) -> None:
    now = system_clock().replace(microsecond=0)
    toml = rules.rulebook(now).toml.replace("version = 1", "version = 2")
    second = Rulebook.parse(
        toml.replace("elements_per_day = 1_000_000_000", f"elements_per_day = {BUDGET}"),
        rules.rulebook(now).policies.text,
    )
    await own["government"].file(RulebookFiling.KIND, second.content)

    async def known() -> bool:
        return all([len((await regime(node)).rulebooks) == 2 for node in own.nodes.values()])

    await until(known, "all to have the second rulebook")
    # 60 were spent before, under the first; two more fit, whoever comes first.
    asked = [own["telco"].start_match("list", "proxy", "list") for _ in range(4)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    ended = [await own["telco"].outcome(one) for one in outcomes if isinstance(one, str)]
    assert [one.state for one in ended] == ["complete"] * 2
    error = await failure(own["telco"].start_match("list", "proxy", "list"))
    assert (error.fault, error.rule) == (Fault.DENIED, "budget")
    day = to_text(now)[:10]
    for home, name, table in (
        (own["proxy"].home, "node.db", node_budgets),
        (own.coordinator.home, "coordinator.db", coordinator_budgets),
    ):
        with closing(Database(sqlite_url(Path(home) / name))) as database:
            spent = {one.account.asker: one.elements for one in Budgets(database, table).since(day)}
        assert spent == {"telco": 180}


async def test_a_government_grants_more_and_no_more_is_spent(own: Cluster) -> None:
    """The test before has spent the budget."""
    day = to_text(system_clock())[:10]
    what = ("--peer", "proxy", "--purpose", "scam-prevention", "--elements", "60", "--from", day,
            "--until", day, "--reason", "a wave of calls")  # fmt: skip

    by_command(own["telco"], "budget", "request", *what)
    assert (await failure(own["telco"].start_match("list", "proxy", "list"))).rule == "budget"
    by_command(own["government"], "budget", "grant", "telco", *what)

    async def granted() -> bool:
        found = [by_command(own[name], "budget", "show")["allowances"] for name in ("telco", "proxy")]
        return all([one["state"] for one in rows] == ["requested", "granted"] for rows in found)

    await until(granted, "both ends to know of the grant")
    assert (await own["telco"].match("list", "proxy", "list")).state == "complete"
    assert (await failure(own["telco"].start_match("list", "proxy", "list"))).rule == "budget"
    for name in ("telco", "proxy"):
        (spent,) = by_command(own[name], "budget", "show")["spent"]
        assert (spent["asker"], spent["elements"], spent["limit"]) == ("telco", 240, BUDGET + 60)
        assert spent["nearly_spent"]
    assert "a budget is nearly spent" in own["proxy"].log()


async def test_a_sanction_is_followed_by_the_peers(own: Cluster) -> None:
    government, telco, proxy = (own[name] for name in ("government", "telco", "proxy"))
    by_command(government, "breach", "open", "proxy", "--text", "an inspection has found it")

    async def told() -> bool:
        return bool(by_command(proxy, "breach", "list")["breaches"])

    await until(told, "the proxy to know of its breach")
    by_command(proxy, "breach", "reply", "proxy/1", "--text", "it was mended")

    async def heard() -> bool:
        return by_command(government, "breach", "show", "proxy/1")["state"] == "replied"

    await until(heard, "the government to have the reply")
    ended = to_text(system_clock() + dt.timedelta(days=1))
    by_command(government, "breach", "sanction", "proxy/1", "--act", "suspend-purpose", "--only", "scam-prevention",
               "--until", ended, "--reason", "twice", "--yes")  # fmt: skip

    async def denied() -> bool:
        error = await failure(proxy.start_match("list", "telco", "list"))
        return error.rule == "sanction-in-force"

    await until(denied, "the proxy's own node to follow it")
    before = frames(own)
    error = await failure(telco.start_match("list", "proxy", "list"))
    assert (error.fault, error.rule) == (Fault.DENIED, "sanction-in-force")
    assert "for the breach proxy/1: twice" in error.message
    assert frames(own) == before
    assert {reason["check"] for reason in proxy.ready()} == set(), "it still gets and gives what it must"


async def test_a_supervisor_sees_what_is_done_and_no_indicator(own: Cluster) -> None:
    async def metered() -> dict:
        """Give the meter once the government's copy of the record has the last of the permits."""
        meter = by_command(own["government"], "supervise", "meter")
        return meter if sum(one["asked"] for one in meter["parties"]) >= len(recorded(own)) else {}

    meter = await until(metered, "the government to have all permits")
    found = {one["party"]: one for one in meter["parties"]}
    assert (found["telco"]["asked"], found["proxy"]["answered"]) == (4, 4)
    assert found["telco"]["elements_asked"] == found["telco"]["elements_asked_today"] == 240
    assert (found["proxy"]["open_breaches"], found["proxy"]["orders"]) == (1, ["suspend-purpose"])
    said = json.dumps(meter)
    assert not [value for value in ("list", *hosts(range(3)), *COMMON) if value in said]


async def test_a_leak_from_its_report_to_its_end(own: Cluster) -> None:
    """Over real nodes: everybody has the same register, says its own part, and nobody another's."""
    words = (
        "--cause",
        "intrusion",
        "--method",
        "attack",
        "--kind",
        "phone",
        "--persons",
        300,
        "--text",
        "a server was entered",
    )
    discovered = to_text(system_clock().replace(microsecond=0) - dt.timedelta(hours=1))
    made = by_command(own["telco"], "leak", "report", *words, "--discovered", discovered)
    assert (made["leak"], made["persons"], made["late"]) == ("telco/1", 512, False)
    assert made["method"] == "attack"
    parts = {"telco": "contained", "proxy": "told", "government": "taken-up"}

    def duties(party: str) -> int:
        found = by_command(own["government"], "supervise", "duties")["duties"]
        return sum("telco/1" in one["duty"] and one["party"] == party for one in found)

    async def known(node: Node) -> bool:
        return bool(by_command(node, "leak", "list")["leaks"])

    for name in parts:
        await until(partial(known, own[name]), f"{name} to have the report")
    assert [duties(name) for name in parts] == [1, 1, 2], "the government also rotates the pepper"
    for name, act in parts.items():
        step = ("leak", "step", "telco/1", act, "--text", "done")
        if act == "told":
            refused = trisect(own["government"], *step)[1]["error"]["message"]
            assert "not the one to say" in refused, "nobody says another's part"
        by_command(own[name], *step)
    closing = ("leak", "step", "telco/1", "closed", "--text", "nothing more is to be done")

    async def missing() -> str:
        return str(trisect(own["government"], *closing)[1].get("error", {}).get("message", ""))

    assert "re-keyed" in await missing()
    by_command(own["government"], "leak", "step", "telco/1", "re-keyed", "--text", "done")

    async def closed() -> bool:
        return trisect(own["government"], *closing)[0] == 0

    await until(closed, "the government to have everybody's word")
    assert by_command(own["government"], "leak", "show", "telco/1")["owed"] == []


async def test_an_inspection_says_who_used_what_for_what_by_which_rule(own: Cluster, tmp_path: Path) -> None:
    found = by_command(own["government"], "supervise", "inspect", "telco")
    (use,) = found["uses"]
    assert (use["end"], use["peer"], use["purpose"], use["times"]) == ("asker", "proxy", "scam-prevention", 4)
    assert (use["kinds"], use["rules"], use["elements"]) == (["domain"], ["demo-scam-prevention"], 240)
    answered = by_command(own["government"], "supervise", "inspect", "proxy")
    assert [(one["end"], one["peer"]) for one in answered["uses"]] == [("answerer", "telco")]
    assert answered["orders"] == ["suspend-purpose"]
    assert [one["state"] for one in answered["files"]] == ["ordered"]
    folder = tmp_path / "book"
    by_command(own["government"], "rulebook", "draft", folder, "--template", "supervision")
    judged = by_command(own["government"], "rulebook", "simulate", folder)
    (denial,) = judged["denials"]
    assert (judged["permits"], denial["times"], denial["asker"]) == (4, 4, "telco")


async def test_a_notice_that_has_expired_stops_what_it_declared(own: Cluster) -> None:
    now = system_clock().replace(microsecond=0)
    text = rules.notice(now, Role.PROVIDER).toml
    ended = text.replace(to_text(now), "2025-01-01T00:00:00Z").replace(
        to_text(now + rules.LIFE), "2025-12-31T00:00:00Z"
    )
    await own["proxy"].file(NoticeFiling.KIND, Notice.parse(ended, Role.PROVIDER).content)
    assert from_text("2025-12-31T00:00:00Z") < now

    async def known() -> bool:
        found = (await regime(own["government"])).notices
        return any(one.party == "proxy" and not one.in_force for one in found)

    await until(known, "the government to have the proxy's notice")
    error = await failure(own["government"].start_match("list", "proxy", "list"))
    assert error.fault is Fault.NOT_FOUND, "the government has no list of that name"
    await own["government"].import_values("list", hosts(range(20)))
    error = await failure(own["government"].start_match("list", "proxy", "list"))
    assert (error.fault, error.rule) == (Fault.DENIED, "notice-in-force")
    assert "proxy" in error.message
    error = await failure(own["proxy"].import_values("list", hosts(range(500, 520))))
    assert (error.fault, error.rule) == (Fault.DENIED, "notice-in-force"), (
        "nothing new comes into a list that is shared"
    )
    added = trisect(
        own["proxy"], "entry", "add", "new.example.com", "--kind", "domain", "--collection", "list"
    )
    assert (added[0], added[1]["error"]["rule"]) == (6, "notice-in-force")
    await own["proxy"].import_values("kept-to-itself", hosts(range(500, 520)))


async def test_a_coordinator_restored_from_an_old_backup_gets_its_record_back(own: Cluster) -> None:
    """Permits too, which no statement brings back; until then it signs no other record."""
    coordinator = own.coordinator
    database, backup = coordinator.home / "coordinator.db", coordinator.home / "backup.db"
    before = await settled(own)
    await asyncio.to_thread(coordinator.terminate)
    shutil.copy(database, backup)
    with closing(sqlite3.connect(backup)) as connection:  # as it was when it had twelve entries
        connection.execute("DELETE FROM record_entries WHERE number >= 12")
        connection.execute("DELETE FROM record_nodes WHERE (position + 1) << level > 12")
        connection.execute("DELETE FROM record_heads WHERE size > 12")
        connection.commit()
    for name in ("coordinator.db-wal", "coordinator.db-shm"):
        (coordinator.home / name).unlink(missing_ok=True)
    shutil.copy(backup, database)
    await coordinator.start()

    async def healed() -> bool:
        return (
            all_entries(own)[: len(before)] == before
            and not [
                reason
                for node in own.nodes.values()
                for reason in node.ready()
                if reason["check"] == "record"
            ]
            and "was brought back" in "".join(node.log() for node in own.nodes.values())
        )

    await until(healed, "the record to be back, and a node to have heard so")
    assert "lost entries of the record are back" in coordinator.log()
    assert len(recorded(own)) == 4
    for node in own.nodes.values():
        await until(node.is_admitted, f"{node.name} to be back")


async def settled(cluster: Cluster) -> list[bytes]:
    """Wait until every node has a copy of the whole record; gives its entries."""

    async def same() -> list[bytes]:
        found = all_entries(cluster)
        copies = [entries_of(node.home / "node.db", node_record) for node in cluster.nodes.values()]
        return found if all(copy == found for copy in copies) else []

    return await until(same, "every node to have the record")
