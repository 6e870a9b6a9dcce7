"""The keystore: private, whole or not at all."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from trisect.errors import BadInputError, ExhaustedError
from trisect.store import keystore

SECRETS = {"identity": bytes(range(32)), "empty": b"", "pem": b"-----BEGIN"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "keystore.json"


def test_secrets_come_back_and_only_their_owner_may_look(path: Path) -> None:
    keystore.save(path, SECRETS)
    assert keystore.load(path) == SECRETS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_saving_again_replaces_all(path: Path) -> None:
    keystore.save(path, SECRETS)
    keystore.save(path, {"identity": b"new"})
    assert keystore.load(path) == {"identity": b"new"}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o601])
def test_a_keystore_that_others_can_open_is_refused(path: Path, mode: int) -> None:
    keystore.save(path, SECRETS)
    path.chmod(mode)
    with pytest.raises(BadInputError, match=f"{mode:04o}") as caught:
        keystore.load(path)
    assert "chmod 600" in caught.value.hint


def test_a_keystore_that_is_not_there(path: Path) -> None:
    with pytest.raises(BadInputError, match="no keystore") as caught:
        keystore.load(path)
    assert "join" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"secrets": 7}',
        '{"secrets": ["x"]}',
        '{"secrets": {"a": 7}}',
        '{"secrets": {"a": "A"}}',
    ],
)
def test_a_damaged_keystore_says_so_without_showing_it(path: Path, text: str) -> None:
    keystore.save(path, SECRETS)
    path.write_text(text)
    with pytest.raises(BadInputError, match="cannot be read") as caught:
        keystore.load(path)
    assert "backup" in caught.value.hint


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_disk_that_fills_leaves_the_old_file(
    path: Path, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keystore.save(path, SECRETS)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        if failing == "fsync":
            patched.setattr(os, "fsync", full)
        else:
            patched.setattr(Path, "replace", full)
        with pytest.raises(ExhaustedError, match="No space left") as caught:
            keystore.save(path, {"identity": b"new"})
    assert "free space" in caught.value.hint
    assert keystore.load(path) == SECRETS
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_the_file_is_marked_with_its_version(path: Path) -> None:
    keystore.save(path, SECRETS)
    assert json.loads(path.read_text())["schema"] == 1
