"""Signed notes, heads and proofs: notes that others have signed, and every way in which one does not hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from trisect.errors import VerificationError
from trisect.record import tree
from trisect.record.checkpoint import Checkpoint, EntryProof, log_key, origin, witness_key
from trisect.record.notes import MAX_SIGNATURES, Algorithm, Note, NoteKey
from trisect.trust.keys import IdentityKey

# golang.org/x/mod/sumdb/note, the example of its documentation.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
QUOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# A head of the Go checksum database, whose root and signature are the example of C2SP's tlog-checkpoint.
GO = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
GO_HEAD = (
    "go.sum database tree\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— sum.golang.org Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)
# Keys of witnesses, from transparency-dev/formats, note/note_cosigv1_test.go.
WITNESSES = [
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6",
]
NOW = 1_700_000_000


def key(name: str) -> IdentityKey:
    return IdentityKey(hashlib.sha256(name.encode()).digest())


LOG = log_key("demo", key("coordinator").public)
BANK = witness_key("demo", "bank", key("bank").public)
PROXY = witness_key("demo", "proxy", key("proxy").public)
ENTRIES = [f"entry {number}".encode() for number in range(11)]


def head(size: int = 11) -> Checkpoint:
    return Checkpoint(origin("demo"), size, tree.root(size, node))


def node(level: int, index: int) -> bytes:
    if level == 0:
        return tree.leaf_hash(ENTRIES[index])
    return tree.node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))


def signed() -> Note:
    return head().note.signed(LOG, key("coordinator"))


@pytest.mark.parametrize(("vkey", "note"), [(NEUMANN, QUOTE), (GO, GO_HEAD)])
def test_a_note_that_others_have_signed(vkey: str, note: str) -> None:
    parsed, known = Note.parse(note), NoteKey.from_text(vkey)
    assert parsed.verify(known) == 0
    assert (str(parsed), str(known)) == (note, vkey)
    with pytest.raises(VerificationError):
        Note.parse(note.replace("e", "f", 1)).verify(known)


@pytest.mark.parametrize("vkey", WITNESSES)
def test_keys_of_others(vkey: str) -> None:
    assert str(NoteKey.from_text(vkey)) == vkey


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "bananas.sigstore.dev+12344556",
        "rekor.sigstore.dev+12345678+THIS_IS_NOT_BASE64!",
        "rekor.sigstore.dev+12345678+AwEB",
        NEUMANN.replace("c74f20a3", "00000000"),
        NEUMANN.replace("PeterNeumann", "Peter Neumann"),
        NEUMANN.replace("+AR", "+BR"),
    ],
)
def test_what_is_no_key(vkey: str) -> None:
    with pytest.raises(VerificationError):
        NoteKey.from_text(vkey)


def test_a_cosigned_head_is_signed_by_each_with_the_witness_time() -> None:
    note = signed().cosigned(BANK, key("bank"), NOW).cosigned(PROXY, key("proxy"), NOW + 5)
    found = Note.parse(str(note))
    assert found == note
    assert found.signers([LOG, BANK, PROXY]) == {LOG: 0, BANK: NOW, PROXY: NOW + 5}
    assert Checkpoint.of(found) == head()


def test_a_line_of_somebody_unknown_is_left_alone_and_vouches_for_nothing() -> None:
    stranger = witness_key("demo", "stranger", key("stranger").public)
    note = signed().cosigned(stranger, key("stranger"), NOW)
    assert note.signers([LOG, BANK]) == {LOG: 0}
    with pytest.raises(VerificationError, match="not signed by trisect/demo/bank"):
        note.verify(BANK)


def test_a_later_cosignature_takes_the_place_of_the_former() -> None:
    note = signed().cosigned(BANK, key("bank"), NOW).cosigned(BANK, key("bank"), NOW + 60)
    assert [line.name for line in note.signatures] == [LOG.name, BANK.name]
    assert note.verify(BANK) == NOW + 60


def test_a_line_that_does_not_hold_spoils_the_note_even_beside_a_good_one() -> None:
    forged = signed().cosigned(BANK, key("thief"), NOW)
    good = signed().cosigned(BANK, key("bank"), NOW)
    both = replace(good, signatures=(*good.signatures, forged.signatures[-1]))
    for note in (forged, both):
        with pytest.raises(VerificationError):
            note.signers([LOG, BANK])


def test_a_cosignature_says_neither_another_time_nor_another_kind() -> None:
    note = signed().cosigned(BANK, key("bank"), NOW)
    line = note.signatures[-1]
    later = replace(line, body=(NOW + 1).to_bytes(8, "big") + line.body[8:])
    never = replace(line, body=b"\xff" * 8 + line.body[8:])
    for body in (later, never, replace(line, body=b""), replace(line, body=line.body[:-1])):
        with pytest.raises(VerificationError):
            replace(note, signatures=(body,)).verify(BANK)
    plain = NoteKey(BANK.name, Algorithm.ED25519, BANK.public)
    with pytest.raises(VerificationError):
        replace(note, signatures=(replace(line, key_id=plain.id, body=line.body[8:]),)).verify(plain)


def with_one_bit_changed(text: str) -> Iterator[bytes]:
    for at, byte in enumerate(raw := text.encode()):
        for bit in range(8):
            yield raw[:at] + bytes([byte ^ 1 << bit]) + raw[at + 1 :]


def test_one_changed_bit_and_a_head_does_not_hold() -> None:
    """It cannot be read, or nobody whom we know has signed it; a changed name is a stranger's."""
    for raw in with_one_bit_changed(str(signed())):
        with pytest.raises((VerificationError, UnicodeDecodeError)):
            Note.parse(raw.decode()).verify(LOG)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "text\n",
        "text\n\n",
        "text\n\n— a\n",
        "text\n\n— a !!!!\n",
        "text\n\n- a AAAAAAAA\n",
        "text\n\n— a b AAAAAAAA\n",
        "text\n\n— a AAAAAAAA",
        "te\0xt\n\n— a AAAAAAAA\n",
        "te\rxt\n\n— a AAAAAAAA\n",
        "text\n\n— a AAAAAAB=\n",
        "text\n\n" + "— a AAAAAAAA\n" * (MAX_SIGNATURES + 1),
        "x" * 70_000 + "\n\n— a AAAAAAAA\n",
    ],
)
def test_what_is_no_note(text: str) -> None:
    with pytest.raises(VerificationError):
        Note.parse(text)


ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n",
        f"origin\n01\n{ROOT}\n",
        f"origin\n-1\n{ROOT}\n",
        f"origin\n{2**53}\n{ROOT}\n",
        f"origin\n1\n{ROOT[:-4]}\n",
        f"origin\n1\n{ROOT.replace('2I=', '2J=')}\n",
        f"origin\n1\n{ROOT}\nan extension\n",
        f"two words\n1\n{ROOT}\n",
        f"\n1\n{ROOT}\n",
    ],
)
def test_what_is_no_head(text: str) -> None:
    with pytest.raises(VerificationError):
        Checkpoint.of(Note(text))


