"""Limits on workbooks, checked before memory is allocated. Each is a setting."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

from factload.environment import default_number, limit_name, number

MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384  # Excel's own


def _default(field: str) -> int:
    return default_number(limit_name(field))


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a workbook may hold; docs/limits.md says what each bounds. 1,048,576 × 40 cells pass the defaults.

    Rows and columns of other sheets end where Excel's do. Real sheets deflate to a twentieth; deflate itself ends
    at 1032 to 1.
    """

    file_bytes: int = _default("file_bytes")
    members: int = _default("members")
    sheet_bytes: int = _default("sheet_bytes")
    strings_bytes: int = _default("strings_bytes")
    small_part_bytes: int = _default("small_part_bytes")
    row_bytes: int = _default("row_bytes")
    text_chars: int = _default("text_chars")
    merged_ranges: int = _default("merged_ranges")
    window_text_bytes: int = _default("window_text_bytes")
    ratio: int = _default("ratio")
    ratio_from_bytes: int = _default("ratio_from_bytes")
    cells: int = _default("cells")
    cells_per_byte: int = _default("cells_per_byte")
    process_bytes: int = _default("process_bytes")
    process_seconds: int = _default("process_seconds")
    process_seconds_per_mb: int = _default("process_seconds_per_mb")

    @classmethod
    def from_environment(cls) -> Self:
        """The limits of this process: ``FACTLOAD_LIMIT_ROW_BYTES`` sets ``row_bytes``. Raises FeedError."""
        return cls(**{field.name: number(limit_name(field.name)) for field in fields(cls)})
