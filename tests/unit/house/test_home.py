"""A home whose path is too long for a Unix socket: the folder made elsewhere is private, and does not stay."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from trisect.errors import BadInputError, ConflictError
from trisect.home import MAX_SOCKET_PATH, Home


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Give a home with a long path, and the folder for what is put elsewhere."""
    runtime = tmp_path / "r"
    runtime.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    path = tmp_path / ("h" * MAX_SOCKET_PATH)
    path.mkdir()
    return path, runtime


def test_a_short_path_stays_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trisect.home.MAX_SOCKET_PATH", 4_000)
    tmp_path.chmod(0o700)
    home = Home(tmp_path)
    assert home.socket() == tmp_path / "run" / "admin.sock"
    home.leave()
    assert (tmp_path / "run").is_dir()


def test_the_folder_elsewhere_goes_with_the_daemon(far: tuple[Path, Path]) -> None:
    path, runtime = far
    home = Home(path)
    socket = home.socket()
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    socket.touch()
    home.leave()
    assert list(runtime.iterdir()) == []


def test_what_a_killed_daemon_left_goes_with_the_next_start(far: tuple[Path, Path]) -> None:
    path, runtime = far
    killed = Home(path)
    socket = killed.socket()
    socket.touch()
    killed.state.write_text(json.dumps({"pid": 1, "socket": str(socket)}))
    again = Home(path).socket()
    assert list(runtime.iterdir()) == [again.parent]


def test_a_folder_of_somebody_else_is_left_alone(far: tuple[Path, Path], tmp_path: Path) -> None:
    path, _ = far
    other = tmp_path / "important"
    other.mkdir()
    (path / "daemon.json").write_text(json.dumps({"pid": 1, "socket": str(other / "admin.sock")}))
    (other / "admin.sock").touch()
    Home(path).socket()
    assert (other / "admin.sock").exists()


@pytest.mark.parametrize("wider", ["home", "run"])
def test_a_socket_that_others_could_reach_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wider: str
) -> None:
    monkeypatch.setattr("trisect.home.MAX_SOCKET_PATH", 4_000)
    path = tmp_path / "home"
    for folder in (path, path / "run"):
        folder.mkdir(mode=0o700)
    {"home": path, "run": path / "run"}[wider].chmod(0o710)
    with pytest.raises(BadInputError, match="can be entered by others") as caught:
        Home(path).socket()
    assert "chmod 700" in caught.value.hint


def test_one_daemon_at_a_time_has_a_home(tmp_path: Path) -> None:
    with (
        Home(tmp_path).locked(),
        pytest.raises(ConflictError, match="another daemon"),
        Home(tmp_path).locked(),
    ):
        pytest.fail("two have the home")
    with Home(tmp_path).locked():
        pass
