"""Bytes to lines: which encoding a file has, and its lines in blocks with their ends kept.

Lines end at CR LF, LF or CR, as spreadsheets write them, and at nothing else. Nothing here knows what a line
means.
"""

from __future__ import annotations

import codecs
import io
import re
import unicodedata
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from trisect.errors import BadInputError

SAMPLE_BYTES: Final = 1 << 16
BLOCK_BYTES: Final = 1 << 16
MAX_LINE_CHARS: Final = 1 << 20
REPLACEMENT: Final = "\ufffd"  # stands where bytes do not decode

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16 LE, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_FALLBACK: Final = "trisect.cp1252"
_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]")
_LATIN_TOUCHES_WIDE: Final = re.compile(r"[A-Za-z][^\x00-\x7f]|[^\x00-\x7f][A-Za-z]")


class Encoding(NamedTuple):
    """How to decode a file.

    Attributes:
        codec: Python's name of it.
        errors: what stands for bytes it does not know: `replace`, or cp1252 where nothing so far spoke for
            UTF-8 but that it is ASCII.
        mark_bytes: length of the byte order mark to skip.
    """

    codec: str
    errors: str
    mark_bytes: int


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Decode one stray byte as cp1252: a late accent in a file that began as ASCII."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    stray = error.object[error.start : error.start + 1]
    return stray.decode("cp1252", "replace"), error.start + 1


codecs.register_error(_FALLBACK, _as_cp1252)


def sniff_encoding(sample: bytes) -> Encoding:
    """Tell the encoding from the first bytes of a file.

    A byte order mark decides; then NUL bytes on one side of each pair (UTF-16); then whether the bytes are
    UTF-8, but for a few broken ones; then Chinese column names (GB 18030); what is left is cp1252, the Latin-1 of spreadsheets.
    """
    for mark, codec in _BOMS:
        if sample.startswith(mark):
            return Encoding(codec, "replace", len(mark))
    high, low = sample[::2].count(0), sample[1::2].count(0)
    pairs = len(sample) // 2
    if max(high, low) * 10 >= pairs and max(high, low) > 4 * min(high, low):
        return Encoding("utf-16-be" if high > low else "utf-16-le", "replace", 0)
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(sample)
    broken = text.count(REPLACEMENT)
    if broken and broken > sum(not letter.isascii() for letter in text) - broken:
        return Encoding(_east_or_west(sample), "replace", 0)
    return Encoding("utf-8", _FALLBACK if sample.isascii() else "replace", 0)


def _east_or_west(sample: bytes) -> str:
    """Choose GB 18030 where the first line has Chinese words in it that touch no ASCII letter, else cp1252.

    Read as GB 18030 an accented letter and the letter after it make one Chinese letter inside a Latin word.
    """
    first_line = sample.splitlines()[0] if sample else b""
    try:
        text = first_line.decode("gb18030")
        codecs.getincrementaldecoder("gb18030")().decode(sample)
    except UnicodeDecodeError:
        return "cp1252"
    wide = _NOT_ASCII.findall(text)
    chinese = all(unicodedata.name(letter, "").startswith(("CJK UNIFIED", "FULLWIDTH")) for letter in wide)
    return "gb18030" if len(wide) > 1 and chinese and not _LATIN_TOUCHES_WIDE.search(text) else "cp1252"


def named_encoding(name: str, sample: bytes) -> Encoding:
    """Take an encoding at its word, and skip a byte order mark of its.

    Raises:
        BadInputError: Python knows no text encoding of that name.
    """
    try:
        b"\0\0\0\0".decode(name, "replace")
        codec = codecs.lookup(name).name
    except (LookupError, ValueError) as error:
        raise BadInputError(
            "there is no encoding of that name",
            hint="such as utf-8, cp1252, cp1251, shift_jis, gb18030 or big5",
        ) from error
    marks = (len(mark) for mark, other in _BOMS if other == codec and sample.startswith(mark))
    return Encoding(codec, "replace", next(marks, 0))


class Block(NamedTuple):
    """Whole lines from the middle of a file.

    Attributes:
        lines: each with its line end; one above MAX_LINE_CHARS is cut to one character more than that.
        quoted: a double quote is among them.
        odd: a NUL, undecodable bytes or an over-long line is among them, so cells want a closer look.
        last: nothing follows.
    """

    lines: list[str]
    quoted: bool
    odd: bool
    last: bool


class TextLines:
    """The decoded lines of a byte stream, readable once, in memory of a few blocks.

    Args:
        stream: read from its present position to its end; need not be seekable.
        encoding: Python's name of it; empty tells it from the first bytes.

    Attributes:
        sample: decoded text of the first 64 KiB at most; when `complete`, all of it.
    """

    def __init__(self, stream: BinaryIO, encoding: str = "") -> None:
        self._stream = stream
        head = _read_full(stream, SAMPLE_BYTES)
        self.complete = len(head) < SAMPLE_BYTES
        self.encoding = named_encoding(encoding, head) if encoding else sniff_encoding(head)
        self._head = head[self.encoding.mark_bytes :]
        self._decoder = codecs.getincrementaldecoder(self.encoding.codec)(self.encoding.errors)
        sampler = codecs.getincrementaldecoder(self.encoding.codec)(self.encoding.errors)
        self.sample = sampler.decode(self._head, final=self.complete)

    def blocks(self) -> Iterator[Block]:
        """All lines from the first on; call it once."""
        tail = ""
        for text, last in self._texts():
            held = tail + text
            cut = len(held) if last else _last_line_end(held)
            whole, tail = held[:cut], _shorten(held[cut:])
            if whole or last:
                yield _block(whole, last=last)

    def whole_bytes(self, max_bytes: int) -> bytes:
        """The raw bytes after the byte order mark, at most one byte more than `max_bytes`."""
        return self._head + _read_full(self._stream, max_bytes + 1 - len(self._head))

    def _texts(self) -> Iterator[tuple[str, bool]]:
        chunk = self._head
        while True:
            following = self._stream.read(BLOCK_BYTES)
            yield self._decoder.decode(chunk, final=not following), not following
            if not following:
                return
            chunk = following


def _block(text: str, *, last: bool) -> Block:
    lines = io.StringIO(text, newline="").readlines()
    odd = "\0" in text or REPLACEMENT in text
    if len(text) > MAX_LINE_CHARS:
        lines = [_shorten(line) for line in lines]
        odd = True
    return Block(lines, '"' in text, odd, last)


def _last_line_end(text: str) -> int:
    """Where the last complete line ends; a CR at the very end may be half of CR LF and is left."""
    return max(text.rfind("\n"), text.rfind("\r", 0, len(text) - 1)) + 1


def _shorten(line: str) -> str:
    if len(line) <= MAX_LINE_CHARS + 1:
        return line
    return line[:MAX_LINE_CHARS] + ("\r" if line.endswith("\r") else "-")


def _read_full(stream: BinaryIO, count: int) -> bytes:
    """Read exactly `count` bytes, fewer only at the end (a pipe hands out what it has)."""
    parts: list[bytes] = []
    left = count
    while left > 0:
        part = stream.read(left)
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
