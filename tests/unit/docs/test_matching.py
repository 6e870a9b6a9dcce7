"""What the manual says of an engine is what `--explain` says of it."""

from __future__ import annotations

import pytest
from unit.docs.pages import ROOT

from trisect.psi.planner import ENGINES, Engine

WORDS = " ".join((ROOT / "docs/matching.md").read_text().split())


@pytest.mark.parametrize("engine", ENGINES.values(), ids=lambda engine: engine.name)
def test_the_manual_has_the_sentences_of_an_engine(engine: Engine) -> None:
    assert f"With the engine `{engine.name}`" in WORDS
    assert f"the asker learns {engine.asker_learns}." in WORDS
    assert f"the answerer learns {engine.answerer_learns}." in WORDS
    assert f"the coordinator learns {engine.coordinator_learns}." in WORDS
    assert f"It assumes {engine.assumes}." in WORDS
