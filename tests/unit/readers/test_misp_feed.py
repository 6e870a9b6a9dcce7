"""A MISP feed as pymisp writes it: its events are read, and its manifest is told from them."""

from __future__ import annotations

import io
import json

import pymisp
import pytest

from trisect.errors import BadInputError
from trisect.indicators.entries import RawRow
from trisect.indicators.readers import ReaderName, open_reading
from trisect.indicators.readers.misp import is_manifest

UUID = "5ce143de-8da0-4dc1-8a3a-5b8dc0a80132"


def feed() -> tuple[dict[str, object], dict[str, object]]:
    """Give the manifest of a feed and the file of its one event."""
    event = pymisp.MISPEvent()
    event.from_dict(info="Wangiri wave", uuid=UUID, Orgc={"name": "CERT", "uuid": UUID})
    event.add_attribute("phone-number", "+12025550101")
    return event.manifest, event.to_feed()


def written(document: object, indent: int | None) -> io.BytesIO:
    return io.BytesIO(json.dumps(document, indent=indent).encode())


@pytest.mark.parametrize("indent", [None, 2], ids=["in one line", "indented"])
@pytest.mark.parametrize("reader", [None, ReaderName.MISP], ids=["sniffed", "named"])
@pytest.mark.parametrize("name", ["manifest.json", "-"])
def test_a_manifest_is_refused_and_told_what_to_import(
    name: str, reader: ReaderName | None, indent: int | None
):
    manifest, _ = feed()
    assert set(manifest) == {UUID}
    with pytest.raises(BadInputError, match="manifest of a MISP feed") as caught:
        list(open_reading(written(manifest, indent), name=name, reader=reader))
    assert "import the event files" in caught.value.hint
    assert "Wangiri" not in caught.value.message + caught.value.hint


def test_the_event_of_that_feed_is_read():
    _, event = feed()
    (found,) = open_reading(written(event, 2), name=f"{UUID}.json")
    assert isinstance(found, RawRow)
    assert (found.kind, found.value) == ("phone", "+12025550101")


@pytest.mark.parametrize(
    "document",
    [{}, {UUID: "text"}, {UUID: {}, "value": "+12025550101"}, {"Event": {UUID: {}}}],
)
def test_what_only_resembles_a_manifest_is_none(document: dict[str, object]):
    assert not is_manifest(document)
