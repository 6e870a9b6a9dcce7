"""Consents at real nodes: given through a proxy, effective everywhere, taken back for good."""

from __future__ import annotations

import asyncio
import csv
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.cluster import Cluster, foul_relay, run
from support.daemons import Coordinator, Daemon, Node, hosts, until
from support.holding import held
from support.planted import watch

from trisect.rules.regime import Regime
from trisect.store.database import Database, sqlite_url
from trisect.store.granting import GrantedConsents
from trisect.store.statements import Statements
from trisect.store.tables import node_statements
from trisect.trust import documents
from trisect.trust.membership import Membership

pytestmark = pytest.mark.walk
PERSONS = 20
LISTED = range(4, 40)
"""Hosts in the telco's list of scams; those from 4 on are persons' too."""


def quick(daemon: Daemon) -> None:
    """Have nodes tell of consents at once, and a relay that can wait."""
    if isinstance(daemon, Coordinator):
        foul_relay(daemon)
        return
    with (daemon.home / "config.toml").open("a") as config:
        config.write("[consents]\ntick_s = 0.3\nepoch_s = 0.5\n")


def trisect(node: Daemon, *arguments: object, stdin: str = "", code: int = 0) -> dict[str, Any]:
    """Run a command against a daemon; gives its data, or its error."""
    done = run("trisect", "--home", node.home, "--format", "json", "--yes", *arguments, stdin=stdin)
    assert done.returncode == code, (done.stdout, done.stderr)
    answer = json.loads(done.stdout)
    found: dict[str, Any] = answer.get("data") or answer["error"]
    return found


def member(number: int) -> str:
    """Give the proxy's reference of a person; nothing else in a home reads like it."""
    return f"membership-{number:06}-of-consumer-aid"


def grant(proxy: Node, person: int, *arguments: object, code: int = 0) -> dict[str, Any]:
    """Record the consent of a person of a number."""
    scope = ("--purpose", "scam-prevention", "--kind", "domain", "--party", "telco")
    method = ("--method", "a form on paper")
    wish = (*scope, *method, *arguments)
    return trisect(proxy, "consent", "grant", *wish, stdin=f"{member(person)}\n", code=code)


async def committed(node: Node, number: int) -> bool:
    """Tell whether the proxy has committed to a number, as a node has verified it."""
    with closing(Database(sqlite_url(node.home / "node.db"))) as database:
        page = Statements(database, node_statements).after(0, limit=1_000)
    membership = Membership(str(documents.peek(page[0][1])[1]["consortium"]))
    for _, envelope in page:
        membership.apply(envelope)
    return Regime(membership).consents_told("proxy") >= number


