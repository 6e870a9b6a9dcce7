"""The demonstration as the README shows it is the one that the program runs: its steps, exchanges and sentences."""

from __future__ import annotations

import re

from unit.docs.pages import ROOT, blocks

from trisect.cli.demo import samples
from trisect.cli.demo.step import STEPS
from trisect.psi.planner import ECDH
from trisect.rules.vocabulary import Mode

(SHOWN,) = [block for block in blocks((ROOT / "README.md").read_text()) if "blind_coordinator" in block]
WORDS = " ".join(SHOWN.split())


def test_the_steps_are_those_of_the_demo_in_their_order() -> None:
    assert tuple(re.findall(r"^ok   (\w+): ", SHOWN, re.MULTILINE)) == STEPS


def test_what_each_learned_is_what_the_engine_tells() -> None:
    learned = ECDH.modes[Mode.MATCH]
    assert f"the asker {learned.asker_learns} the answerer" in WORDS
    assert f"the answerer {learned.answerer_learns} the coordinator" in WORDS
    assert f"the coordinator {learned.coordinator_learns} ok" in WORDS


def test_the_exchanges_are_those_of_the_known_answer() -> None:
    matches = samples.load().matches
    rows = re.findall(r"^(\S+/\S+) +(\S+/\S+) .+  ([\d,]+) +([\d,]+), exactly these ", SHOWN, re.MULTILINE)
    assert rows == [
        (
            f"{one.asker}/{one.collection}",
            f"{one.answerer}/{one.theirs}",
            f"{len(one.expected):,}",
            f"{len(one.expected):,}",
        )
        for one in matches
    ]
    hits = sum(len(one.expected) for one in matches)
    told = f"{len(matches)} of {len(matches)} exchanges gave exactly the known answer, {hits:,} hits in all"
    assert told in WORDS
