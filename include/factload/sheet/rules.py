"""What a feed asks of the values of one column, beyond their type; ``rule_checks`` finds those that don't keep it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Rules:
    """Bounds (inclusive), the values that are allowed or not, and an RE2 expression that the whole text must match.

    Blank cells keep every rule: whether they are allowed is ``required``'s to say.
    """

    minimum: Any = None
    maximum: Any = None
    allowed: tuple[Any, ...] = ()
    pattern: str | None = None
    not_allowed: tuple[Any, ...] = ()

    @property
    def whole_pattern(self) -> str | None:
        """The expression that matches a text from its beginning to its end."""
        return None if self.pattern is None else rf"\A(?:{self.pattern})\z"
