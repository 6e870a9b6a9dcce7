"""What holds for every file of the house, and import-linter does not see."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("trisect", "nodes", "coordinator")
LONGEST = 400
GENERATED = ROOT / "trisect" / "wire" / "v1"
CATCHES_ALL = {
    "trisect/rpc/gate.py": "the one place where a bug of a call ends: logged, bare to the caller",
    "nodes/exchanges/book.py": "a bug ends one exchange, not the node",
    "nodes/link.py": "a task that nobody waits for: logged, and the peer gets an error without details",
    "trisect/cli/ahead.py": "raised again in the thread where the items are taken",
    "trisect/cli/files.py": "raised again once the scratch file is gone",
    "trisect/cli/outcome.py": "a script gets an error object and an exit code whatever it was",
    "trisect/cli/demo/cluster.py": "raised again once the daemons are down",
}
"""Files that may say `except Exception`, and why. A file that no longer does must leave the list."""
LIBRARY = "private_set_intersection"


def files(*folders: str) -> list[Path]:
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if GENERATED not in path.parents and "__pycache__" not in path.parts
    )


def nodes_of(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def catches_all(node: ast.AST) -> bool:
    if not isinstance(node, ast.ExceptHandler):
        return False
    if node.type is None:
        return True
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"} for kind in kinds)


def imports(node: ast.AST) -> list[str]:
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom():
            return [node.module or ""]
        case ast.Call(
            func=ast.Name("__import__") | ast.Attribute(attr="import_module"),
            args=[ast.Constant(str(found)), *_],
        ):
            return [found]
    return []


def sleeps(node: ast.AST) -> bool:
    """Tell whether a node calls `time.sleep`; handing it over as an argument is the way to do without."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name("time"), attr="sleep")):
            return True
        case ast.ImportFrom(module="time", names=names):
            return any(alias.name == "sleep" for alias in names)
    return False


def test_there_is_something_to_look_at() -> None:
    assert len(files(*PACKAGES)) > 60
    assert ROOT / "trisect" / "psi" / "ecdh.py" in files(*PACKAGES)


@pytest.mark.parametrize("folder", [*PACKAGES, "tests", "tools", "bench"])
def test_no_file_is_two_rooms(folder: str) -> None:
    long = {
        name(path): lines for path in files(folder) if (lines := len(path.read_text().splitlines())) > LONGEST
    }
    assert long == {}


@pytest.mark.parametrize("folder", [*PACKAGES, "tests", "bench", "tools"])
def test_nobody_sleeps(folder: str) -> None:
    assert [name(path) for path in files(folder) if any(sleeps(node) for node in nodes_of(path))] == []


def test_only_those_named_catch_everything() -> None:
    found = {name(path) for path in files(*PACKAGES) if any(catches_all(node) for node in nodes_of(path))}
    assert found == set(CATCHES_ALL)


def test_one_door_to_the_library() -> None:
    """Dynamic imports too, which import-linter does not see."""
    found = {
        name(path)
        for path in files(*PACKAGES)
        if any(module.split(".")[0] == LIBRARY for node in nodes_of(path) for module in imports(node))
    }
    assert found == {"trisect/psi/ecdh.py"}


@pytest.mark.parametrize(
    ("source", "check"),
    [
        ("try:\n    pass\nexcept:\n    pass", catches_all),
        ("try:\n    pass\nexcept (ValueError, Exception) as error:\n    pass", catches_all),
        ("try:\n    pass\nexcept BaseException:\n    pass", catches_all),
        ("import time\ntime.sleep(1)", sleeps),
        ("from time import monotonic, sleep", sleeps),
        ("import importlib\nimportlib.import_module('private_set_intersection.python')", imports),
        ("__import__('private_set_intersection')", imports),
        ("from private_set_intersection.python import psi", imports),
    ],
)
def test_these_checks_can_fail(source: str, check: object) -> None:
    assert callable(check)
    assert any(check(node) for node in ast.walk(ast.parse(source)))


@pytest.mark.parametrize("folder", [*PACKAGES, "tests", "bench"])
def test_a_block_around_a_connection_to_sqlite_closes_it(folder: str) -> None:
    """`with sqlite3.connect(...)` ends a transaction and leaves the database open, which Python 3.13 warns of."""

    def left_open(node: ast.AST) -> bool:
        return isinstance(node, ast.With) and any(
            ast.unparse(item.context_expr).startswith("sqlite3.connect(") for item in node.items
        )

    assert [name(path) for path in files(folder) if any(map(left_open, nodes_of(path)))] == []