def proof(index: int = 4) -> EntryProof:
    return EntryProof(index, tuple(tree.inclusion_proof(index, 11, node)), signed(), ENTRIES[index])


@pytest.mark.parametrize("index", range(11))
def test_a_proof_is_one_file_that_needs_nothing_else(index: int) -> None:
    text = str(proof(index))
    assert text.startswith("c2sp.org/tlog-proof@v1\nextra ")
    assert EntryProof.parse(text) == proof(index)
    assert EntryProof.parse(text).check(LOG) == head()


def test_a_proof_holds_for_its_entry_its_place_and_its_record() -> None:
    other = log_key("other", key("coordinator").public)
    elsewhere = Checkpoint(origin("other"), 11, head().root).note.signed(other, key("coordinator"))
    for changed in (
        replace(proof(), extra=ENTRIES[5]),
        replace(proof(), index=5),
        replace(proof(), hashes=proof().hashes[1:]),
        replace(proof(), hashes=(*proof().hashes, bytes(32))),
        replace(proof(), note=head(10).note.signed(LOG, key("coordinator"))),
        replace(proof(), note=head().note.signed(LOG, key("thief"))),
        replace(proof(), note=elsewhere),
    ):
        with pytest.raises(VerificationError):
            EntryProof.parse(str(changed)).check(LOG)


def test_one_changed_bit_and_a_proof_does_not_hold() -> None:
    for raw in with_one_bit_changed(str(proof())):
        with pytest.raises((VerificationError, UnicodeDecodeError)):
            EntryProof.parse(raw.decode()).check(LOG)


def test_a_proof_that_was_cut_short_anywhere() -> None:
    text = str(proof())
    for cut in range(len(text)):
        with pytest.raises(VerificationError):
            EntryProof.parse(text[:cut]).check(LOG)
