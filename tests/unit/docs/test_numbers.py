"""Figures, field names and labels that the manual tells are those of the code."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path

import pytest
from unit.deploy.test_configurations import keys
from unit.docs.pages import ROOT, blocks, inline, name, pages
from unit.docs.test_manual_pages import table

import coordinator.config
import nodes.config
from coordinator.config import Config as CoordinatorConfig
from coordinator.registry import MAX_TTL
from nodes import intake
from nodes.config import Config as NodeConfig
from nodes.exchanges import book
from trisect.cli.failures import INTERRUPTED_EXIT, PARTIAL_EXIT
from trisect.indicators.forms import Profile, Reason
from trisect.indicators.kinds import KINDS
from trisect.indicators.readers import BATCH_ROWS
from trisect.psi.bands import LARGEST_SET
from trisect.psi.items import PROBES, client_size, probed_blocks, server_size
from trisect.psi.points import BLOCK_POINTS
from trisect.rpc import gate
from trisect.rpc.status import TABLE
from trisect.rules import consent_frames, offers, stale_frames
from trisect.rules.document import Document
from trisect.rules.permit import Permit
from trisect.rules.terms import Terms
from trisect.store import rolling
from trisect.store.exchanges import ExchangeState
from trisect.trust import invitations
from trisect.trust.certificates import CA_LIFE

LARGEST = BLOCK_POINTS - 2 * PROBES
"""Items of the padded set in a full block."""


def page(path: str) -> str:
    """A page with its line breaks taken out, so that sentences can be looked for."""
    return " ".join((ROOT / "docs" / path).read_text().split())


def test_probes_are_told_as_they_are() -> None:
    assert (probed_blocks(LARGEST), probed_blocks(LARGEST + 1)) == (1, 2)
    assert client_size(LARGEST) == LARGEST + 2 * PROBES
    assert server_size(16, LARGEST) == 16 + PROBES
    spec = page("spec/ecdh-exchange.md")
    assert f"asked_padded / {LARGEST:,}, rounded up" in spec
    assert f"blocks with {PROBES} probes of each sort" in spec
    assert f"`present` 0..{PROBES}b-1; `absent` 0..{PROBES}b-1 | `asked_padded` + {2 * PROBES}b |" in spec
    assert f"`present` 0..{PROBES}b-1 | `answered_padded` + {PROBES}b |" in spec
    assert f"each block of at most {BLOCK_POINTS:,} has {PROBES} probes of each sort" in spec
    assert f"A block has {BLOCK_POINTS:,} of them" in spec
    matching = page("matching.md")
    assert f"{2 * PROBES} probes for every {LARGEST:,} items" in matching
    assert f"hides {PROBES} of each in every block" in matching


def test_no_other_page_has_figures_of_its_own_for_blocks() -> None:
    told = {number for path in pages() for number in re.findall(r"\b7,[89]\d\d\b", path.read_text())}
    assert told == {f"{LARGEST:,}", f"{BLOCK_POINTS:,}"}


def test_sizes_are_told_as_they_are() -> None:
    assert f"at most {LARGEST_SET:,} entries" in page("matching.md")
    assert f"`limits.min_set`, {NodeConfig('', '', '', '').limits.min_set} by default" in page("matching.md")
    assert f"{rolling.BATCH:,} rows a transaction" in page("operation.md")
    assert f"batches of up to {BATCH_ROWS:,}" in page("importing.md")
    assert f"as soon as they hold {intake.COMMIT_ROWS:,} rows" in page("importing.md")


def test_outcomes_of_imported_rows_are_told() -> None:
    source = (ROOT / "nodes/intake.py").read_text()
    (counted,) = re.findall(r"for outcome in \(([^)]+)\):\n\s+ROWS\.labels\(outcome\)", source)
    (told,) = re.findall(
        r"`trisect_import_rows_total` \| node \| rows by `outcome`: ([^;]+);", source_of_metrics()
    )
    assert set(re.findall(r"`(\w+)`", told)) == set(re.findall(r'"(\w+)"', counted))


def source_of_metrics() -> str:
    return (ROOT / "docs/operation.md").read_text()


def test_labels_of_metrics_exist() -> None:
    rows = re.findall(r"^\| (`trisect_[^|]+) \| [^|]+ \| (.+) \|$", source_of_metrics(), re.MULTILINE)
    assert len(rows) > 10
    counters = {"exchanges": book.ENDED, "import_rows": intake.ROWS, "rpc_calls": gate.CALLS}
    labelled = {f"trisect_{name}_total": counter._labelnames for name, counter in counters.items()}
    labelled["trisect_rpc_seconds"] = gate.SECONDS._labelnames
    told = {metric: meaning for names, meaning in rows for metric in re.findall(r"`([^`]+)`", names)}
    for metric, labels in labelled.items():
        assert set(labels) <= set(re.findall(r"`(\w+)`", told[metric])), metric


def test_every_exit_code_is_told() -> None:
    told = set(re.findall(r"^\| (\d+) \|", (ROOT / "docs/errors.md").read_text(), re.MULTILINE))
    real = {row.exit_code for row in TABLE.values()} | {0, INTERRUPTED_EXIT, PARTIAL_EXIT}
    assert told == {str(code) for code in real} | {"10"}  # 10 is kept for `check`


def test_every_section_of_errors_tells_its_exit_code() -> None:
    sections = dict(
        re.findall(r"^## (.+?)\n\nExit code (\d+)\.", (ROOT / "docs/errors.md").read_text(), re.MULTILINE)
    )
    assert {heading.lower(): int(code) for heading, code in sections.items()} == {
        row.page: row.exit_code for row in TABLE.values()
    }


def test_every_state_of_an_exchange_is_told() -> None:
    (told,) = re.findall(
        r"^States: (.+?)\.$", (ROOT / "docs/matching.md").read_text(), re.MULTILINE | re.DOTALL
    )
    assert set(re.findall(r"`(\w+)`", told)) == {state.value for state in ExchangeState}


DOCUMENTS = [
    *(offers.Offer, offers.Accept, offers.Refusal, offers.Void, offers.Receipt, Permit, Terms),
]


def test_each_document_of_an_exchange_is_in_this_list() -> None:
    assert {document.KIND for document in DOCUMENTS} == {one.KIND for one in Document.__subclasses__()}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.KIND)
def test_fields_of_signed_documents_are_told(document: type[Document]) -> None:
    section = (
        (ROOT / "docs/spec/sealed-channel.md").read_text().partition("## Documents")[2].partition("\n## ")[0]
    )
    told = re.split(r"^(?=\*\*`)", section, flags=re.MULTILINE)
    (text,) = [part for part in told if part.startswith(f"**`{document.KIND}`**")]
    shown = set(re.findall(r"`(\w+)`", text))
    assert {field.name for field in dataclasses.fields(document)} <= shown  # type: ignore[arg-type]


def test_frames_are_told() -> None:
    spec = (ROOT / "docs/spec/sealed-channel.md").read_text().partition("## Frames of stale hits")[2]
    for frame in (stale_frames.Notices, stale_frames.Answers):
        (text,) = [part for part in spec.split("\n\n") if part.startswith(f"**`{frame.KIND}`**")]
        told = set(re.findall(r"`(\w+)(?:\[\])?`", text))
        named = [*dataclasses.fields(frame), *dataclasses.fields(frame.ITEM)]
        assert {field.name for field in named} <= told
    sizes = {consent_frames.SEAL: "docs/spec/consent.md", stale_frames.SEAL: "docs/spec/sealed-channel.md"}
    for seal, page in sizes.items():
        text = (ROOT / page).read_text()
        assert f"exactly {seal.sealed_bytes:,} bytes" in text
        assert f"{seal.plain_bytes:,} bytes" in text
    assert f"at\nmost {stale_frames.MOST}" in spec


KEYS = {key for shape in (NodeConfig, CoordinatorConfig) for key, _ in keys(shape)}
SECTIONS = {key.partition(".")[0] for key in KEYS if "." in key}
_DOTTED = re.compile(rf"(?:{'|'.join(sorted(SECTIONS))})\.[a-z_]+")
_SETTING = re.compile(r"([a-z_]+) = [\"0-9].*")
_OF_A_MIGRATION = {"revision", "down_revision"}
_DEFANGED = {"[dot]", "[at]"}
_SECTION = re.compile(r"\[([a-z_]+)\](?: ([a-z_]+))?")


@pytest.mark.parametrize("path", pages(), ids=name)
def test_configuration_keys_that_a_page_names_exist(path: Path) -> None:
    text = path.read_text()
    for code in inline(text):
        if _DOTTED.fullmatch(code):
            assert code in KEYS, code
        if (match := _SECTION.fullmatch(code)) and code not in _DEFANGED:
            assert match[1] in SECTIONS, code
            assert match[2] is None or f"{match[1]}.{match[2]}" in KEYS, code
        if (match := _SETTING.fullmatch(code)) and match[1] not in _OF_A_MIGRATION:
            assert match[1] in KEYS | {key.partition(".")[2] for key in KEYS}, code
    for block in blocks(text, "toml"):
        for section, value in tomllib.loads(block).items():
            found = {f"{section}.{key}" for key in value} if isinstance(value, dict) else {section}
            assert found <= KEYS, block


def test_settings_that_can_be_reloaded_are_told() -> None:
    section = (ROOT / "docs/operation.md").read_text().partition("## Stopping and reloading")[2]
    rows = dict(
        re.findall(r"^\| (both|node|coordinator) \| (.+) \|$", section.partition("\n## ")[0], re.MULTILINE)
    )
    for daemon, shape, real in (
        ("node", NodeConfig, nodes.config.RELOADABLE),
        ("coordinator", CoordinatorConfig, coordinator.config.RELOADABLE),
    ):
        told = set(re.findall(r"`([a-z_.]+)`", rows["both"] + rows[daemon]))
        for whole in re.findall(r"all of `\[(\w+)\]`", rows[daemon]):
            told |= {key for key, _ in keys(shape) if key.startswith(f"{whole}.")}
        assert told == real


def test_tables_name_every_reason_once() -> None:
    """A reason of readers and one of values may share a name; within one table none stands twice."""
    for section in (ROOT / "docs/importing.md").read_text().split("\n### ")[1:]:
        reasons = re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE)
        assert len(reasons) == len(set(reasons))
    assert "expired" in table("docs/importing.md")


def test_the_page_of_forms_names_every_reason_profile_field_and_refused_kind() -> None:
    codes = set(inline((ROOT / "docs/spec/canonical-forms.md").read_text()))
    assert {reason.value for reason in Reason} <= codes
    assert {field.name for field in dataclasses.fields(Profile)} <= table("docs/spec/canonical-forms.md")
    (refused,) = re.findall(
        r"\n\n(`script`[^.]+) are registered and refused", page_source("spec/canonical-forms.md")
    )
    assert set(re.findall(r"`(\w+)`", refused)) == {kind.value for kind in KINDS if KINDS[kind].refusal}


def test_lives_of_certificates_and_invitations_are_told() -> None:
    defaults = CoordinatorConfig("")
    party_days = defaults.party_certificate_hours / 24
    life = f"| life, default | {CA_LIFE.days:,} days | {defaults.certificate_days:.0f} days | {party_days:.0f} days |"
    assert life in page("spec/certificates.md")
    assert f"at most {invitations.MAX_CHARACTERS:,} characters" in page("spec/invitation.md")
    assert f"a life above {MAX_TTL.days} days" in page("spec/invitation.md")
    assert f"more than {offers.CLOCK_TOLERANCE.total_seconds():.0f} s" in page("operation.md")


def page_source(path: str) -> str:
    return re.sub(r"(?<!\n)\n(?!\n)", " ", (ROOT / "docs" / path).read_text())
