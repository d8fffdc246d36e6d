"""How much a workbook may hold: bounds that are asked before anything is allocated. Each is a setting."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import Self

from factload.errors import FeedError

MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384  # Excel's own
PREFIX = "FACTLOAD_LIMIT_"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a workbook may hold. A sheet of 1,048,576 × 40 cells passes the defaults.

    | field | bounds |
    | --- | --- |
    | ``file_bytes`` | bytes of a workbook that is copied out of a store |
    | ``members`` | members of the zip archive |
    | ``sheet_bytes`` | bytes of one sheet's XML, or of one csv file, inflated |
    | ``strings_bytes`` | bytes of the shared strings' XML |
    | ``small_part_bytes`` | bytes of any other part: styles, the list of sheets |
    | ``row_bytes`` | bytes of one row, of one csv record |
    | ``text_chars`` | characters of one text |
    | ``merged_ranges`` | merged ranges of one sheet |
    | ``window_text_bytes`` | bytes of text that the rows of one window, or the first 50 rows, hold together |
    | ``ratio`` | how many times its stored size a part may inflate to, if it has more than ``ratio_from_bytes`` |
    | ``cells`` | rows × columns of a sheet that is read as a whole (.xls, .xlsb, .ods) |
    | ``cells_per_byte`` | the same for each byte of the file, inflated, if there are more than 1,000,000 |
    | ``process_bytes`` | memory of the process that reads such a sheet |
    | ``process_seconds`` | its time |
    | ``process_seconds_per_mb`` | its processor time for each MB of the file, inflated, beyond 5 s |

    Rows and columns of other sheets end where Excel's do. Real sheets deflate to a twentieth; deflate itself ends
    at 1032 to 1.
    """

    file_bytes: int = 4 << 30
    members: int = 10_000
    sheet_bytes: int = 8 << 30
    strings_bytes: int = 2 << 30
    small_part_bytes: int = 32 << 20
    row_bytes: int = 32 << 20
    text_chars: int = 1 << 20
    merged_ranges: int = 2_000_000
    window_text_bytes: int = 1 << 28
    ratio: int = 200
    ratio_from_bytes: int = 32 << 20
    cells: int = MAX_ROWS * 40
    cells_per_byte: int = 4
    process_bytes: int = 3 << 30
    process_seconds: int = 600
    process_seconds_per_mb: int = 20

    @classmethod
    def from_environment(cls) -> Self:
        """The limits of this process: ``FACTLOAD_LIMIT_ROW_BYTES`` sets ``row_bytes``. Raises FeedError."""
        usual = cls()
        return cls(**{f.name: _setting(f.name, getattr(usual, f.name)) for f in fields(cls)})


def setting_of(field: str) -> str:
    """The environment variable that sets a limit."""
    return PREFIX + field.upper()


def _setting(field: str, default: int) -> int:
    name = setting_of(field)
    written = os.environ.get(name, "").strip().replace("_", "")
    if not written:
        return default
    if not written.isascii() or not written.isdecimal() or len(written) > 18 or int(written) == 0:
        raise FeedError(
            "setting_invalid",
            f"The setting {name} is no whole number above 0",
            expected=f"a number such as {default}",
            remedy="Correct it in the environment, or leave it out",
        )
    return int(written)
