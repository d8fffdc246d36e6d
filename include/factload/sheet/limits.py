"""How much a workbook may hold: bounds that are asked before anything is allocated."""

from __future__ import annotations

from dataclasses import dataclass

MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384  # Excel's own


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a workbook may hold. A sheet of 1,048,576 × 40 cells passes the defaults.

    ``ratio`` (inflated to stored bytes) is asked only of parts above ``ratio_from_bytes``: real sheets reach
    20 to 1, deflate itself ends at 1032 to 1.
    """

    members: int = 10_000
    sheet_bytes: int = 8 << 30
    strings_bytes: int = 2 << 30
    small_part_bytes: int = 32 << 20
    row_bytes: int = 32 << 20
    text_chars: int = 1 << 20
    window_text_bytes: int = 1 << 28
    ratio: int = 200
    ratio_from_bytes: int = 32 << 20
