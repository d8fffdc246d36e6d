"""The declared format of numbers and dates in texts; ``text_values`` parses them."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TextFormat:
    """How numbers and dates are written in text. ``thousands`` "" means that digits are not grouped, ``date`` "" that
    dates are ISO 8601."""

    decimal: str = "."
    thousands: str = ""
    date: str = ""

    @property
    def pattern(self) -> str:
        """What a number looks like (RE2)."""
        point, group = re.escape(self.decimal), re.escape(self.thousands)
        # The first group says that there are thousands, so it doesn't begin with 0: 0.005 is written otherwise.
        whole = f"(?:[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+|[0-9]+)" if group else "[0-9]+"
        return rf"\A[+-]?(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]{{1,4}})?\z"


UNGROUPED = TextFormat()
