"""Denied unless shared, and one and the same denial whatever there is or is not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trisect.errors import BadInputError, DeniedError
from trisect.rules import vocabulary
from trisect.rules.sharing import Sharing, require_shared
from trisect.rules.vocabulary import NOT_SHARED, Mode, Purpose
from trisect.trust.statements import Role

USUAL = {
    "asker": "telco",
    "role": Role.PROVIDER,
    "answerer": "bank",
    "purpose": Purpose.SCAM_PREVENTION,
    "mode": Mode.MATCH,
}


def decided(*sharings: Sharing, **changes: object) -> Sharing:
    return require_shared(sharings, **USUAL | changes)  # type: ignore[arg-type]


def shared(recipient: str, purpose: str = "scam-prevention", mode: str = "match") -> Sharing:
    return Sharing(recipient, purpose, mode)


@pytest.mark.parametrize("recipient", ["telco", "role:provider", "all"])
def test_what_is_shared_is_permitted(recipient: str) -> None:
    assert decided(shared(recipient)) == shared(recipient)
    assert decided(shared("bank"), shared(recipient, "rights"), shared(recipient)) == shared(recipient)


OTHERS = [
    "bank",
    "role:government",
    "role:proxy",
    "role:telco",
    "provider",
    "telco2",
    "tel",
    "",
    "ALL",
    "Telco",
]


@pytest.mark.parametrize(
    "sharings",
    [
        [],
        *([shared(recipient)] for recipient in OTHERS),
        [shared("telco", purpose="rights")],
        [shared("telco", mode="count")],
        [shared("telco", purpose="")],
        [shared("telco", purpose="rights"), shared("telco", mode="count"), shared("bank")],
    ],
    ids=str,
)
def test_everything_else_is_one_and_the_same_denial(sharings: list[Sharing]) -> None:
    with pytest.raises(DeniedError) as caught:
        decided(*sharings)
    found = caught.value
    assert (found.message, found.hint, found.rule) == (
        "nothing of that name is shared with you for this purpose and mode",
        "ask bank which collections it shares with you, and for what",
        NOT_SHARED,
    )


SHARINGS = st.builds(
    Sharing,
    st.sampled_from(["telco", "bank", "role:provider", "role:proxy", "all", "other"]),
    st.sampled_from([purpose.value for purpose in Purpose]),
    st.sampled_from([mode.value for mode in Mode]),
)


@settings(deadline=None, max_examples=200)
@given(st.lists(SHARINGS, max_size=6), st.sampled_from(Role), st.sampled_from(Purpose), st.sampled_from(Mode))
def test_it_is_allowed_exactly_where_some_line_fits(
    sharings: list[Sharing], role: Role, purpose: Purpose, mode: Mode
) -> None:
    fits = [
        sharing
        for sharing in sharings
        if sharing.recipient in ("telco", f"role:{role.value}", "all")
        and sharing.purpose == purpose.value
        and sharing.mode == mode.value
    ]
    try:
        decided(*sharings, role=role, purpose=purpose, mode=mode)
    except DeniedError:
        assert not fits
    else:
        assert fits


def test_the_words_of_the_vocabulary() -> None:
    for purpose in Purpose:
        assert vocabulary.purpose(purpose.value) is purpose
    assert vocabulary.modes("match, count,match") == (Mode.MATCH, Mode.COUNT)
    for text in ("", "match,", "all"):
        with pytest.raises(BadInputError, match="no such mode"):
            vocabulary.modes(text)
    with pytest.raises(BadInputError, match="no such purpose") as caught:
        vocabulary.purpose("fun")
    assert "leak-tracing" in caught.value.hint


@pytest.mark.parametrize("text", ["all", "telco", "a", "first-bank", "role:provider", "role:proxy", "a" * 63])
def test_whom_a_collection_can_be_shared_with(text: str) -> None:
    assert vocabulary.recipient(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "role:",
        "role:king",
        "role:ALL",
        "Telco",
        "-a",
        "a-",
        "a" * 64,
        "a b",
        "all ",
        "a\n",
        "role:provider\n",
        "14255550187",
        "call-442079460123",
    ],
)
def test_whom_it_cannot(text: str) -> None:
    with pytest.raises(BadInputError, match="nobody to share with"):
        vocabulary.recipient(text)


def test_names_of_collections() -> None:
    for text in ("a", "scam-numbers", "2026.list_1", "list-20261123", "numbers.v2", "a" * 64):
        assert vocabulary.collection_name(text) == text
    for text in ("", "-a", ".a", "A", "a" * 65, "a b", "../a", "a\n", "诈骗"):
        with pytest.raises(BadInputError):
            vocabulary.collection_name(text)


@pytest.mark.parametrize(
    "text", ["14255550187", "list-14255550187", "login.example-shop.com", "8.8.8.8", "2026.11", "123"]
)
def test_a_name_that_reads_as_an_identifier_is_refused_and_not_repeated(text: str) -> None:
    """Names are stored, logged and sent to peers as they stand."""
    with pytest.raises(BadInputError) as caught:
        vocabulary.collection_name(text)
    assert text not in caught.value.message + caught.value.hint
