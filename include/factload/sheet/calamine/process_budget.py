"""The memory and time that the calamine process may use, by the file's size, and the error when it needs more."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import IO, Self

from factload.errors import WorkbookError
from factload.sheet.file_errors import hostile
from factload.sheet.limits import Limits
from factload.sheet.rows import too_much_text

# calamine keeps a cell in 32 bytes, a sheet in several copies, and the empty cells between two that are filled too.
_CELL_BYTES, _COPIES = 32, 5
_ANY_FILE_CELLS, _ANY_FILE_BYTES, _ANY_FILE_SECONDS = 1_000_000, 64 << 20, 5
_SAID = 4000  # bytes of what the process said last


@dataclass(frozen=True, slots=True)
class ProcessBudget:
    """Rows × columns of a sheet, bytes of memory beyond the program's own, seconds of processor time."""

    cells: int
    memory: int
    seconds: int

    @classmethod
    def of(cls, size: int, limits: Limits) -> Self:
        """The budget of a file of ``size`` bytes, inflated."""
        cells = max(_ANY_FILE_CELLS, limits.cells_per_byte * size)
        return cls(
            cells,
            memory=_ANY_FILE_BYTES + _COPIES * _CELL_BYTES * cells,
            seconds=_ANY_FILE_SECONDS + limits.process_seconds_per_mb * size // 1_000_000,
        )


def ended(status: int, said: IO[bytes], limits: Limits, budget: ProcessBudget) -> WorkbookError:
    """Why the process ended, by its exit status and what it said last on standard error."""
    said.seek(max(0, said.seek(0, os.SEEK_END) - _SAID))
    last = said.read().decode("utf-8", "replace").strip().splitlines()
    name = last[-1].split(":")[0] if last else ""
    if not name.removeprefix("limit ").replace(".", "_").isidentifier():
        name = ""  # a panic's own report goes on below its name
    if name == "PasswordError":
        return WorkbookError(
            "workbook_encrypted",
            "The workbook is protected by a password",
            remedy="Save it without a password",
        )
    if status == -signal.SIGXCPU or (status == -signal.SIGKILL and not last):
        return _too_long(status, limits, budget)
    if (
        name.startswith("limit ")
        or status < 0
        or name in ("MemoryError", "ArrowMemoryError", "PanicException")
    ):
        return _too_much(name, limits, budget)
    return WorkbookError(
        "workbook_damaged",
        f"The workbook can't be read ({name or 'no reason given'})",
        expected="a whole, unaltered workbook",
        remedy="Open it in the program that made it, and save it as .xlsx",
    )


def _too_long(status: int, limits: Limits, budget: ProcessBudget) -> WorkbookError:
    if status == -signal.SIGXCPU and budget.seconds < limits.process_seconds:
        return hostile(
            "Reading the workbook took more time than a file of this size can need",
            f"at most {budget.seconds:,} s of processor time",
            "process_seconds_per_mb",
        )
    return hostile(
        "Reading the workbook took too long", f"at most {limits.process_seconds:,} s", "process_seconds"
    )


def _too_much(name: str, limits: Limits, budget: ProcessBudget) -> WorkbookError:
    if name == "limit text_chars":
        return hostile(
            "A cell's text is longer than the limit",
            f"at most {limits.text_chars:,} characters",
            "text_chars",
        )
    if name == "limit window_text_bytes":
        return too_much_text(limits.window_text_bytes)
    if name == "limit cells":
        return hostile("The sheet spans more cells than the limit", f"at most {limits.cells:,}", "cells")
    if name == "limit cells_per_byte" or budget.memory < limits.process_bytes:
        return hostile(
            "A sheet spans far more cells than a file of this size can fill, or the file breaks off its reading",
            f"at most {budget.cells:,} cells, empty ones too, from the first row and column to the last",
            "cells_per_byte",
        )
    return hostile(
        "The process that read the workbook came to its limit, or broke off over what the file holds",
        f"at most {limits.process_bytes:,} bytes of memory",
        "process_bytes",
    )
