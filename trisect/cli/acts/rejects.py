"""The rejects file: line, kind and reason of every row that was not taken, never the value."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from trisect.cli import files
from trisect.errors import BadInputError
from trisect.wire.v1 import collections_pb2 as pb

SUFFIX = ".rejects.csv"


class RejectsFile:
    """Written as rejects come in, named when the import has ended; not made where there are none.

    Args:
        path: its name; a file that has it is replaced.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._beside: Path | None = None
        self._stream: TextIO | None = None

    def __enter__(self) -> Self:
        """Begin; nothing is made yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Name the file if all went well, else take it away: the next run lists its rows again."""
        if self._stream is None or self._beside is None:
            return
        self._stream.close()
        if error is None:
            self._beside.replace(self.path)
        else:
            self._beside.unlink(missing_ok=True)

    @property
    def exists(self) -> bool:
        """Whether any row was rejected."""
        return self._stream is not None

    def add(self, rejects: Iterable[pb.Reject]) -> None:
        """List rows that were rejected; raises BadInputError where no file can be made for them."""
        rows = [(reject.where, reject.kind, reject.reason) for reject in rejects]
        if not rows:
            return
        if self._stream is None:
            self._stream = self._begin()
        csv.writer(self._stream).writerows(rows)

    def _begin(self) -> TextIO:
        try:
            files.check_place(self.path)
            self._beside, stream = files.scratch(self.path)
        except BadInputError as error:
            raise BadInputError(
                f"a row was rejected, and its line and reason cannot be listed: {error.message}",
                hint="give --rejects PATH in a folder that you may write to, and import again: no row is lost",
            ) from error
        stream.write("line,kind,reason\n")
        return stream
