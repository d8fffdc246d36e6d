"""What a feed file says, validated. ``feed.file`` reads it; errors there name file, line, field and remedy.

The text below each field is its documentation, as is a rule's ``text``: docs/feeds.md and docs/feed.schema.json are
made of them (`make docs`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    field_validator,
    model_validator,
)

from factload.feed.agreement import (
    require_dimensions_used,
    require_kept_rows,
    require_limited_columns,
    require_members_can_change,
    require_one_origin,
)
from factload.feed.columns import FactColumn
from factload.feed.dimensions import Dimension
from factload.feed.fact import Fact
from factload.feed.limits import (
    CHANGE_SCHEMA,
    LEAST_SCHEMA,
    LIMITS_SCHEMA,
    ChangeLimits,
    LeastRows,
    RejectLimit,
    RejectLimits,
    change_limits,
    least_rows,
    reject_limits,
)
from factload.feed.part import CrossFieldError, FeedPart, sequence
from factload.feed.periods import ByPeriod, first_periods, plain, ranges_in
from factload.feed.schedule import Duration, Run, cron
from factload.feed.witness import Witness, require_fit, witnesses
from factload.feed.workbook import CsvPart, WorkbookPart
from factload.feed.written_values import read_as_another, text_format
from factload.sheet.choices import CellChoices
from factload.sheet.names import ColumnName
from factload.sheet.text_format import TextFormat

MAX_FEED_NAME = 40
_NAME = re.compile(rf"[a-z][a-z0-9_]{{0,{MAX_FEED_NAME - 1}}}")
# What of `workbook` decides which rows come out.
_DECIDING = {"sheet", "table", "range", "ends", "skip_rows", "unpivot", "csv", "merged", "stale_formulas"}


class Feed(FeedPart):
    """A spreadsheet that arrives again and again, and where its rows go."""

    feed: str = Field(examples=["sales"], json_schema_extra={"pattern": f"^{_NAME.pattern}$"})
    """The feed's name: lower-case letters, digits and `_`, a letter first."""
    schedule: Annotated[str, BeforeValidator(cron)] | None = Field(default=None, examples=["0 2 * * *"])
    """When the nightly load runs, a cron expression in `run.timezone`. Without it: by hand only."""
    run: Run = Field(default=Run(), json_schema_extra={"default": {}})
    """How Airflow runs the feed's loads."""
    workbook: WorkbookPart
    """Where the workbook of a period lies, and what is read of it."""
    dimensions: dict[str, Dimension] = Field(default_factory=dict)
    """The dimensions, by a name that `fact.columns` uses."""
    fact: Fact
    """The fact table, and what fills its columns."""
    max_rejects: Annotated[RejectLimits, BeforeValidator(reject_limits), LIMITS_SCHEMA] = Field(
        default=RejectLimits(RejectLimit(count=0)), json_schema_extra={"default": 0}
    )
    """How many rows may be rejected: a number, a share such as `0.5%`, or a mapping of `total` and reasons to
    these. Over it nothing is published, and the load is held until it is corrected or released."""
    min_rows: Annotated[LeastRows, BeforeValidator(least_rows), LEAST_SCHEMA] = Field(
        default=LeastRows(), json_schema_extra={"default": None}
    )
    """The fewest rows that may be published: a number, or a share such as `50%` of the rows that the load has now.
    With fewer it is held until it is corrected or released. Without this, a load that `replace` would leave without
    any row, though it has published some, is held; `0` lets it pass."""
    max_change: Annotated[ChangeLimits, BeforeValidator(change_limits), CHANGE_SCHEMA] = Field(
        default=ChangeLimits(), json_schema_extra={"default": None}
    )
    """By how much a load may differ from what it has published, or, before it has, from the newest earlier period that
    is published: `{rows: 20%, amount: 10%}`, of the number of rows and of the control totals of fact columns. With more
    it is held until it is corrected or released. A column that had no total then is not compared."""
    compare_by: Annotated[tuple[str, ...], BeforeValidator(sequence)] = Field(
        default=(), examples=[["order_id"]]
    )
    """The fact columns that tell a row of a load from its others, for `factload diff`. Without it: those of
    `upsert`, the first one that is `unique`, or those that dimensions fill."""
    keep_previous: Duration | None = Field(default=None, examples=["7d"])
    """How long the rows that a load had published are kept when others take their place, so that `factload undo` can
    bring them back. Goes with `replace`, which then copies them into a table of their own, and with `exchange`, which
    keeps their partition. Without it, only a first publication can be undone."""
    witness: Annotated[
        tuple[Witness, ...],
        BeforeValidator(witnesses, json_schema_input_type=Witness | list[Witness] | None),
    ] = Field(default=(), json_schema_extra={"default": None})
    """A number of the workbook's owner, such as the sheet's own total, with which the load is compared before it is
    published, or a list of such numbers. If one of them differs, the load is held."""
    rows_per_partition: int = Field(default=100_000, ge=2_000, le=1_048_576)
    """The rows that a load task gets."""
    rows_per_chunk: int = Field(default=20_000, ge=100, le=100_000)
    """The rows that one statement inserts."""
    parallelism: int = Field(default=4, ge=1, le=64)
    """The partitions that are loaded at once. In Airflow they fill three of four slots of the pool at most."""
    insert: Literal["core", "copy"] = "core"
    """How rows get into the staging table: arrays through SQLAlchemy Core, or PostgreSQL's COPY."""
    _by_period: ByPeriod[Feed] | None = PrivateAttr(default=None)

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
        require_dimensions_used(self.dimensions, self.fact)
        for name, column in self.fact.columns.items():
            at = ("fact", "columns", name)
            if column.writes and not (
                column.parse_text or self.workbook.may_be_csv or self._is_a_name(column)
            ):
                raise CrossFieldError(
                    f"says how {column.writes} are written in text, but no text is read as such: "
                    "add `parse_text: true`",
                    *at,
                )
            written = self.text_format_of(name)
            if written.decimal == written.thousands:
                raise CrossFieldError("`decimal` and `thousands` are the same character", *at)
            if word := read_as_another(written):
                raise CrossFieldError(
                    f"{word!r} can be read in two ways beside a number: expected words of `negative` and marks of "
                    "`strip` that are none of each other",
                    *at,
                )
        return self

    def _is_a_name(self, column: FactColumn) -> bool:
        """Whether it is filled by the names of columns that become rows, which are texts in any file."""
        unpivot = self.workbook.unpivot
        return unpivot is not None and any(column.is_called(name) for name in unpivot.names)

    @model_validator(mode="after")
    def _attributes_have_one_origin(self) -> Self:
        require_one_origin(self.dimensions)
        require_members_can_change(self.dimensions, self.fact)
        return self

    @model_validator(mode="after")
    def _columns_are_there(self) -> Self:
        require_limited_columns(self.max_change, self.compare_by, self.fact)
        require_kept_rows(self.keep_previous, self.fact)
        return self

    @model_validator(mode="after")
    def _witness_fits(self) -> Self:
        require_fit(self.witness, self.fact, self.workbook)
        return self

    @model_validator(mode="after")
    def _unpivot_fits(self) -> Self:
        if self.workbook.unpivot is not None:
            self.workbook.unpivot.require_read(self._columns_read)
        return self

    @property
    def _columns_read(self) -> Iterator[ColumnName]:
        for column in self.fact.columns.values():
            yield from (name for name in (column.column, column.sign and column.sign.column) if name)
        for dimension in self.dimensions.values():
            yield from dimension.column
            yield from (source.column for source in dimension.unmatched.attributes.values())
            if dimension.as_of is not None and dimension.as_of.header is not None:
                yield dimension.as_of.header

    @model_validator(mode="wrap")
    @classmethod
    def _of_each_period(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """With fields by ranges of periods this is the feed of the newest, and knows the others."""
        ranges = ranges_in(value) if isinstance(value, Mapping) else []
        if not ranges:
            return handler(value)
        feeds = [(first, handler(plain(value, ranges, first))) for first in first_periods(ranges)]
        newest = feeds[-1][1].model_copy()
        newest._by_period = ByPeriod(newest.feed, tuple(feeds), max(ranges, key=lambda field: field.begins))
        return newest

    def at(self, period: date) -> Feed:
        """The feed as it counts for a period, without ranges of periods; raises ``FeedError`` for one before them."""
        return self if self._by_period is None else self._by_period.at(period)

    @property
    def cells(self) -> CellChoices:
        """Which cells of the workbooks are read, those that a witness needs among them."""
        cells = self.workbook.cells
        asked = dict.fromkeys(witness.watched(self.fact) for witness in self.witness)
        watched = tuple(column for column in asked if column is not None)
        return replace(cells, rows=replace(cells.rows, watched=watched)) if watched else cells

    @property
    def updated_dimensions(self) -> list[str]:
        """The dimensions whose members are brought up to date."""
        return [name for name, dimension in self.dimensions.items() if dimension.unmatched.updates]

    @property
    def versioned_dimensions(self) -> list[str]:
        """The dimensions whose members get new versions."""
        return [name for name, dimension in self.dimensions.items() if dimension.unmatched.makes_versions]

    @property
    def told_dimensions(self) -> list[str]:
        """The dimensions whose members a publication may change: what rows say of them is kept until then."""
        return [*self.updated_dimensions, *self.versioned_dimensions]

    @property
    def map_of(self) -> dict[str, str]:
        """Dimension → the dimension whose map it uses: the first of those that would have the same."""
        first: dict[Any, str] = {}
        return {
            name: first.setdefault(dimension.map_definition, name)
            for name, dimension in self.dimensions.items()
        }

    @property
    def maps(self) -> list[str]:
        """The dimensions that a map is extracted of."""
        return list(dict.fromkeys(self.map_of.values()))

    def text_format_of(self, fact_column: str) -> TextFormat:
        """How numbers and dates are written in the texts that fill ``fact_column``."""
        source, csv = self.fact.columns[fact_column], self.workbook.csv or CsvPart()
        thousands = csv.thousands if source.thousands is None else source.thousands
        return text_format(
            source.decimal or csv.decimal,
            thousands,
            source.negative or csv.negative,
            source.date_format or csv.date_format,
            strip=source.strip or (),
            percent=source.percent,
            true=source.true or (),
            false=source.false or (),
        )

    def key_text_format_of(self, dimension: str) -> TextFormat:
        """How dates and numbers are written in the texts that are keys, or tell which member is valid."""
        csv = self.workbook.csv or CsvPart()
        date_format = self.dimensions[dimension].date_format or csv.date_format
        return text_format(csv.decimal, csv.thousands, csv.negative, date_format)

    def nulls_of(self, part: FactColumn | Dimension) -> tuple[str, ...]:
        """The texts that stand for nothing in the sheet's cells of a fact column or a dimension."""
        csv = self.workbook.csv.nulls if self.workbook.csv else None
        return (csv if part.nulls is None else part.nulls) or ()

    def load_id(self, period: date) -> str:
        """The identity of the load of ``period``: the same for a retry, a manual run and a backfill."""
        return f"{self.feed}@{period.isoformat()}"

    @property
    def fingerprint(self) -> str:
        """Digest of what decides which rows come out; how they are scheduled and cut does not."""
        deciding: dict[str, Any] = self.model_dump(
            include={
                "feed": True,
                "workbook": _DECIDING,
                "dimensions": True,
                "fact": True,
                "witness": True,
            },
            exclude_defaults=True,  # a field that a later version adds changes nothing for who doesn't use it
        )
        if len(self.witness) == 1:
            [deciding["witness"]] = deciding["witness"]  # as it was said when there could be no others
        return hashlib.sha256(repr(deciding).encode()).hexdigest()