class People:
    """Persons who have consented, and where their indicators are listed.

    Attributes:
        consents: the answers to their consents, by number.
    """

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self.proxy, self.telco = cluster["proxy"], cluster["telco"]
        # The proxy's own names of its people are kept nowhere, and said nowhere.
        watch(cluster).plant(*(member(one) for one in range(PERSONS)), canonical=())
        file, output = folder / "consents.jsonl", folder / "subjects.jsonl"
        wish = {
            "purposes": ["scam-prevention"],
            "kinds": ["domain"],
            "parties": ["telco"],
            "method": "a form",
        }
        file.write_text("".join(f"{json.dumps(wish | {'person': member(one)})}\n" for one in range(PERSONS)))
        trisect(self.proxy, "consent", "import", file, "--output", output)
        self.consents = [json.loads(line) for line in output.read_text().splitlines()]

    def file(self, folder: Path, party: str) -> Path:
        """Write the persons' hosts with their pseudonyms towards a party."""
        path = folder / f"{party}.csv"
        with path.open("w", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(["value", "subject"])
            for consent, host in zip(self.consents, hosts(range(PERSONS)), strict=True):
                rows.writerow([host, consent["subjects"][party]])
        return path

    def keep(self, folder: Path, party: str, collection: str = "people") -> None:
        """Import the persons' hosts at a party, on their consent."""
        where = ("--collection", collection, "--kind", "domain", "--legal-basis", "consent")
        trisect(self.cluster[party], "import", self.file(folder, party), *where, "--map", "subject=subject")

    def asked(self, party: str, peer: str, theirs: str, collection: str = "people") -> int:
        """Match, and give how many entries were asked for."""
        what = ("--collection", collection, "--peer", peer, "--with", theirs)
        return int(trisect(self.cluster[party], "match", *what, "--purpose", "scam-prevention")["asked"])


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    cluster = asyncio.run(
        Cluster.create(tmp_path_factory.mktemp("consents"), ("government", "telco", "proxy"), prepare=quick)
    )
    try:
        asyncio.run(cluster["telco"].offer_hosts(LISTED))
        found = People(cluster, tmp_path_factory.mktemp("file"))
        for party in ("proxy", "telco"):
            found.keep(tmp_path_factory.mktemp("lists"), party)
        trisect(cluster["telco"], "collection", "share", "people", "--with", "proxy",
                "--purpose", "scam-prevention", "--mode", "match")  # fmt: skip
        yield found
    finally:
        cluster.stop()


def test_only_those_who_consent_are_asked_about(people: People) -> None:
    assert people.asked("proxy", "telco", "list") == PERSONS
    revoked = people.consents[4]["id"]
    answer = trisect(people.proxy, "consent", "revoke", revoked)
    assert {one["party"] for one in answer["acknowledged"]} == {"proxy", "telco"}
    assert all(one["at"] and one["versions"] for one in answer["acknowledged"])
    assert people.asked("proxy", "telco", "list") == PERSONS - 1
    hits = trisect(people.proxy, "hits")["hits"]
    assert {hit["ref"] for hit in hits} == {f"proxy.csv:{number + 2}" for number in range(4, PERSONS)}


def test_a_revocation_reaches_every_party_that_holds_the_person(people: People, tmp_path: Path) -> None:
    version = trisect(people.telco, "collection", "show", "people")["version"]
    answer = trisect(people.proxy, "consent", "revoke", people.consents[5]["id"])
    told = {one["party"]: one["versions"] for one in answer["acknowledged"]}
    assert [one["version"] for one in told["telco"]] == [version + 1]
    before = trisect(people.proxy, "match", "--collection", "people", "--peer", "telco", "--with", "people",
                     "--purpose", "scam-prevention")  # fmt: skip
    people.keep(tmp_path, "telco")  # again
    after = trisect(people.proxy, "match", "--collection", "people", "--peer", "telco", "--with", "people",
                    "--purpose", "scam-prevention")  # fmt: skip
    assert before["matched"] == after["matched"] == PERSONS - 2


async def test_a_permit_names_the_consent_epochs_of_both_ends(people: People) -> None:
    for node in (people.proxy, people.telco):
        await until(partial(committed, node, PERSONS), f"{node.name} to have the consents out of the record")
    done = trisect(people.proxy, "match", "--collection", "people", "--peer", "telco", "--with", "people",
                   "--purpose", "scam-prevention")  # fmt: skip
    permit = trisect(people.proxy, "permit", "show", done["exchange_id"])
    assert re.fullmatch("proxy:[1-9][0-9]*", permit["consents"])
    assert permit["answered_consents"] == permit["consents"]


@pytest.mark.parametrize(
    ("whose", "event"), [("proxy", "accept passes"), ("telco", "asker begins")], ids=["asker", "answerer"]
)
async def test_a_consent_taken_back_in_the_middle_ends_the_exchange(
    people: People, tmp_path: Path, whose: str, event: str
) -> None:
    """Each end looks again before its last frame; the event is the last one before that."""
    proxy, holder = people.proxy, people.cluster[whose]
    person = people.consents[8 if whose == "proxy" else 9]["id"]
    if whose == "telco":
        await proxy.import_values("duty", hosts(range(PERSONS)), legal_basis="statutory-duty: ATOFL 16")
    lists = ("people", "list") if whose == "proxy" else ("duty", "people")
    async with held(people.cluster, event, tmp_path) as reached:
        starting = asyncio.create_task(proxy.start_match(lists[0], "telco", lists[1]))
        await asyncio.wait_for(reached.wait(), 20)
        await asyncio.to_thread(trisect, proxy, "consent", "revoke", person)
    exchange_id = await starting
    found = await proxy.outcome(exchange_id)
    assert (found.state, found.matched) == ("failed", 0)
    assert await proxy.hits(exchange_id) == []
    assert (await holder.exchange(exchange_id)).error.rule == "consent-live"


def test_a_count_is_not_told_again_once_somebody_in_it_has_revoked(people: People) -> None:
    trisect(people.telco, "collection", "share", "people", "--with", "proxy",
            "--purpose", "scam-prevention", "--mode", "count")  # fmt: skip
    count = (
        "count",
        "--collection",
        "people",
        "--peer",
        "telco",
        "--with",
        "people",
        "--purpose",
        "scam-prevention",
    )
    told = trisect(people.proxy, *count)
    assert trisect(people.proxy, *count)["count"] == told["count"]
    trisect(people.proxy, "consent", "revoke", people.consents[11]["id"])
    error = trisect(people.proxy, *count, code=6)
    assert (error["rule"], "taken a consent back" in error["message"]) == ("one-count-a-day", True)


def test_a_suspended_party_still_hears_of_a_revocation(people: People) -> None:
    government = people.cluster["government"]
    trisect(government, "party", "suspend", "telco", "--reason", "a test")
    try:
        answer = trisect(people.proxy, "consent", "revoke", people.consents[7]["id"])
        assert {one["party"] for one in answer["acknowledged"] if one["at"]} == {"proxy", "telco"}
    finally:
        trisect(government, "party", "reinstate", "telco", "--reason", "a test")
    asyncio.run(until(people.telco.is_admitted, "telco to be back"))


def test_what_was_not_given_freely_is_no_basis(people: People) -> None:
    found = grant(people.proxy, 90, "--pressure", "bundled")
    assert (found["in_force"], found["voluntariness"]) == (False, 50)
    assert "not given freely" in found["why_not"]


def test_a_proxy_consents_within_what_a_person_has_delegated(people: People, tmp_path: Path) -> None:
    proxy, who = people.proxy, f"{member(70)}\n"
    scope = ("--purpose", "scam-prevention", "--kind", "domain", "--party", "telco", "--method", "a mandate")
    given = trisect(proxy, "delegation", "give", *scope, "--days", "90", "--pressure", "bundled", stdin=who)
    assert (given["in_force"], given["voluntariness"]) == (False, 50)
    pressed = grant(proxy, 70, "--delegation", given["id"], "--days", "30", code=6)
    assert (pressed["rule"], "not given freely" in pressed["message"]) == ("delegation", True)
    given = trisect(proxy, "delegation", "give", *scope, "--days", "90", stdin=who)
    under = ("--delegation", given["id"])
    consent = grant(proxy, 70, *under, "--days", "30")
    assert (consent["in_force"], consent["delegation"]) == (True, given["id"])
    for person, beyond, told in (
        (70, ("--days", "91"), "when the delegation ends"),
        (70, ("--kind", "phone", "--days", "30"), "the kind phone"),
        (70, ("--party", "government", "--days", "30"), "the party government"),
        (71, ("--days", "30"), "of another person"),
    ):
        error = grant(proxy, person, *under, *beyond, code=6)
        assert (error["rule"], told in error["message"]) == ("delegation", True), told
    receipt, export = tmp_path / "receipt.json", tmp_path / "record"
    assert checked_receipt(people, consent["id"], receipt, export)["delegated"]
    receipt.write_text(json.dumps(json.loads(receipt.read_text()) | {"delegation": ""}))
    assert run("trisect", "consent", "verify", receipt, "--record", export).returncode == 1
    taken = trisect(proxy, "delegation", "revoke", given["id"])
    assert taken["consents"] == [consent["id"]]
    assert grant(proxy, 70, *under, "--days", "30", code=6)["rule"] == "delegation"
    shown = trisect(proxy, "consent", "show", consent["id"])
    assert (shown["in_force"], shown["why_not"]) == (False, "it was taken back")
    listed = trisect(proxy, "delegation", "list", "--person", "-", stdin=who)["delegations"]
    assert [one["in_force"] for one in listed] == [False, False]


def test_many_consents_come_from_a_file_and_only_once(people: People, tmp_path: Path) -> None:
    wish = {"purposes": ["scam-prevention"], "kinds": ["phone"], "parties": ["telco"], "method": "an app"}
    lines = [json.dumps(wish | {"person": f"user {number}"}) for number in range(3)]
    lines[1:1] = ["", json.dumps(wish | {"person": "user 9", "purposes": ["curiosity"]}), "no object"]
    lines.append(json.dumps(wish | {"person": "user 8", "parties": ["nobody"]}))
    file, output = tmp_path / "consents.jsonl", tmp_path / "subjects.jsonl"
    file.write_text("\n".join(lines))
    counts = []
    for _ in range(2):
        done = run("trisect", "--home", people.proxy.home, "--format", "json", "consent", "import", file,
                   "--output", output)  # fmt: skip
        found = json.loads(done.stdout)["data"]
        assert (done.returncode, [one["line"] for one in found["rejects"]]) == (7, [3, 4, 7])
        counts.append((found["rows"], found["granted"], found["known"], found["rejected"]))
        written = [json.loads(line) for line in output.read_text().splitlines()]
        assert [one["line"] for one in written] == [1, 5, 6]
        assert all(set(one["subjects"]) == {"proxy", "telco"} and one["in_force"] for one in written)
    assert counts == [(6, 3, 0, 3), (6, 0, 3, 3)]
    assert len(trisect(people.proxy, "consent", "list", "--person", "user 2")["consents"]) == 1


def test_nobody_but_a_proxy_keeps_consents(people: People) -> None:
    error = trisect(people.telco, "consent", "list", code=6)
    assert "only a proxy" in error["message"]


def checked_receipt(people: People, consent: str, receipt: Path, export: Path) -> dict[str, Any]:
    """Have a consent's receipt checked against an export of the record, once the commitment stands in both."""

    async def checked() -> dict[str, Any]:
        await asyncio.to_thread(trisect, people.proxy, "consent", "show", consent, "--receipt", receipt)
        await asyncio.to_thread(trisect, people.proxy, "record", "export", "--output", export)
        words = ("consent", "verify", receipt, "--record", export, "--format", "json")
        done = json.loads((await asyncio.to_thread(run, "trisect", *words)).stdout)
        if done["status"] == "error":
            assert "has not committed to this consent in the record yet" in done["error"]["message"]
            return {}
        found: dict[str, Any] = done["data"]
        return found

    return asyncio.run(until(checked, "the commitment to stand in the record"))


def test_a_receipt_is_checked_without_any_daemon(people: People, tmp_path: Path) -> None:
    found, receipt, export = people.consents[1]["id"], tmp_path / "receipt.json", tmp_path / "record"
    assert checked_receipt(people, found, receipt, export)["id"] == found
    for name in ("salt", "record"):
        changed = json.loads(receipt.read_text())
        changed[name] = changed[name][:-2] + ("00" if changed[name][-2:] != "00" else "11")
        receipt.with_name("changed.json").write_text(json.dumps(changed))
        done = run("trisect", "consent", "verify", receipt.with_name("changed.json"), "--record", export)
        assert done.returncode == 1, name


def test_an_old_backup_brings_nothing_back(people: People, tmp_path: Path) -> None:
    """A node whose database was restored serves nothing before it has been told what it has forgotten."""
    telco, proxy = people.telco, people.proxy
    telco.terminate()
    backup = tmp_path / "node.db"
    shutil.copy(telco.home / "node.db", backup)
    asyncio.run(telco.start())
    asyncio.run(until(telco.is_admitted, "telco's link"))
    gone = people.consents[6]["id"]
    assert trisect(proxy, "consent", "revoke", gone)["acknowledged"]
    with closing(Database(sqlite_url(proxy.home / "node.db"))) as database:
        number = GrantedConsents(database).newest

    asyncio.run(until(partial(committed, telco, number), "the revocation's number to stand in the record"))
    proxy.terminate()
    telco.terminate()
    shutil.copy(backup, telco.home / "node.db")
    for leftover in ("node.db-wal", "node.db-shm"):
        (telco.home / leftover).unlink(missing_ok=True)
    asyncio.run(telco.start())

    async def waits() -> bool:
        return any(one["check"] == "consents" and "number" in one["reason"] for one in telco.ready())

    try:
        asyncio.run(until(waits, "telco to say that it has not been told"))
    except AssertionError as error:
        raise AssertionError(f"{error}; it says {telco.ready()}") from None
    error = trisect(telco, "match", "--collection", "people", "--peer", "proxy", "--with", "people",
                    "--purpose", "scam-prevention", code=8)  # fmt: skip
    assert error["rule"] == "consents-replayed"
    asyncio.run(proxy.start())

    async def told_again() -> bool:
        return not any(one["check"] == "consents" for one in telco.ready())

    asyncio.run(until(told_again, "telco to be told"))
    asyncio.run(until(proxy.is_admitted, "proxy's link"))
    after = trisect(proxy, "match", "--collection", "people", "--peer", "telco", "--with", "people",
                    "--purpose", "scam-prevention")  # fmt: skip
    assert after["matched"] == PERSONS - 7
