"""What one check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from factload.errors import FactloadError, FeedError

State = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """``check`` is what was looked at, ``about`` which one of these: a feed's name, a connection's, a folder.

    ``exit_status``: what the command ends with because of it; 0 unless it is a problem.
    """

    check: str
    about: str
    state: State
    seen: str
    remedy: str = ""
    exit_status: int = 0

    @classmethod
    def ok(cls, check: str, about: str, seen: str) -> Self:
        """As it should be."""
        return cls(check, about, "ok", seen)

    @classmethod
    def warning(cls, check: str, about: str, seen: str, remedy: str) -> Self:
        """Loads work, and a person should look at it."""
        return cls(check, about, "warning", seen, remedy)

    @classmethod
    def problem(
        cls, check: str, about: str, seen: str, remedy: str, exit_status: int = FeedError.exit_status
    ) -> Self:
        """Loads can't work like this."""
        return cls(check, about, "problem", seen, remedy, exit_status)

    @classmethod
    def of(cls, check: str, about: str, error: FactloadError) -> Self:
        """The problem that ``error`` tells of, in one line."""
        first = error.parts[0]
        if len(error.parts) > 1:
            seen, remedy = " ".join(str(error).split()), ""
        else:
            expected = f"; expected {first.expected}" if first.expected else ""
            seen, remedy = " ".join(f"{first.seen}{expected}".split()), first.remedy
        return cls.problem(check, about, seen, remedy, error.exit_status)

    def to_json(self) -> dict[str, str]:
        """As a mapping of texts."""
        return {
            "check": self.check,
            "about": self.about,
            "state": self.state,
            "seen": self.seen,
            "remedy": self.remedy,
        }
