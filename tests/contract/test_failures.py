"""When the database fails: an error that says what to do, nothing lost, and no token in any traceback."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from contract.conftest import Backend
from contract.rows import active, batch, dump, exchange, fill, make_collection, token, tokens
from sqlalchemy import event
from support.sqlite import locked

from trisect.errors import ConflictError, ExhaustedError, TrisectError
from trisect.store import database as module
from trisect.store.collections import Collections
from trisect.store.database import Database, DatabaseUnavailableError, sqlite_url
from trisect.store.exchanges import Exchanges, ExchangeState
from trisect.store.intake import Imports
from trisect.store.tables import collections, entries, hits

PLANTED = bytes(range(200, 232))


def spellings(secret: bytes) -> set[str]:
    """Give the forms in which a value could show."""
    escaped = {repr(secret)[2:-1], str(list(secret))[1:-1]}
    return {
        secret.hex(),
        secret.hex().upper(),
        base64.b64encode(secret).decode().rstrip("="),
        base64.urlsafe_b64encode(secret).decode().rstrip("="),
        *escaped,
    }


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Give an exception and all that hang on it, shown or not."""
    waiting, seen = [error], set[int]()
    while waiting:
        found = waiting.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        waiting += [found.__cause__, found.__context__, getattr(found, "orig", None)]


def assert_says_nothing_of(secret: bytes, error: BaseException) -> None:
    shown = "".join(traceback.format_exception(error))
    for link in chain(error):
        shown += f"{link} {link!r} {link.args!r} {vars(link)!r}"
    for form in spellings(secret):
        assert form not in shown


def planted_row(**changes: Any) -> dict[str, Any]:
    return {
        "collection_id": 1,
        "token": PLANTED,
        "epoch": 0,
        "kind": 1,
        "state": 0,
        "generation": 1,
        "ref": "planted-ref",
    } | changes


@pytest.mark.parametrize("many", [1, 3])
def test_a_row_that_contradicts_another_is_refused_without_showing_it(node: Database, many: int) -> None:
    fill(node, [1])
    with node.write() as connection:
        connection.execute(sa.insert(entries).values(planted_row()))
    with pytest.raises(ConflictError) as caught, node.write() as connection:
        connection.execute(sa.insert(entries), [planted_row()] * many)
    assert_says_nothing_of(PLANTED, caught.value)
    assert "planted-ref" not in "".join(traceback.format_exception(caught.value))


def test_a_row_of_no_collection_is_refused_without_showing_it(node: Database) -> None:
    with pytest.raises(ConflictError) as caught, node.write() as connection:
        connection.execute(sa.insert(entries).values(planted_row(collection_id=77)))
    assert_says_nothing_of(PLANTED, caught.value)


def test_a_statement_that_is_our_own_mistake_shows_no_row_either(node: Database) -> None:
    """PostgreSQL tells a mistake from a failure, SQLite does not; neither shows the parameters."""
    with (
        pytest.raises((sa.exc.ProgrammingError, DatabaseUnavailableError)) as caught,
        node.read() as connection,
    ):
        connection.execute(sa.text("SELECT nothing FROM nowhere WHERE token = :token"), {"token": PLANTED})
    assert_says_nothing_of(PLANTED, caught.value)


def test_a_failing_check_shows_what_it_was_about(node: Database) -> None:
    """The scan above can fail: an error that does quote its value is found."""
    error = ConflictError(f"bad row {PLANTED.hex()}")
    with pytest.raises(AssertionError):
        assert_says_nothing_of(PLANTED, error)


def test_an_error_inside_a_transaction_takes_it_all_back(node: Database) -> None:
    make_collection(node)

    def failing() -> None:
        with node.write() as connection:
            connection.execute(sa.update(collections).values(version=9))
            raise TrisectError("inside")

    with pytest.raises(TrisectError, match="inside"):
        failing()
    assert Collections(node).get("scams").version == 0


def test_a_reading_transaction_sees_one_state(
    node: Database, open_database: Callable[[str], Database]
) -> None:
    fill(node, range(3))
    other = open_database(node.url.render_as_string(hide_password=False))
    count = sa.select(sa.func.count()).select_from(entries)
    with node.read() as connection:
        before = connection.execute(count).scalar_one()
        fill(other, range(10))
        assert connection.execute(count).scalar_one() == before == 3
    assert len(dump(node)) == 10


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    nowhere = Database(f"postgresql://nobody@/none?host={tmp_path}")
    with pytest.raises(DatabaseUnavailableError) as caught:
        nowhere.check()
    assert "running" in caught.value.hint
    nowhere.close()


def test_a_file_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    nowhere = Database(sqlite_url(tmp_path / "none" / "node.db"))
    with pytest.raises(DatabaseUnavailableError):
        nowhere.check()
    nowhere.close()


@pytest.mark.parametrize("size", [300, 100_000])
def test_a_file_that_is_no_database(tmp_path: Path, size: int) -> None:
    path = tmp_path / "node.db"
    path.write_bytes(b"not a database " * size)
    broken = Database(sqlite_url(path))
    for act in (broken.check, lambda: broken.migrate("node"), lambda: fill(broken, [1])):
        with pytest.raises(DatabaseUnavailableError):
            act()
    broken.close()


