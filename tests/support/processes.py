"""Processes as psutil tells them."""

from __future__ import annotations

import contextlib

import psutil

CONVERTER = "spawn_main"
"""The word by which a process of a node's imports is known."""


def children(of: int | None, word: str) -> list[psutil.Process]:
    """Give the children of a process, or of this one, that run with a word in their command line.

    One that has ended and that nobody has asked for its exit code has no command line.
    """
    found = []
    for child in psutil.Process(of).children():
        with contextlib.suppress(psutil.ZombieProcess, psutil.NoSuchProcess):
            if any(word in part for part in child.cmdline()):
                found.append(child)
    return found
