"""The manual says what the command does: every page that errors name exists, every example can be read."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from trisect.cli import tree
from trisect.cli.usage import ClickException
from trisect.rpc.status import TABLE

DOCS = Path(__file__).parents[2] / "docs"


def examples() -> Iterator[str]:
    for block in re.findall(r"```sh\n(.*?)```", (DOCS / "cli.md").read_text(), re.DOTALL):
        for line in block.splitlines():
            command = line.rpartition(" | ")[2].partition(" < ")[0]
            if command.startswith("trisect "):
                yield command


def test_every_fault_has_its_section() -> None:
    text = (DOCS / "errors.md").read_text()
    anchors = [heading.lower().replace(" ", "-") for heading in re.findall(r"^## (.+)$", text, re.MULTILINE)]
    assert anchors == [row.page for row in TABLE.values()]
    for row, section in zip(TABLE.values(), re.split(r"^## .+$", text, flags=re.MULTILINE)[1:], strict=True):
        assert f"Exit code {row.exit_code}." in section


@pytest.mark.parametrize("example", list(examples()))
def test_every_example_can_be_read(example: str) -> None:
    words = shlex.split(example)
    command, parent = tree.command, None
    try:
        while True:
            context = command.make_context(words[0], words[1:], parent=parent)
            if not hasattr(command, "commands"):
                break
            words = [*context._protected_args, *context.args]
            if not words:
                break
            command, parent = command.commands[words[0]], context
    except ClickException as error:
        pytest.fail(f"{example}: {error.message}")


def test_every_command_is_in_the_manual() -> None:
    text = "\n".join(examples())
    waiting = [("trisect", tree.command)]
    while waiting:
        words, command = waiting.pop()
        children = getattr(command, "commands", None)
        if children:
            waiting += [(f"{words} {name}", child) for name, child in children.items()]
            continue
        plain = re.sub(r" --home \S+", "", text)
        assert re.search(rf"^{re.escape(words)}( |$)", plain, re.MULTILINE), (
            f"`{words}` has no example in docs/cli.md"
        )