def test_a_lock_held_elsewhere_is_named_with_its_cure(
    sqlite_templates: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 0.01)
    path = tmp_path / "node.db"
    path.write_bytes(sqlite_templates["node"].read_bytes())
    database = Database(sqlite_url(path))
    fill(database, range(3))
    progress = Imports(database).begin(1, b"file")
    with locked(path):
        for act in (
            lambda: make_collection(database),
            lambda: Imports(database).add(progress, batch([9]), [], epoch=0, day=20_784),
            lambda: Exchanges(database).add(exchange()),
        ):
            with pytest.raises(ExhaustedError, match="locked by another process") as caught:
                act()
            assert "end the program" in caught.value.hint
        assert active(database) == tokens(range(3)), "reading goes on"
    Imports(database).add(progress, batch([9]), [], epoch=0, day=20_784)
    assert active(database) == tokens({0, 1, 2, 9})
    database.close()


def test_a_row_held_elsewhere_is_named_with_its_cure(
    backend: Backend, open_database: Callable[[str], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 1)
    url = backend.migrated("node")
    holder, database = open_database(url), open_database(url)
    fill(database, range(3))
    change = sa.update(collections).values(version=7)
    with holder.write() as connection:
        connection.execute(change)
        with pytest.raises(ExhaustedError, match="locked by another process"), database.write() as other:
            other.execute(change)
    assert active(database) == tokens(range(3))


def test_what_must_survive_a_power_cut_is_written_through(node: Database) -> None:
    query = "PRAGMA synchronous" if node.sqlite else "SHOW synchronous_commit"
    levels = []
    for durable in (True, False, True):
        with node.write(durable=durable) as connection:
            levels.append(connection.exec_driver_sql(query).scalar_one())
    assert levels == ([2, 1, 2] if node.sqlite else ["on", "off", "on"])  # FULL and NORMAL at SQLite


def test_a_database_that_may_only_be_read(sqlite_templates: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    path.write_bytes(sqlite_templates["node"].read_bytes())
    writable = Database(sqlite_url(path))
    fill(writable, range(3))
    readable = Database(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert active(readable) == tokens(range(3))
    with pytest.raises(DatabaseUnavailableError, match="cannot be written") as caught:
        fill(readable, [7])
    assert "owner and mode" in caught.value.hint
    assert active(writable) == tokens(range(3))
    readable.close()
    writable.close()


@pytest.fixture
def full(sqlite_templates: dict[str, Path], tmp_path: Path) -> Iterator[tuple[Database, dict[str, int]]]:
    """An SQLite database whose volume holds so many pages more; -1 is no limit."""
    path = tmp_path / "node.db"
    path.write_bytes(sqlite_templates["node"].read_bytes())
    limit = {"pages": -1}
    database = Database(sqlite_url(path))

    def bound(connection: sa.Connection) -> None:
        driver = connection.connection.driver_connection
        assert driver is not None
        (pages,) = driver.execute("PRAGMA page_count").fetchone()
        most = 2**31 if limit["pages"] < 0 else pages + limit["pages"]
        driver.execute(f"PRAGMA max_page_count = {most}")

    event.listen(database.writer, "begin", bound)
    yield database, limit
    database.close()


def test_a_full_disk_loses_nothing_and_the_import_goes_on(full: tuple[Database, dict[str, int]]) -> None:
    database, limit = full
    imports = Imports(database)
    progress = imports.begin(make_collection(database).id, b"file")
    progress = imports.add(progress, batch(range(100)), [], epoch=0, day=20_784)
    limit["pages"] = 2
    with pytest.raises(ExhaustedError, match="nothing is lost") as caught:
        imports.add(progress, batch(range(100, 3_000)), [], epoch=0, day=20_784)
    assert "free space" in caught.value.hint
    assert_says_nothing_of(token(100), caught.value)
    assert active(database) == tokens(range(100))
    assert imports.begin(1, b"file") == progress
    limit["pages"] = -1
    progress = imports.add(imports.begin(1, b"file"), batch(range(100, 3_000)), [], epoch=0, day=20_784)
    assert (progress.accepted, progress.batches_done) == (3_000, 2)
    assert active(database) == tokens(range(3_000))
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"


def test_a_full_disk_at_the_end_of_an_exchange_leaves_it_open(full: tuple[Database, dict[str, int]]) -> None:
    database, limit = full
    fill(database, range(3_000))
    store = Exchanges(database)
    store.add(exchange(state=ExchangeState.RUNNING))
    limit["pages"] = 0
    with pytest.raises(ExhaustedError):
        store.complete("e1", [token(number) for number in range(3_000)], now="2026-11-27T12:00:00Z")
    assert store.get("e1").state is ExchangeState.RUNNING
    assert dump(database, hits) == []
    limit["pages"] = -1
    assert (
        store.complete("e1", [token(number) for number in range(3_000)], now="2026-11-27T12:00:00Z").state
        is ExchangeState.COMPLETE
    )


class RefusalError(Exception):
    """What a PostgreSQL driver raises, with a state of our choice."""

    def __init__(self, state: str) -> None:
        super().__init__(f"could not extend file: {PLANTED.hex()}")
        self.sqlstate = state


@pytest.mark.parametrize(("state", "kind"), [("53100", ExhaustedError), ("57P01", DatabaseUnavailableError)])
def test_what_a_server_says_of_its_disk_and_of_its_end(
    node: Database, state: str, kind: type[TrisectError]
) -> None:
    error = sa.exc.OperationalError("INSERT", {"token": PLANTED}, RefusalError(state))
    with pytest.raises(kind) as caught, node.write():
        raise error
    assert_says_nothing_of(PLANTED, caught.value)
