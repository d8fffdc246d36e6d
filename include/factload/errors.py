"""Every exception of the engine, grouped by what to do next.

| situation                                                  | raise                  | exit | retry |
| ---------------------------------------------------------- | ---------------------- | ---- | ----- |
| the call or the feed file is wrong; a person edits it      | ``FeedError``          | 2    | no    |
| the workbook can't be read as the feed says                | ``WorkbookError``      | 3    | no    |
| the rows or the dimension's members are not fit to publish | ``RowsRefused``        | 3    | no    |
| a receipt is not as it was written                         | ``ReceiptRefused``     | 3    | no    |
| a newer attempt owns the load                              | ``Superseded``         | 4    | no    |
| the ledger was put back to before the attempt              | ``AttemptLost``        | 4    | no    |
| staged and counted rows disagree                           | ``ReconciliationError``| 4    | no    |
| a server, a disk or a network failed                       | ``TransientError``     | 4    | yes   |
| … and it was the connection to the database                | ``ConnectionLost``     | 4    | yes   |
| … which never came about                                   | ``NotConnected``       | 4    | yes   |
| other transactions were in the way                         | ``Conflict``           | 4    | yes   |
| nobody foresaw it (``last_net``)                           | ``Unforeseen``         | 4    | yes   |

A message never holds a cell's value, a key of a row or a password: logs and task pages are read by more
people than the table is. What a cell held stands in the ledger's rejects. Only the names in a header are shown, once
one of the feed's columns is among them. No sentence has more than ``MOST_CHARS`` characters, whatever a file says.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Self

MOST_CHARS = 10_000
INTERRUPTED = "interrupted"


class FactloadError(Exception):
    """An end that was foreseen: what was seen, what was expected, what to do next.

    ``code`` is for machines and never changes its meaning; ``retry`` says whether trying again, with nothing
    else changed, can succeed; ``exit_status`` is what the command line ends with.
    """

    retry = False
    exit_status = 4

    def __init__(self, code: str, seen: str, *, expected: str = "", remedy: str = "") -> None:
        self.code = code
        self.seen, self.expected, self.remedy = _cut(seen), _cut(expected), _cut(remedy)
        self._parts: tuple[FactloadError, ...] = ()
        super().__init__(code, self.seen)

    @classmethod
    def together(cls, errors: Sequence[Self]) -> Self:
        """One error for one or more: the first one's kind and code, and what they say, the last of many left out."""
        first = errors[0]
        if len(errors) == 1:
            return first
        whole = type(first)(first.code, f"{len(errors):,} defects: " + _listed(errors))
        whole._parts = tuple(part for error in errors for part in error.parts)
        return whole

    @property
    def parts(self) -> tuple[FactloadError, ...]:
        """The errors that this one stands for: itself when it stands for no others."""
        return self._parts or (self,)

    def __str__(self) -> str:
        sentences = (self.seen, self.expected and f"Expected: {self.expected}", self.remedy)
        return " ".join(s if s[-1] in ".?" else s + "." for s in map(str.strip, sentences) if s)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        # Errors cross process borders; Exception's own pickling knows only positional arguments.
        return _rebuild, (type(self), self.code, self.seen, self.expected, self.remedy, self._parts)


def _rebuild(
    kind: type[FactloadError],
    code: str,
    seen: str,
    expected: str,
    remedy: str,
    parts: tuple[FactloadError, ...],
) -> FactloadError:
    error = kind(code, seen, expected=expected, remedy=remedy)
    error._parts = parts
    return error


def _listed(errors: Sequence[FactloadError]) -> str:
    said, left = [], MOST_CHARS - 100
    for number, error in enumerate(errors, 1):
        said.append(f"({number}) {error}")
        left -= len(said[-1]) + 1
        if left < 0 and number > 1:
            return " ".join([*said[:-1], f"… and {len(errors) - number + 1:,} more"])
    return " ".join(said)


def _cut(sentence: str) -> str:
    return sentence if len(sentence) <= MOST_CHARS else sentence[: MOST_CHARS - 1] + "…"


class FeedError(FactloadError):
    """The feed file, or the call, is wrong: edit it."""

    exit_status = 2


class WorkbookError(FactloadError):
    """The workbook is not what the feed says: ask whoever made it."""

    exit_status = 3


class RowsRefused(FactloadError):
    """Rows, or members of a dimension, are not fit to publish; nothing was."""

    exit_status = 3


class ReceiptRefused(FactloadError):
    """A receipt is not as it was written: what it says proves nothing."""

    exit_status = 3


class Superseded(FactloadError):
    """A newer attempt at the same load has taken over: nothing to do here."""


class AttemptLost(FactloadError):
    """The ledger was put back to a time before this attempt: a new one finds what there is."""


class ReconciliationError(FactloadError):
    """Counts or control totals disagree: nothing was published, the evidence is kept."""


class TransientError(FactloadError):
    """A server, a disk or a network failed: the same call may succeed later."""

    retry = True


def nearest(name: str, known: Sequence[str]) -> str | None:
    """The one of ``known`` that ``name`` may be a slip for."""
    return next(iter(difflib.get_close_matches(name, known, n=1)), None)


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """``Did you mean X?``, if one of ``known`` is near ``name``."""
    meant = nearest(name, known)
    return f"Did you mean {meant}?" if meant else ""


class ConnectionLost(TransientError):
    """The database went away, or does not answer: what was under way there is rolled back, or was committed."""


class NotConnected(ConnectionLost):
    """No connection came about: there is no server, or no way to it."""


class Conflict(TransientError):
    """A deadlock, or what serialisable transactions refuse: a step that is tried again at once goes through."""


class Unforeseen(FactloadError):
    """A fault of factload itself. The traceback is in a file, since it may hold what logs may not."""

    retry = True
