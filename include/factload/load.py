"""The values that cross from step to step. Small and JSON-able: they travel between processes, and as XCom."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Self

from factload.errors import FeedError, WorkbookError


@dataclass(frozen=True, slots=True)
class Load:
    """One attempt at one load: what every step after ``open_load`` is told.

    ``workbook`` is what the feed or the call named, ``sources`` the workbooks that it meant; ``workbook_sha256``
    identifies all of them, ``corrections`` the rows that people corrected ("": none). ``content`` identifies
    workbooks, feed definition and corrections together. What two attempts with the same content have staged is
    interchangeable, so the later one goes on where the earlier one ended.
    """

    load_id: str
    epoch: int
    feed: str
    period: str
    workbook: str
    workbook_sha256: str
    content: str
    already_published: bool
    sources: tuple[SourceFile, ...] = ()
    corrections: str = ""

    @property
    def staging_table(self) -> str:
        """Name of the table, in the staging schema, that holds the staged rows of this content."""
        return self.staging_table_of(self.load_id, self.content)

    @staticmethod
    def staging_table_of(load_id: str, content: str) -> str:
        """The same, for any content that the load ever had."""
        return "load_" + hashlib.sha256(f"{load_id} {content}".encode()).hexdigest()[:24]

    @property
    def members_table(self) -> str:
        """Name of the table beside it that holds what the rows of this content say of members."""
        return self.members_table_of(self.load_id, self.content)

    @staticmethod
    def members_table_of(load_id: str, content: str) -> str:
        """The same, for any content that the load ever had."""
        return "members_" + Load.staging_table_of(load_id, content).removeprefix("load_")

    @property
    def period_date(self) -> date:
        """The business date."""
        return date.fromisoformat(self.period)

    def to_json(self) -> dict[str, Any]:
        """As a mapping of plain values; ``from_json`` is its inverse."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The load that ``to_json`` gave."""
        return cls(**value | {"sources": tuple(SourceFile(**source) for source in value["sources"])})


@dataclass(frozen=True, slots=True)
class DimensionMap:
    """One dimension, frozen: an Arrow file (``dimension.map_file`` says of what), and the digest of its bytes."""

    dimension: str
    path: str
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class PartitionCounts:
    """One partition, counted. ``totals``: measure → exact sum of the staged rows, as decimal text; ``weighted``:
    column → sum of row number × value (``weighted_checksums``); ``unknown``: dimension → rows with its member for the
    unknown; ``left_out``: rows that are no data, such as totals; ``delivered``: measure → exact sum
    of all rows that are, rejected ones too, where a witness speaks of it."""

    partition_id: str
    label: str
    source: int
    blank: int
    rejected: int
    staged: int
    totals: dict[str, str]
    weighted: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    left_out: int = 0
    delivered: dict[str, str] = field(default_factory=dict)


def content_of(workbook_sha256: str, feed_fingerprint: str, corrections: str) -> str:
    """The identity of what a load's rows are made of: 32 hex digits."""
    parts = (workbook_sha256, feed_fingerprint, *([corrections] if corrections else []))
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:32]


def parse_load_id(load_id: str) -> tuple[str, date]:
    """The feed's name and the period that a load's identity says; raises ``FeedError``."""
    feed, _, period = load_id.partition("@")
    try:
        return feed, date.fromisoformat(period)
    except ValueError:
        raise FeedError(
            "load_unknown",
            f"{load_id!r} is no load",
            expected="FEED@YYYY-MM-DD, such as sales@2026-11-05",
            remedy="See `factload status`",
        ) from None


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One workbook of a load. ``path`` is relative to the project's folder where it lies below it, or a URL.

    ``corrects``: an older factload took corrected rows out of it; this one can't (``require_none_of_old``).
    """

    path: str
    sha256: str
    bytes: int
    corrects: bool = False


def sha256_of_sources(sources: Sequence[SourceFile]) -> str:
    """What a load's workbooks are known by: one by its own SHA-256, several by that of all names and SHA-256s."""
    if len(sources) == 1:
        return sources[0].sha256
    listed = json.dumps([(source.path, source.sha256) for source in sources])
    return hashlib.sha256(listed.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PartitionFile:
    """One finished partition: consecutive rows of one sheet in one Arrow IPC file, and what was counted.

    ``source`` rows carry a value, counted from the bytes; ``blank`` of them hold nothing in a mapped column;
    ``left_out`` are no data, reason → rows; the others, ``rows``, are in the file, ``rejected`` of these with a reason.
    ``workbook``: its path as the project names it.
    """

    partition_id: str
    label: str
    path: str
    sha256: str
    workbook: str
    sheet: str
    first_row: int
    last_row: int
    source: int
    blank: int
    rejected: int
    rows: int
    left_out: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WitnessCell:
    """A cell that may hold the owner's number. ``workbook``, ``sheet``: of which rows ("": of all); ``place``: where it
    stands; ``kind`` (``factload.sheet.block.Kind``) and ``text``: what it holds; ``problem``: why it can't be read;
    ``asked``: of a row of totals, the column by which the feed asks for it."""

    workbook: str
    sheet: str
    place: str
    kind: int
    text: str
    problem: str = ""
    asked: str | tuple[str, ...] | int | None = None


@dataclass(frozen=True, slots=True)
class WitnessValue:
    """The owner's number as exact decimal text, or the ``problem`` with it; ``witness``: which of the feed's witnesses
    it is, from 0; the rest as of its cell."""

    workbook: str
    sheet: str
    place: str
    number: str
    problem: str
    witness: int = 0


@dataclass(frozen=True, slots=True)
class Split:
    """All partitions, in the order of workbooks, sheets and rows, and what a person should know about them.

    ``defects``: what only the end of a sheet told, after its rows were written. A load stops at them. ``totals``: of
    each sheet the cells of its row of totals that witnesses ask for.
    """

    partitions: tuple[PartitionFile, ...]
    warnings: tuple[str, ...]
    defects: tuple[WorkbookError, ...] = ()
    totals: tuple[WitnessCell, ...] = ()

    @property
    def source(self) -> int:
        return sum(p.source for p in self.partitions)

    @property
    def blank(self) -> int:
        return sum(p.blank for p in self.partitions)

    @property
    def left_out(self) -> dict[str, int]:
        """Reason → rows that are no data."""
        found: Counter[str] = Counter()
        for partition in self.partitions:
            found.update(partition.left_out)
        return dict(found)

    @property
    def rejected(self) -> int:
        return sum(p.rejected for p in self.partitions)

    @property
    def rows(self) -> int:
        return sum(p.rows for p in self.partitions)
