"""What the demonstration's cluster leaves alone: other folders, and other processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from trisect.cli.demo.cluster import Cluster
from trisect.errors import BadInputError


async def test_up_leaves_a_folder_alone_that_holds_something_else(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(BadInputError, match="no demo cluster"):
        await Cluster(tmp_path).up()
    assert await Cluster(tmp_path).down() == []
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


async def test_a_folder_that_is_not_there_has_nothing_to_stop(tmp_path: Path):
    assert await Cluster(tmp_path / "none").down() == []
    assert not (tmp_path / "none").exists()


async def test_down_stops_no_stranger_that_has_a_dead_daemons_number(tmp_path: Path):
    """A killed daemon leaves its state file, and its process number goes to somebody else."""
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        (tmp_path / "telco").mkdir()
        (tmp_path / "telco" / "daemon.json").write_text(json.dumps({"pid": stranger.pid}))
        assert not await Cluster(tmp_path).running()
        assert await Cluster(tmp_path).down() == []
        stranger.communicate(b"\n", timeout=20)
        assert stranger.returncode == 0, "it was stopped"
    finally:
        stranger.kill()
        stranger.wait()


async def test_a_daemon_is_known_by_its_home_whatever_the_way_there(tmp_path: Path):
    """The same folder, named through a symbolic link, is the same cluster."""
    real, link = tmp_path / "real", tmp_path / "link"
    (real / "telco").mkdir(parents=True)
    link.symlink_to(real)
    daemon = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()", "run", "--home", link / "telco"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert daemon.stdout is not None
    daemon.stdout.readline()  # just after its start a process has no command line yet
    try:
        (real / "telco" / "daemon.json").write_text(json.dumps({"pid": daemon.pid}))
        assert await Cluster(real).running()
        assert await Cluster(real).down() == ["telco"]
        assert daemon.wait(20) != 0
    finally:
        daemon.kill()
        daemon.communicate()
