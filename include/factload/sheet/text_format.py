"""The declared format of numbers, dates and truth values in texts; ``text_values`` parses them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

TRUE, FALSE = ("true", "1"), ("false", "0")  # the words for them, where a feed names none
NegativeSign = Literal["leading", "trailing", "parentheses"]


@dataclass(frozen=True, slots=True)
class TextFormat:
    """How numbers, dates and truth values are written in text.

    ``thousands`` "" means that digits are not grouped, ``date`` "" that dates are ISO 8601. ``negative``: where a minus
    may stand, other than before the number. ``minus``: words beside a number that say that it is negative, and ``plus``
    that it isn't; with these every number has one of either. ``strip``: what may stand around a number and says nothing
    of it. ``percent``: a number has a percent sign, and means hundredths. ``true`` and ``false``: words for them, in
    the place of the usual ones.
    """

    decimal: str = "."
    thousands: str = ""
    date: str = ""
    negative: NegativeSign = "leading"
    strip: tuple[str, ...] = ()
    percent: bool = False
    true: tuple[str, ...] = ()
    false: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()
    plus: tuple[str, ...] = ()

    @property
    def is_marked(self) -> bool:
        """Whether anything but digits, their separators and a leading sign may belong to a number."""
        return bool(self.strip) or self.percent or bool(self.minus) or self.negative != "leading"

    @property
    def unsigned(self) -> str:
        """What the digits of a number look like, with their separators (RE2)."""
        point, group = re.escape(self.decimal), re.escape(self.thousands)
        # The first group says that there are thousands, so it doesn't begin with 0: 0.005 is written otherwise.
        whole = f"(?:[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+|[0-9]+)" if group else "[0-9]+"
        return rf"(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)"

    @property
    def pattern(self) -> str:
        """What a number looks like that has no mark (RE2)."""
        return rf"\A[+-]?{self.unsigned}(?:[eE][+-]?[0-9]{{1,4}})?\z"


UNGROUPED = TextFormat()
