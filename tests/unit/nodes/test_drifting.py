"""A node compares its lists with its notice; what lasts for a day it files itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.membership import Consortium
from support.rulebooks import NOTICE, NOW

from nodes.drifting import Drifting
from trisect.clock import days
from trisect.errors import ConflictError, DeniedError
from trisect.indicators.kinds import KINDS, Kind
from trisect.rules.notices import Notice
from trisect.store import database as store
from trisect.store.collections import Collections, SharingRow
from trisect.store.database import Database
from trisect.store.intake import Imports
from trisect.store.presence import Lapsing
from trisect.store.settings import Setting
from trisect.trust.filings import BreachFiling, NoticeFiling
from trisect.trust.statements import Role

OLD = "declares 90 days; oldest entry 143 days"


class Proposals:
    def __init__(self) -> None:
        self.filed: list[tuple[str, str, dict[str, Any]]] = []
        self.error: ConflictError | None = None

    async def file(self, kind: str, party: str, content: dict[str, Any]) -> None:
        if self.error:
            raise self.error
        self.filed.append((kind, party, content))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database(store.sqlite_url(tmp_path / "node.db"))
    found.migrate("node")
    yield found
    found.close()


def keep(database: Database, *, age: int, kind: Kind = Kind.PHONE) -> None:
    collections = Collections(database)
    made = collections.create(
        "numbers", public_id="c1", source="own", legal_basis="statutory-duty", retention_days=90,
        created_at="2026-01-01T00:00:00Z",
    )  # fmt: skip
    row = (bytes([age % 256]) * 32, KINDS[kind].number, "r", None, None, None, None, None, None, None, None)
    imports = Imports(database)
    imports.finish(imports.add(imports.begin(made.id, b""), [row], [], epoch=0, day=days(NOW) - age))
    collections.share("numbers", [SharingRow("bank", "scam-prevention", "match")])


def drifting(database: Database, *, notice: bool = True, day: int = 0) -> tuple[Drifting, Proposals]:
    found = Consortium.founded(("telco", Role.PROVIDER), ("bank", Role.PROVIDER))
    if notice:
        found.take(found.filing(NoticeFiling, "telco", Notice.parse(NOTICE, Role.PROVIDER).content))
    members: Any = SimpleNamespace(membership=found.membership, name="telco")
    proposals: Any = Proposals()
    lists = Collections(database)
    return Drifting(
        members,
        lists,
        Lapsing(database),
        proposals,
        lambda: NOW + dt.timedelta(days=day, hours=1),
        Setting(database, "drift"),
    ), proposals


async def test_drift_that_lasts_is_filed_and_what_was_mended_is_not(database: Database) -> None:
    keep(database, age=143)
    found, proposals = drifting(database)
    assert [(one.collection, one.text) for one in found.find()] == [("numbers", OLD)]
    await found.look()
    assert proposals.filed == [], "a person has a day to mend it"
    await found.look()
    ((kind, party, content),) = proposals.filed
    assert (kind, party, content["ground"], content["text"]) == (
        BreachFiling.KIND,
        "telco",
        "notice-drift",
        OLD,
    )
    assert "numbers" not in str(content)

    Lapsing(database).expire(days(NOW))
    keep(database, age=3)
    assert found.find() == []
    await found.look()
    await found.look()
    assert len(proposals.filed) == 1


async def test_what_grows_older_by_itself_is_the_same_drift_on_the_next_day_and_after_a_restart(
    database: Database,
) -> None:
    keep(database, age=143)
    await drifting(database)[0].look()
    found, proposals = drifting(database, day=1)
    assert [one.text for one in found.find()] == [OLD.replace("143", "144")]
    assert found._wait_s() == 60
    await found.look()
    assert [content["text"] for _, _, content in proposals.filed] == [OLD.replace("143", "144")]
    assert found._wait_s() == 86_400


async def test_an_open_file_is_not_opened_again(database: Database) -> None:
    keep(database, age=143)
    found, proposals = drifting(database)
    proposals.error = ConflictError("there is one")
    await found.look()
    await found.look()
    assert proposals.filed == []


async def test_without_a_notice_there_is_nothing_to_compare_with(database: Database) -> None:
    keep(database, age=143)
    found, proposals = drifting(database, notice=False)
    with pytest.raises(DeniedError):
        found.find()
    await found.look()
    await found.look()
    assert proposals.filed == []
