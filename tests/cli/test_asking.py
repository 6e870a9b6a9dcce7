"""Acts that ask: which they are, that they do nothing without a yes, and an import that asks at its end."""

from __future__ import annotations

import asyncio
import csv
import os
import re
import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.fake_node import EXCHANGE, FakeNode

from trisect.cli import tree
from trisect.cli.acts.imports import LARGE_DROP
from trisect.errors import DeniedError
from trisect.store.intake import LargeDropError

from .conftest import END_S, ENVIRONMENT, Command, Ended
from .test_manual import DOCS, examples

LARGE = "--replace would retract 40 of 100 entries, more than a fifth"
ELSEWHERE = {"demo", "doctor"}
"""They talk to no daemon of the home; nothing in them can ask."""


def large_drop() -> DeniedError:
    refusal = DeniedError(LARGE)
    refusal.code = LARGE_DROP
    return refusal


def test_the_refusal_is_the_stores() -> None:
    assert LargeDropError.code == LARGE_DROP
    assert issubclass(LargeDropError, DeniedError)


def listed() -> set[str]:
    section = (DOCS / "cli.md").read_text().partition("## Acts that ask\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^- `([a-z ]+)`", section, re.MULTILINE))


def plain(example: str) -> list[str]:
    """An example's words without the program, the home and the yes."""
    words = shlex.split(re.sub(r" --home \S+", "", example))[1:]
    return [word for word in words if word not in {"--yes", "-y"}]


def name(words: list[str]) -> str:
    command, found = tree.command, []
    for word in words:
        command = getattr(command, "commands", {}).get(word)
        if command is None:
            break
        found.append(word)
    return " ".join(found)


async def test_the_manual_lists_the_acts_that_ask(trisect: Command, node: FakeNode) -> None:
    node.failures["ImportFinish"] = large_drop()
    asked, ran = set(), set()
    for example in examples():
        words = plain(example)
        if not words or words[0] in ELSEWHERE:
            continue
        for word in words:
            if re.fullmatch(r"[a-z-]+\.(csv|json)", word):
                (trisect.folder / word).write_text("value\nd1.example\n")
        ended = await trisect.json(*words)
        ran.add(name(words))
        if "needs a yes" in ended.out:
            assert ended.code == 4, example
            assert "--yes" in ended.out
            asked.add(name(words))
    assert len(ran) > 30
    assert asked == listed()
    changes = ("ChangeStanding", "RotatePepper", "DeleteCollection", "CancelExchange", "SucceedKeys")
    assert [request.standing for request in node.saw(changes[0])] == ["active"]
    assert not [method for method in changes[1:] if node.saw(method)]


@pytest.mark.parametrize(
    ("arguments", "method"),
    [(("party", "suspend", "bank"), "ChangeStanding"), (("exchange", "cancel", EXCHANGE), "CancelExchange")],
)
async def test_a_terminal_is_asked(
    arguments: tuple[str, ...], method: str, trisect: Command, node: FakeNode
) -> None:
    for answer, code in (("n", 1), ("", 1), ("y", 0)):
        assert not node.saw(method)
        async with on_a_terminal(trisect, *arguments) as run:
            assert f"{arguments[2]} will be" in await run.question()
            run.answer(answer)
            assert (await run.ended()).code == code
    assert len(node.saw(method)) == 1


class Run:
    """A command whose stdin is a terminal."""

    def __init__(self, process: asyncio.subprocess.Process, terminal: int) -> None:
        self._process = process
        self._terminal = terminal

    async def question(self) -> str:
        assert self._process.stderr is not None
        async with asyncio.timeout(END_S):
            return (await self._process.stderr.readuntil(b"[y/N] ")).decode()

    def answer(self, text: str) -> None:
        os.write(self._terminal, f"{text}\n".encode())

    async def ended(self) -> Ended:
        async with asyncio.timeout(END_S):
            out, err = await self._process.communicate()
        assert self._process.returncode is not None
        return Ended(self._process.returncode, out.decode(), err.decode())


@asynccontextmanager
async def on_a_terminal(command: Command, *arguments: str) -> AsyncIterator[Run]:
    terminal, stdin = os.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "trisect.cli", "--home", str(command.home), "--format", "json", *arguments),
        cwd=command.folder,
        env=ENVIRONMENT,
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(stdin)
    try:
        yield Run(process, terminal)
    finally:
        os.close(terminal)
        if process.returncode is None:
            process.kill()
            await process.wait()


FORMS = {
    "csv": "domain\nd1.example\nbad1.example\n",
    "lines": "d1.example\nbad1.example\n",
    "jsonl": '{"domain": "d1.example"}\n{"domain": "bad1.example"}\n',
}
REPLACE = ("import", "l.txt", "--collection", "sites", "--replace")


@pytest.mark.parametrize("reader", FORMS)
async def test_a_large_drop_asks_and_goes_on(reader: str, trisect: Command, node: FakeNode) -> None:
    (trisect.folder / "l.txt").write_text(FORMS[reader])
    node.failures["ImportFinish"] = large_drop()
    async with on_a_terminal(trisect, *REPLACE, "--reader", reader) as run:
        assert f"{LARGE}. Go on?" in await run.question()
        node.failures.clear()
        run.answer("yes")
        found = (await run.ended()).data
    assert (found["rows"], found["accepted"], found["rejected"]) == (2, 1, 1)
    first, second = node.saw("Import")
    assert (first.allow_large_drop, second.allow_large_drop) == (False, True)
    assert first.fingerprint == second.fingerprint
    (kept,) = node.imports.values()
    assert kept.batches == 1, "what the node has is not sent again"
    with (trisect.folder / "l.txt.rejects.csv").open() as stream:
        assert len(list(csv.reader(stream))) == 2, "a reject is listed once"


async def test_a_large_drop_that_is_declined(trisect: Command, node: FakeNode) -> None:
    (trisect.folder / "l.txt").write_text(FORMS["lines"])
    node.failures["ImportFinish"] = large_drop()
    async with on_a_terminal(trisect, *REPLACE) as run:
        await run.question()
        run.answer("n")
        ended = await run.ended()
    assert (ended.code, ended.error["code"]) == (1, "TRI-DECLINED")
    assert [path.name for path in trisect.folder.iterdir()] == ["l.txt"]
    assert len(node.saw("Import")) == 1


async def test_a_large_drop_that_nobody_can_be_asked_about(trisect: Command, node: FakeNode) -> None:
    (trisect.folder / "l.txt").write_text(FORMS["lines"])
    node.failures["ImportFinish"] = large_drop()
    for stdin, file in (("", "l.txt"), ("d1.example\n", "-")):
        ended = await trisect.json("import", file, *REPLACE[2:], stdin=stdin)
        assert (ended.code, ended.error["code"]) == (4, "TRI-USAGE")
        assert LARGE in ended.error["message"]
        assert "--yes" in ended.error["hint"]
    assert (await trisect.json(*REPLACE, "--yes")).code == 6, "a node that refuses in spite of a yes"


async def test_a_list_that_can_be_read_only_once_is_not_asked_about(trisect: Command, node: FakeNode) -> None:
    node.failures["ImportFinish"] = large_drop()
    pipe = Path(trisect.folder / "l.txt")
    os.mkfifo(pipe)
    async with on_a_terminal(trisect, *REPLACE) as run:
        await asyncio.to_thread(pipe.write_text, FORMS["lines"])
        ended = await run.ended()
    assert ended.code == 4
    assert "second time" in ended.error["message"]
    assert "--yes" in ended.error["hint"]
    assert len(node.saw("Import")) == 1
