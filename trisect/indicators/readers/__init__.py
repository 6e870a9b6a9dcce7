"""Reads fraud lists as they come: CSV, JSON Lines, STIX 2.1, MISP and plain lines.

Readers turn bytes into raw rows and say which rows cannot be read, and why; they never judge a value. What a
cell means (canonical form, unknown kinds, formula cells, a `ref` that is the identifier itself) is the
business of `trisect.indicators.entries`. Values never appear in an error, a reason or a log.
"""

from __future__ import annotations

from trisect.indicators.readers.batch import Batch, Reading, Reason, Unreadable, rows
from trisect.indicators.readers.headers import FIELDS
from trisect.indicators.readers.opening import BATCH_ROWS, ReaderName, open_reading, read_batches

__all__ = [
    "BATCH_ROWS",
    "FIELDS",
    "Batch",
    "ReaderName",
    "Reading",
    "Reason",
    "Unreadable",
    "open_reading",
    "read_batches",
    "rows",
]
