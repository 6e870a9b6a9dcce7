"""Every command line of the manual can be read by the program that it names."""

from __future__ import annotations

from typing import Any

import pytest
from typer.main import get_command
from unit.docs.pages import Line, examples, mentions

from coordinator.cli import app as coordinator
from nodes.cli import app as node
from trisect.cli.tree import command as trisect
from trisect.cli.usage import ClickException

TREES = {
    "trisect": trisect,
    "trisect-node": get_command(node),
    "trisect-coordinator": get_command(coordinator),
}


@pytest.mark.parametrize("line", list(examples()), ids=str)
def test_an_example_can_be_read(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRISECT_HOME", "/nowhere")
    program, *words = line.words
    command: Any = TREES[program]
    parent = None
    try:
        while True:
            context = command.make_context(program, words, parent=parent)
            if not hasattr(command, "commands"):
                break
            words = [*context._protected_args, *context.args]
            if not words:
                break
            assert words[0] in command.commands, f"there is no command {words[0]}"
            command, words, parent = command.commands[words[0]], words[1:], context
    except ClickException as error:
        pytest.fail(error.message)


@pytest.mark.parametrize("line", list(mentions()), ids=str)
def test_what_prose_names_exists(line: Line) -> None:
    program, *words = line.text.split()
    command: Any = TREES[program]
    options: set[str] = set()
    for word in words:
        if word.startswith("-") and word != "-":
            options.add(word.partition("=")[0])
        elif hasattr(command, "commands") and word in command.commands:
            command = command.commands[word]
        elif hasattr(command, "commands") and word.islower() and not options:
            pytest.fail(f"there is no command {word}")
    known = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    assert options <= known


def test_there_is_something_to_read() -> None:
    assert len(list(examples())) > 50
    assert len(list(mentions())) > 20
