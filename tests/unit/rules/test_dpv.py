"""Every term exists in DPV 2.3: tests/vectors holds its IRIs, (c) W3C, W3C Software and Document Licence 2023."""

from __future__ import annotations

import itertools
from pathlib import Path

from trisect.indicators.kinds import Kind
from trisect.rules import dpv
from trisect.rules.vocabulary import AiUse, BasisName, Purpose, Source

IRIS = Path(__file__).parents[2] / "vectors" / "dpv-2.3-iris.txt"


def test_purposes_sources_and_bases_have_a_term() -> None:
    without = {word for word in itertools.chain(Purpose, Source, BasisName) if not dpv.iri(word)}
    assert without == {BasisName.UNSPECIFIED}
    assert {use for use in AiUse if not dpv.iri(use)} == {AiUse.NONE}


def test_every_term_exists() -> None:
    known = set(IRIS.read_text(encoding="utf-8").split())
    words = itertools.chain(Purpose, BasisName, Source, AiUse, Kind)
    assert {iri for word in words if (iri := dpv.iri(word))} <= known
