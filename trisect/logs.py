"""Structured logs: a constant sentence plus fields, one JSON object a line, and nothing that identifies.

Every record passes `_clean`: bytes are shown by length only, and what looks like a token, a key or a long
number is masked, whoever wrote it; a date is none. A traceback keeps files and lines; messages of foreign exceptions are
dropped, since libraries like to quote their input.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import re
import sys
import traceback
from pathlib import Path
from typing import Any

from trisect.clock import system_clock, to_text
from trisect.errors import TrisectError

MAX_LOG_BYTES = 20 * 1024 * 1024
KEPT_LOGS = 5
_MASK = "<redacted>"
_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "taskName"}
_COUNTS = frozenset(
    (
        "accepted",
        "bytes",
        "duplicates",
        "elements",
        "entries",
        "epoch",
        "pid",
        "port",
        "rejected",
        "rows",
        "seconds",
    )
)
"""Fields whose numbers may be large; in any other one a number of seven digits may be somebody's telephone."""
_RANDOM_IDS = {
    "exchange_id": re.compile(r"[0-9a-f]{32}"),
    "correlation_id": re.compile(r"[0-9a-f]{16}"),
    "credential": re.compile(r"[0-9a-f]{32}"),
}
"""Fields that hold what this software has drawn at random, whole and in its form; one in five looks like a number."""
_SHORTEST_NUMBER = 1_000_000
_NUMBER = re.compile(r"(?<![\d.])\d{7,}")
# A date or moment of ISO 8601 with its dashes, which is kept; bytes as Python shows them, 40 and more characters
# of hex or base64 (tokens, keys), or eight and more digits however grouped.
_SECRET = re.compile(
    r"(?P<date>(?<![A-Za-z0-9+])(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
    r"(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"(?![A-Za-z0-9+/_=-]|[\s()./\u2010-\u2015-]{1,3}\d))"
    r"""|\bb(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    r"|[A-Za-z0-9+/_=-]{40,}"
    r"|\+?\d(?:[\s()./\u2010-\u2015-]{0,3}\d){7,}"
)


class Redactor(logging.Formatter):
    """Writes a record as one line of JSON, cleaned."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        fields: dict[str, Any] = {
            "at": to_text(system_clock()),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _clean(record.getMessage()),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD:
                fields[name] = value if _is_harmless(name, value) else _clean(value)
        if record.exc_info and record.exc_info[1] is not None:
            fields["error"] = describe(record.exc_info[1])
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def describe(error: BaseException) -> list[str]:
    """Describe an exception and its causes by place and type; only our own keep their message."""
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        own = f": {_clean(current.message)}" if isinstance(current, TrisectError) else ""
        lines.append(type(current).__name__ + own)
        lines.extend(
            f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}"
            for frame in traceback.extract_tb(current.__traceback__)
        )
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return lines


def set_up(folder: Path | None, name: str, *, level: str = "info") -> None:
    """Send all logs of this process to `folder/name.log`, rotated, and warnings to stderr too."""
    root = logging.getLogger()
    set_level(level)
    root.handlers.clear()
    console = logging.StreamHandler(sys.stderr)
    console.setLevel(logging.WARNING)
    handlers: list[logging.Handler] = [console]
    if folder is not None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handlers.append(
            logging.handlers.RotatingFileHandler(
                folder / f"{name}.log", maxBytes=MAX_LOG_BYTES, backupCount=KEPT_LOGS, encoding="utf-8"
            )
        )
    for handler in handlers:
        handler.setFormatter(Redactor())
        root.addHandler(handler)
    for noisy in ("sqlalchemy", "alembic", "grpc", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _is_harmless(field: str, value: Any) -> bool:
    if field in _COUNTS:
        return _is_number(value)
    form = _RANDOM_IDS.get(field)
    return form is not None and isinstance(value, str) and form.fullmatch(value) is not None


def set_level(level: str) -> None:
    """Change the level of a log that was set up."""
    logging.getLogger().setLevel(level.upper())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _clean(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if _is_number(value):
        return value if abs(value) < _SHORTEST_NUMBER else _MASK
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    text = _SECRET.sub(lambda match: match["date"] or _MASK, str(value))
    return text if isinstance(value, str) else _NUMBER.sub(_MASK, text)
