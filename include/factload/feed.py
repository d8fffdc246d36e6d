"""What a feed file says, validated. ``feed_file`` reads it; errors there name file, line, field and remedy."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from string import Formatter
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from factload.sql_types import SqlType, parse_sql_type

NormalizeStep = Literal["trim", "collapse_spaces", "upper", "lower", "nfc"]
MAX_FEED_NAME = 40
_NAME = re.compile(rf"[a-z][a-z0-9_]{{0,{MAX_FEED_NAME - 1}}}")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)


class RejectLimit(_Part):
    """How many rejected rows a load may have: ``count`` rows, or ``share`` of its source rows (0 to 1)."""

    count: int | None = None
    share: float | None = None

    def exceeded(self, rejected: int, source: int) -> bool:
        """Whether ``rejected`` of ``source`` rows are too many. A limit that is met exactly is kept."""
        allowed = self.count if self.count is not None else (self.share or 0.0) * source
        return rejected > allowed

    def __str__(self) -> str:
        return f"{self.count} rows" if self.count is not None else f"{(self.share or 0) * 100:g}%"


def _reject_limit(value: object) -> object:
    if isinstance(value, RejectLimit):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return RejectLimit(count=value)
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?\s*%", value.strip()):
        share = float(value.strip().rstrip("% ")) / 100
        if share <= 1:
            return RejectLimit(share=share)
    raise ValueError("expected a number of rows such as 100, or a share of them such as 0.5%")


def _sql_type(value: object) -> object:
    return parse_sql_type(value) if isinstance(value, str) else value


def _sequence(value: object) -> object:
    # YAML knows lists only; frozen models hold tuples.
    return tuple(value) if isinstance(value, list) else value


class WorkbookPart(_Part):
    """Where the workbook of a period lies, and which sheet of it is read."""

    path: str
    sheet: str | int = 0
    missing: Literal["fail"] = "fail"

    @field_validator("path")
    @classmethod
    def _only_the_period_varies(cls, path: str) -> str:
        for _, name, spec, conversion in Formatter().parse(path):
            if name is not None and (name != "period" or conversion or "{" in (spec or "")):
                raise ValueError(f"{{{name}}} is not known here; only {{period}} is, or {{period:%Y%m%d}}")
        return path

    def for_period(self, period: date) -> str:
        """The path of one period's workbook."""
        return self.path.format(period=period)


class Dimension(_Part):
    """One dimension: its table and the sheet's column that holds its business key."""

    table: str
    business_key: str
    surrogate_key: str
    column: str
    normalize: Annotated[tuple[NormalizeStep, ...], BeforeValidator(_sequence)] = ()
    unmatched: Literal["reject", "fail"] = "reject"
    as_of: None = None


class FactColumn(_Part):
    """What fills one column of the fact table: a dimension's surrogate key, or a column of the sheet."""

    dimension: str | None = None
    column: str | None = None
    type: Annotated[SqlType | None, BeforeValidator(_sql_type)] = None
    required: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.dimension is None) == (self.column is None):
            raise ValueError("a fact column is filled by either `dimension: NAME` or `column: HEADER`")
        if self.column is not None and self.type is None:
            raise ValueError("`type` is missing: a column of the sheet is read as a declared SQL type")
        if self.dimension is not None and (self.type is not None or self.required):
            raise ValueError("`type` and `required` go with `column`; a surrogate key is always required")
        return self


class Fact(_Part):
    """The fact table, and what fills its columns."""

    connection: str
    table: str
    columns: dict[str, FactColumn] = Field(min_length=1)
    mode: Literal["replace"] = "replace"
    load_column: str


class Feed(_Part):
    """A spreadsheet that arrives again and again, and where its rows go."""

    feed: str
    schedule: str | None = None
    workbook: WorkbookPart
    dimensions: dict[str, Dimension] = Field(default_factory=dict)
    fact: Fact
    max_rejects: Annotated[RejectLimit, BeforeValidator(_reject_limit)] = RejectLimit(count=0)
    rows_per_partition: int = Field(default=100_000, ge=2_000, le=1_048_576)
    rows_per_chunk: int = Field(default=20_000, ge=100, le=100_000)
    parallelism: int = Field(default=4, ge=1, le=64)
    insert: Literal["core", "copy"] = "core"

    @field_validator("feed")
    @classmethod
    def _a_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"a feed's name is lower-case letters, digits and _, at most {MAX_FEED_NAME}, a letter first"
            )
        return name

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        used = {c.dimension for c in self.fact.columns.values() if c.dimension}
        if unknown := sorted(used - set(self.dimensions)):
            raise ValueError(f"fact.columns names dimension {unknown[0]!r}, which `dimensions` does not have")
        if unused := sorted(set(self.dimensions) - used):
            raise ValueError(f"dimension {unused[0]!r} fills no column of the fact table")
        if self.fact.load_column in self.fact.columns:
            raise ValueError("fact.load_column is filled by the load itself; fact.columns may not name it")
        return self

    def header_of(self, fact_column: str) -> str:
        """The sheet's column that fills ``fact_column``, or holds its business key."""
        source = self.fact.columns[fact_column]
        return self.dimensions[source.dimension].column if source.dimension else source.column or ""

    def load_id(self, period: date) -> str:
        """The identity of the load of ``period``: the same for a retry, a manual run and a backfill."""
        return f"{self.feed}@{period.isoformat()}"

    @property
    def fingerprint(self) -> str:
        """Digest of what decides which rows come out; how they are scheduled and cut does not."""
        deciding: dict[str, Any] = self.model_dump(
            include={"feed": True, "workbook": {"sheet"}, "dimensions": True, "fact": True}
        )
        return hashlib.sha256(repr(deciding).encode()).hexdigest()
