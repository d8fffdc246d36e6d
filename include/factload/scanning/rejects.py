"""The rejects of a scan: as many as the sheet has rows at worst, so they wait in a temporary file, not in memory."""

from __future__ import annotations

import tempfile
from threading import Lock
from typing import IO, Any

import pyarrow as pa

from factload.errors import TransientError
from factload.sheet.reject import NOTED

REJECTS = pa.schema([("sheet", pa.string()), ("row", pa.int32()), *((name, pa.string()) for name in NOTED)])


class Rejects:
    """Filled by the thread that reads the sheet, and read by any, meanwhile or afterwards.

    The file has no name, and goes with this object.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._file: IO[bytes] | None = None
        self._writer: Any = None

    def add(self, found: pa.Table) -> None:
        """Keep some more, in the schema ``REJECTS``. Raises ``TransientError`` ``temporary_folder``."""
        with self._lock:
            try:
                if self._file is None:
                    self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it is read after this
                    self._writer = pa.ipc.new_stream(self._file, REJECTS)
                self._writer.write_table(found)
                self._file.flush()
            except OSError as error:
                raise TransientError(
                    "temporary_folder",
                    f"the rejects of the scan can't be written into {tempfile.gettempdir()} ({error.strerror})",
                    remedy="Free space there, or name another folder in TMPDIR",
                ) from error

    def __del__(self) -> None:
        if self._file is not None:
            self._file.close()

    def table(self) -> pa.Table:
        """All that were kept so far."""
        with self._lock:
            if self._file is None:
                return REJECTS.empty_table()
            self._file.seek(0)
            try:
                return pa.ipc.open_stream(self._file).read_all()
            finally:
                self._file.seek(0, 2)
