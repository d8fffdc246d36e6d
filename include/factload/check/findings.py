"""What a check found: errors collected instead of raised, rejected rows with their cells, unmatched keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from factload.diff.difference import Difference
from factload.dimension.key_hash import hash_keys
from factload.errors import FactloadError, FeedError, TransientError
from factload.load import PartitionFile, SourceFile
from factload.reports.report import Report
from factload.sheet.reject import Reject

SHOWN_PER_REASON = 10
SHOWN_KEYS = 10


class Problems:
    """The defects found so far, in order, and what a person should know besides."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.found: list[FactloadError] = []

    def note(self, error: FactloadError) -> None:
        """Add the error, or each part of a compound one."""
        self.found.extend(error.parts)

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Add the error that ends the block, and go on. A ``TransientError`` is raised instead."""
        try:
            yield
        except TransientError:
            raise
        except FactloadError as error:
            self.note(error)


@dataclass(slots=True)
class UnmatchedKeys:
    """The keys of one dimension that no member has; how often each of the first few stands in the rows."""

    rows: int = 0
    first: Counter[str] = field(default_factory=Counter)
    _hashes: npt.NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))

    @property
    def keys(self) -> int:
        """How many distinct keys."""
        return len(self._hashes)

    def add(self, raw: pa.Array) -> None:
        """Count the keys of some more rows, as the sheet spells them."""
        self.rows += len(raw)
        self._hashes = np.union1d(self._hashes, hash_keys(raw, 0))
        for counted in pc.value_counts(raw).to_pylist():
            if counted["values"] in self.first or len(self.first) < SHOWN_KEYS:
                self.first[counted["values"]] += counted["counts"]


class RejectedRows:
    """Rejects by reason; the first few of each reason are kept whole."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()
        self._kept: dict[str, list[Reject]] = {}

    def add(self, partition: PartitionFile, rejects: pa.Table) -> None:
        """Count the rejects of one partition (``sheet.reject.REJECT_SCHEMA``)."""
        for reason in rejects["reason"].unique().to_pylist():
            those = rejects.filter(pc.equal(rejects["reason"], reason))
            self.reasons[reason] += those.num_rows
            kept = self._kept.setdefault(reason, [])
            for row in those.slice(0, SHOWN_PER_REASON - len(kept)).to_pylist():
                kept.append(Reject(workbook=partition.workbook, sheet=partition.sheet, **row))

    @property
    def kept(self) -> list[Reject]:
        """The first few of each reason, the most frequent reason first."""
        return [reject for reason, _ in self.reasons.most_common() for reject in self._kept[reason]]


@dataclass(frozen=True, slots=True)
class CheckReport(Report):
    """What a load would come to, and everything that stands against it.

    ``problems``: what would stop the load. ``rejected``: the first ``SHOWN_PER_REASON`` rejected rows of each reason.
    ``unmatched``: dimension → its keys without a member. ``sources``: the workbooks that were read.
    ``change``: what publishing would change in numbers (``change.change_of``); None of a load that would be refused.
    ``difference``: what it would change row by row; None where no rows of the load stand.
    """

    problems: tuple[FactloadError, ...] = ()
    rejected: tuple[Reject, ...] = ()
    unmatched: dict[str, UnmatchedKeys] = field(default_factory=dict)
    sources: tuple[SourceFile, ...] = ()
    change: dict[str, Any] | None = None
    difference: Difference | None = None

    @property
    def exit_status(self) -> int:
        """0 when nothing stands against the load; 2 when the feed is to be edited, else 3."""
        if not self.problems:
            return 0
        return FeedError.exit_status if any(isinstance(p, FeedError) for p in self.problems) else 3

    def to_json(self) -> dict[str, Any]:
        """As a mapping of plain values, without what cells hold."""
        plain = {name: getattr(self, name) for name in _PLAIN}
        return plain | {
            "problems": [{"code": problem.code, "message": str(problem)} for problem in self.problems],
            "rejected": [_without_value(reject) for reject in self.rejected],
            "unmatched": {name: {"rows": u.rows, "keys": u.keys} for name, u in self.unmatched.items()},
            "change": self.change,
            "difference": self.difference and self.difference.without_values(),
            "sources": [{"path": s.path, "sha256": s.sha256, "bytes": s.bytes} for s in self.sources],
        }


_PLAIN = tuple(Report.__dataclass_fields__)


def _without_value(reject: Reject) -> dict[str, Any]:
    return {name: value for name, value in reject.to_json().items() if name != "raw"}
