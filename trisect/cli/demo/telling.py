"""The demonstration told to a person or a script."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from trisect.cli import screen
from trisect.cli.call import Call
from trisect.cli.demo import samples
from trisect.cli.demo.cluster import Cluster, describe
from trisect.cli.demo.consenting import Consenting
from trisect.cli.demo.crossing import Crossing
from trisect.cli.demo.mechanism import Mechanism
from trisect.cli.demo.scan import Scan
from trisect.cli.demo.step import Step
from trisect.cli.demo.story import Matched, Story
from trisect.cli.failures import FlawedResultError
from trisect.psi import planner
from trisect.rules.vocabulary import Mode

SHOWN_FINDINGS = 20
_COLUMNS: Mapping[str, screen.Cell] = {
    "asker": lambda row: f"{row['asker']}/{row['collection']}",
    "asked": lambda row: f"{row['answerer']}/{row['with']}",
    "list sizes": lambda row: f"{row['asked']:,} x {row['answered_from']:,}",
    "seen by others as": lambda row: f"{row['asked_padded']:,} x {row['answered_padded']:,}",
    "hits": "matched",
    "known answer": lambda row: f"{row['expected']}, {'exactly these' if row['right'] else 'NOT these'}",
    "bytes": "bytes",
    "seconds": lambda row: f"{row['seconds']:.2f}",
}


class WrongResultError(FlawedResultError):
    """The demonstration ran to its end, and its result is not the one that it must have."""

    code = "TRI-DEMO-RESULT"


async def whole(call: Call) -> None:
    """Run the whole demonstration in a folder of its own, and remove it."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="trisect-demo-") as folder:
        cluster = Cluster(Path(folder) / "cluster")
        story = Story(cluster, samples.load())
        call.report.note("starting a coordinator and four parties' nodes, five processes ...")
        try:
            members = await cluster.up()
            call.report.note(f"all are ready and admitted after {time.monotonic() - started:.1f} s")
            mechanism = Mechanism(cluster, story.channel)
            rules = [await mechanism.rulebook(), await mechanism.disclosure()]
            await story.fill(call.report.note)
            call.report.note("matching ...")
            matched = [one async for one in story.matches()]
            first = matched[0].plan
            refused = await mechanism.refused(first.asker, first.collection, first.answerer, first.theirs)
            consenting = Consenting(story.samples, story.channel)
            consents = [await consenting.consent(), await consenting.revoked()]
            crossed = await Crossing(cluster, story.channel, mechanism.frames).red_line(mechanism.record)
            exchanges = {one.exchange.exchange_id for one in matched} | consenting.exchanges
            verified = await mechanism.record_verified(exchanges)
            call.report.note("scanning all that the coordinator keeps ...")
            scan = await asyncio.to_thread(story.blindness, Path(folder))
        finally:
            await cluster.down()
    seconds = time.monotonic() - started
    steps = [*rules, _match_step(matched), refused, *consents, crossed, _blind_step(scan), verified]
    data = {
        "daemons": [{"name": member.name, "pid": member.pid} for member in members],
        "exchanges": [_exchange(one) for one in matched],
        "learned": _learned(matched[0].exchange.engine),
        "steps": [{"name": step.name, "ok": step.ok, "detail": step.detail} for step in steps],
        "findings": [{"sort": one.sort, "form": one.form, "file": one.file} for one in scan.findings],
        "seconds": round(seconds, 3),
    }
    text = partial(tell, data)
    if failed := [step.name for step in steps if not step.ok]:
        raise WrongResultError(
            f"the demonstration failed at: {', '.join(failed)}",
            data=data,
            text=text,
            hint="the lines that begin with FAIL say what was found",
        )
    call.report.result(data, text)


async def up(call: Call, folder: Path, *, with_data: bool) -> None:
    """Start a cluster and leave it running."""
    cluster = Cluster(folder)
    fresh = not await cluster.running()
    members = await cluster.up()
    if with_data and fresh:
        await Story(cluster, samples.load()).fill(call.report.note)

    def text() -> None:
        screen.table(
            ["name", "role", "pid", "home", "http"],
            [[m.name, m.role, str(m.pid), m.home, m.addresses.get("http", "")] for m in members],
            empty="nothing runs",
        )
        screen.say(f"try: trisect --home {cluster.folder}/telco status")

    call.report.result({"daemons": describe(members)}, text)


async def down(call: Call, folder: Path) -> None:
    """Stop a cluster."""
    stopped = await Cluster(folder).down()
    call.report.result(
        {"stopped": stopped}, lambda: screen.say(f"stopped: {', '.join(stopped) or 'nothing ran'}")
    )


def _match_step(matched: list[Matched]) -> Step:
    right = sum(one.right for one in matched)
    hits = sum(len(one.found) for one in matched)
    detail = f"{right} of {len(matched)} exchanges gave exactly the known answer, {hits:,} hits in all"
    return Step("match", right == len(matched), detail)


def _blind_step(scan: Scan) -> Step:
    detail = (
        f"{len(scan.findings)} of {scan.needles:,} forms of values, canonical forms, tokens and peppers found in "
        f"{scan.bytes:,} bytes of the coordinator's database, logs and recorded relay traffic; "
        f"all {scan.controls} planted controls were found in a copy"
    )
    return Step("blind_coordinator", not scan.findings, detail)


def _exchange(one: Matched) -> dict[str, object]:
    found = one.exchange
    return {
        "exchange_id": found.exchange_id,
        "asker": one.plan.asker,
        "answerer": one.plan.answerer,
        "collection": one.plan.collection,
        "with": one.plan.theirs,
        "state": found.state,
        "asked": found.asked,
        "answered_from": one.answered,
        "asked_padded": found.asked_padded,
        "answered_padded": found.answered_padded,
        "matched": found.matched,
        "expected": len(one.plan.expected),
        "right": one.right,
        "bytes": found.bytes_sent + found.bytes_received,
        "seconds": found.seconds,
    }


def _learned(engine: str) -> dict[str, str]:
    found = planner.ENGINES[engine].modes[Mode.MATCH]
    return {
        "asker": found.asker_learns,
        "answerer": found.answerer_learns,
        "coordinator": found.coordinator_learns,
    }


def tell(data: Mapping[str, Any]) -> None:
    """Tell a person what a script is told by `data` of the whole demonstration."""
    daemons = ", ".join(f"{one['name']} (pid {one['pid']})" for one in data["daemons"])
    screen.say(f"Five daemons ran: {daemons}.\n")
    screen.listing(_COLUMNS, data["exchanges"], empty="nothing was matched")
    screen.say("\nWhat each learned in every one of these exchanges:")
    screen.facts({f"the {side}": learned for side, learned in data["learned"].items()})
    screen.say("")
    for step in data["steps"]:
        screen.say(f"{'ok  ' if step['ok'] else 'FAIL'} {step['name']}: {step['detail']}")
    for found in data["findings"][:SHOWN_FINDINGS]:
        screen.say(f"     found: a {found['sort']}, {found['form']}, in {found['file']}")
    screen.say(f"\nDone in {data['seconds']:.1f} s; everything has been stopped and removed.")
