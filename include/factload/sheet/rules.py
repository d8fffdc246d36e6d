"""What a feed asks of the values of one column, beyond their type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from factload.vectors import Flags, as_flags


@dataclass(frozen=True, slots=True)
class Rules:
    """Bounds (inclusive), the values that are allowed, and an RE2 expression that the whole text must match.

    Blank cells keep every rule: whether they are allowed is ``required``'s to say.
    """

    minimum: Any = None
    maximum: Any = None
    allowed: tuple[Any, ...] = ()
    pattern: str | None = None

    def broken(self, values: pa.Array[Any]) -> Iterator[tuple[str, Flags]]:
        """For each rule the reason's code, and which of the typed ``values`` break it."""
        if self.minimum is not None:
            yield "below_minimum", _true(pc.less(values, pa.scalar(self.minimum, values.type)))
        if self.maximum is not None:
            yield "above_maximum", _true(pc.greater(values, pa.scalar(self.maximum, values.type)))
        if self.allowed:
            known = pc.is_in(values, value_set=pa.array(self.allowed, values.type))
            yield "not_allowed", as_flags(pc.and_(pc.invert(known), pc.is_valid(values)))
        if self.pattern is not None:
            matched = pc.match_substring_regex(values, whole(self.pattern))
            yield "pattern_mismatch", _true(pc.invert(matched))


def whole(pattern: str) -> str:
    """The expression that matches a text from its beginning to its end."""
    return rf"\A(?:{pattern})\z"


def _true(found: pa.Array[Any]) -> Flags:
    return as_flags(pc.fill_null(found, False))
