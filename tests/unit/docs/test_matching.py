"""What the manual says of an engine in a mode is what `--explain` says of it."""

from __future__ import annotations

import pytest
from unit.docs.pages import ROOT

from trisect.psi.planner import ENGINES
from trisect.rules.vocabulary import Mode

WORDS = " ".join((ROOT / "docs/matching.md").read_text().split())


@pytest.mark.parametrize(
    ("engine", "mode"), [(engine.name, mode) for engine in ENGINES.values() for mode in engine.modes]
)
def test_the_manual_has_the_sentences_of_an_engine(engine: str, mode: Mode) -> None:
    learned = ENGINES[engine].modes[mode]
    before = WORDS[: WORDS.index(f"the asker learns {learned.asker_learns}.")]
    assert f"{mode.capitalize()} with the engine `{engine}`" in before
    assert f"the answerer learns {learned.answerer_learns}." in WORDS
    assert f"the coordinator learns {learned.coordinator_learns}." in WORDS
    assert f"It assumes {learned.assumes}." in WORDS
