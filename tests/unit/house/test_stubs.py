"""Stubs that are not what the contract generates are told, each by its name."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).parents[3] / "tools" / "generate_stubs.py"
MADE = {"__init__.py": "", "a_pb2.py": "a", "b_pb2.pyi": "b"}


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The tool, with a generator that always makes the same."""
    described = importlib.util.spec_from_file_location("generate_stubs", TOOL)
    assert described is not None
    assert described.loader is not None
    found = importlib.util.module_from_spec(described)
    described.loader.exec_module(found)

    def generate(into: Path) -> Path:
        for name, text in MADE.items():
            (into / name).write_text(text)
        return into

    monkeypatch.setattr(found, "generate", generate)
    return found


def check(tool: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["generate_stubs.py", "--check", str(folder)])
    return int(tool.main())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda folder: (folder / "a_pb2.py").write_text("A"), "a_pb2.py"),
        (lambda folder: (folder / "b_pb2.pyi").unlink(), "b_pb2.pyi"),
        (lambda folder: (folder / "c_pb2.py").write_text("c"), "c_pb2.py"),
    ],
    ids=["changed", "missing", "left over"],
)
def test_a_stub_that_is_not_what_is_generated(
    tool: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    change: object,
    named: str,
) -> None:
    for name, text in MADE.items():
        (tmp_path / name).write_text(text)
    assert check(tool, tmp_path, monkeypatch) == 0
    assert callable(change)
    change(tmp_path)
    assert check(tool, tmp_path, monkeypatch) == 1
    assert named in capsys.readouterr().err
