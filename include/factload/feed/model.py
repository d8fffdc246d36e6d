"""What a feed file says, validated. ``feed.file`` reads it; errors there name file, line, field and remedy.

The text below each field is its documentation, as is a rule's ``text``: docs/feeds.md and docs/feed.schema.json are
made of them (`make docs`).
"""

from __future__ import annotations

import hashlib
import re
from datetime import date
from string import Formatter
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from factload.errors import did_you_mean
from factload.feed.columns import DateFormat, DecimalMark, FactColumn, ThousandsMark
from factload.feed.dimensions import Dimension
from factload.feed.left_out import ENDS_SCHEMA, SkippedRows, end_of_data
from factload.feed.limits import (
    CHANGE_SCHEMA,
    LEAST_SCHEMA,
    LIMITS_SCHEMA,
    ROWS,
    ChangeLimits,
    LeastRows,
    RejectLimit,
    RejectLimits,
    change_limits,
    least_rows,
    reject_limits,
)
from factload.feed.mode import MODE_SCHEMA, MODES, Mode, publishing_mode
from factload.feed.part import CrossFieldError, FeedPart, sequence
from factload.feed.schedule import MISSING_SCHEMA, Duration, Missing, Run, cron, missing_workbook
from factload.settings import database_url_holds_password
from factload.sheet.choices import AreaChoice, CellChoices, Ends, Merged, RowChoices, StaleFormulas
from factload.sheet.csv.dialect import CsvDialect
from factload.sheet.file_kind import is_named_csv
from factload.sheet.sheets import EVERY, SheetChoice
from factload.sheet.text_format import TextFormat

MAX_FEED_NAME = 40
_NAME = re.compile(rf"[a-z][a-z0-9_]{{0,{MAX_FEED_NAME - 1}}}")


def _is_a_sheet(value: object) -> bool:
    if isinstance(value, int):
        return not isinstance(value, bool) and value >= 0
    return isinstance(value, str) and bool(value.strip())


def _sheet_choice(value: object) -> object:
    listed = value if isinstance(value, list | tuple) else [value]
    if not listed or not all(map(_is_a_sheet, listed)) or (len(listed) > 1 and EVERY in listed):
        raise ValueError(
            'expected a sheet\'s name, its index from 0, a list of these, or "*" for all visible sheets'
        )
    if len(set(listed)) < len(listed):
        raise ValueError("a sheet is in the list twice: its rows would be loaded twice")
    return sequence(value)


_ONE_SHEET: dict[str, Any] = {
    "anyOf": [{"type": "string", "pattern": r"\S"}, {"type": "integer", "minimum": 0}]
}
_SHEET_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            *_ONE_SHEET["anyOf"],
            {
                "type": "array",
                "items": _ONE_SHEET,
                "minItems": 1,
                "uniqueItems": True,
                "if": {"minItems": 2},
                "then": {"items": {"not": {"const": EVERY}}},
            },
        ],
        "examples": ["Facts", 0, ["North", "South"], "*"],
    }
)
_MARK = r"[\t !-/:-@\[-`{-~]"  # what ASCII has beside letters and digits


_A_DAY, _ANOTHER_DAY = (
    date(2026, 11, 5),
    date(2027, 12, 17),
)  # different in every part, the day of the week too


class CsvPart(FeedPart):
    """How a csv file is written: declared, never guessed."""

    encoding: str = Field(default="utf-8", examples=["utf-8", "cp1252", "utf-16"])
    """The encoding, by any name Python knows. A byte order mark at the beginning is skipped."""
    delimiter: str = Field(default=",", examples=[",", ";", "|"], json_schema_extra={"pattern": f"^{_MARK}$"})
    """The character between two fields: one that is neither letter nor digit."""
    quote: str = Field(default='"', json_schema_extra={"pattern": f"^{_MARK}?$"})
    """The character around a field that holds delimiters, line ends or quotes (each written twice); `""`: none."""
    decimal: DecimalMark = "."
    """The decimal mark of numbers, for columns that don't set their own."""
    thousands: ThousandsMark = Field(default="", examples=[".", "'", " "])
    """The thousands separator of numbers, for columns that don't set their own; `""`: none."""
    date_format: DateFormat | None = None
    """The format of dates, for columns that don't set their own and for keys of `type: date`, such as `%d.%m.%Y`.
    Without it: ISO 8601."""

    @model_validator(mode="after")
    def _a_dialect(self) -> Self:
        _ = self.dialect
        if self.decimal == self.thousands:
            raise ValueError("`decimal` and `thousands` are the same character")
        return self

    @property
    def dialect(self) -> CsvDialect:
        """What the reader is told."""
        return CsvDialect(self.encoding, self.delimiter, self.quote)


class WorkbookPart(FeedPart):
    """Where the workbooks of a period lie, and which sheets of them are read."""

    path: str = Field(examples=["inbox/sales_{period}.xlsx"])
    """Where a period's workbook lies, relative to the project, or its URL, such as `s3://reports/sales_{period}.xlsx`;
    `{period}` or `{period:%Y%m%d}` is its date. A pattern such as `inbox/{period}/*.xlsx` means all workbooks that
    match, in the order of their names, as one load."""
    sheet: Annotated[SheetChoice, BeforeValidator(_sheet_choice), _SHEET_SCHEMA] = 0
    """The sheet's name, or its index from 0; a list of these; or `"*"`, every visible sheet of cells. A hidden sheet
    is read only by its name. Each sheet's header row is found by its names."""
    table: str | None = Field(default=None, examples=["Orders"], json_schema_extra={"pattern": r"\S"})
    """Instead of a sheet: an Excel table by its name, on whatever sheet it is. Its header is the table's own, and its
    totals row is no data."""
    range: str | None = Field(
        default=None, examples=["SalesData", "Sheet1!B4:H9000"], json_schema_extra={"pattern": r"\S"}
    )
    """Instead of a sheet: a range, by the workbook's name for it, or by its sheet and cells. Its first row is the
    header."""
    ends: Annotated[Ends | None, BeforeValidator(end_of_data), ENDS_SCHEMA] = None
    """Where the data end, if rows stand below them: before the first row without anything in a column that the feed
    reads (`blank_row`), before the last row with anything there (`totals_row`), or before the first row with this text
    in the header's first column, or in another (`{first: "Total", column: Region}`). What is below is left out."""
    skip_rows: Annotated[tuple[SkippedRows, ...], BeforeValidator(sequence)] = Field(
        default=(), examples=[[{"column": "Region", "equals": "Subtotal"}]]
    )
    """Rows among the data that are left out, such as subtotals."""
    missing: Annotated[Missing, BeforeValidator(missing_workbook), MISSING_SCHEMA] = Field(
        default=Missing(), json_schema_extra={"default": "fail"}
    )
    """What a scheduled run does when the workbook is not there: `fail`, `skip`, or `{wait: 6h}` from the hour when
    it was due, and then fail; `{wait: 6h, then: skip}`. It waits without a worker slot. A person is told at once."""
    merged: Merged = "reject"
    """What happens to a cell that is merged with others and is not the first of them, if the first shows something:
    its row is a reject (`reject`), the cell is `blank`, or it has the first one's value too (`repeat`)."""
    stale_formulas: StaleFormulas = "reject"
    """What happens to a formula in a workbook that Excel would recalculate on opening, as those of many programs: its
    row is a reject (`reject`), or the saved value is loaded (`take`)."""
    csv: CsvPart | None = None
    """How a csv file is written. A file named `.csv` or `.csv.gz` is read as one even without this."""

    @field_validator("path")
    @classmethod
    def _only_the_period_varies(cls, path: str) -> str:
        try:
            fields = [(name, spec or "", conversion) for _, name, spec, conversion in Formatter().parse(path)]
        except ValueError:
            raise ValueError("a { or } stands alone: write {period}, or {{ and }} for braces") from None
        for name, spec, conversion in fields:
            if name not in (None, "period"):
                raise ValueError(f"{{{name}}} is not known here; only {{period}} is, or {{period:%Y%m%d}}")
            if conversion or "{" in spec or (spec and format(_A_DAY, spec) == format(_ANOTHER_DAY, spec)):
                raise ValueError("what follows `period` is not a format of dates, such as {period:%Y%m%d}")
        return path

    @field_validator("table", "range")
    @classmethod
    def _a_name(cls, name: str | None) -> str | None:
        if name is not None and not name.strip():
            raise ValueError("expected a name")
        return name

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        given = [name for name in ("table", "range", "sheet") if name in self.model_fields_set]
        given = [name for name in given if getattr(self, name) is not None]
        if len(given) > 1:
            raise CrossFieldError(f"goes without `{given[1]}`: it says itself where its cells are", given[0])
        if given and given[0] != "sheet" and self.may_be_csv:
            raise CrossFieldError("goes with a workbook: a csv file has neither tables nor ranges", given[0])
        return self

    @property
    def cells(self) -> CellChoices:
        """Which cells are read, and what becomes of those that can be read two ways."""
        area = AreaChoice(self.table, self.range) if self.table or self.range else None
        rows = RowChoices(self.ends, tuple(row.skip for row in self.skip_rows))
        return CellChoices(self.merged, self.stale_formulas, area, rows)

    @property
    def csv_dialect(self) -> CsvDialect | None:
        """How the feed says that a csv file is written."""
        return self.csv.dialect if self.csv else None

    @property
    def may_be_csv(self) -> bool:
        """Whether the feed expects a csv file."""
        return self.csv is not None or is_named_csv(self.path)

    def for_period(self, period: date) -> str:
        """The path of one period's workbook."""
        return self.path.format(period=period)


class Fact(FeedPart):
    """The fact table, and what fills its columns."""

    connection: str
    """An Airflow connection id; without Airflow `FACTLOAD_CONN_<ID>` or `AIRFLOW_CONN_<ID>` holds its URL. It may
    also be a URL without a password: many people read feed files."""
    table: str
    """The fact table, `table` or `schema.table`."""
    columns: dict[str, FactColumn] = Field(min_length=1)
    """What fills each column of the fact table, by the column's name."""
    mode: Annotated[Mode, BeforeValidator(publishing_mode), MODE_SCHEMA] = Field(
        default=Mode("replace"), json_schema_extra={"default": "replace"}
    )
    """What publishing does with existing rows. (The reference has the texts of ``mode.MODES`` here.)"""
    load_column: str | None = Field(default=None, examples=["load_id"])
    """A column of the fact table that holds the load's identity, such as `sales@2026-11-05`: as text, or as a uuid or
    bigint derived from it. `replace` finds its rows by it; the other modes don't need one."""

    @model_validator(mode="after")
    def _no_password_is_written_down(self) -> Self:
        if database_url_holds_password(self.connection):
            raise CrossFieldError(
                "is a URL that holds a password, and many people read feed files: name a connection here, "
                "and keep its URL in Airflow or in `FACTLOAD_CONN_<ID>`",
                "connection",
            )
        return self

    @model_validator(mode="after")
    def _mode_has_what_it_needs(self) -> Self:
        needs_load_column = MODES[self.mode.kind].needs_load_column
        if needs_load_column and self.load_column is None:
            raise ValueError(
                f"`load_column` is missing: mode `{self.mode.kind}` {needs_load_column}, such as `sales@2026-11-05`"
            )
        for key in self.mode.keys:
            source = self.columns.get(key)
            if source is None:
                near = did_you_mean(key, list(self.columns))
                raise CrossFieldError(
                    f"names {key!r}, which `columns` does not fill. {near}".rstrip(), "mode"
                )
            if source.column is not None and not source.required:
                raise CrossFieldError(
                    f"mode `{self.mode.kind}` names {key!r}: say `required: true` there, a key is never blank",
                    "columns",
                    key,
                )
        return self


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
    it is held until it is corrected or released."""
    compare_by: Annotated[tuple[str, ...], BeforeValidator(sequence)] = Field(
        default=(), examples=[["order_id"]]
    )
    """The fact columns that tell a row of a load from its others, for `factload diff`. Without it: those of
    `upsert`, the first one that is `unique`, or those that dimensions fill."""
    keep_previous: Duration | None = Field(default=None, examples=["7d"])
    """How long the rows that a load had published are kept when others take their place, so that `factload undo` can
    bring them back. Goes with `replace`, which then copies them into a table of their own, and with `exchange`, which
    keeps their partition. Without it, only a first publication can be undone."""
    rows_per_partition: int = Field(default=100_000, ge=2_000, le=1_048_576)
    """The rows that a load task gets."""
    rows_per_chunk: int = Field(default=20_000, ge=100, le=100_000)
    """The rows that one statement inserts."""
    parallelism: int = Field(default=4, ge=1, le=64)
    """The partitions that are loaded at once. In Airflow they fill three of four slots of the pool at most."""
    insert: Literal["core", "copy"] = "core"
    """How rows get into the staging table: arrays through SQLAlchemy Core, or PostgreSQL's COPY."""

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
        for name, column in self.fact.columns.items():
            at = ("fact", "columns", name)
            if column.dimension and column.dimension not in self.dimensions:
                near = did_you_mean(column.dimension, list(self.dimensions))
                raise CrossFieldError(
                    f"names dimension {column.dimension!r}, which `dimensions` does not have. {near}".rstrip(),
                    *at,
                )
            written_as = column.decimal or column.thousands or column.date_format
            if written_as and not (column.parse_text or self.workbook.may_be_csv):
                what = "dates" if column.date_format else "numbers"
                raise CrossFieldError(
                    f"says how {what} are written in text, but no text is read as such: add `parse_text: true`",
                    *at,
                )
            written = self.text_format_of(name)
            if written.decimal == written.thousands:
                raise CrossFieldError("`decimal` and `thousands` are the same character", *at)
        if unused := sorted(set(self.dimensions) - used):
            raise CrossFieldError("fills no column of the fact table", "dimensions", unused[0])
        if self.fact.load_column in self.fact.columns:
            raise CrossFieldError(
                "is filled by the load itself; fact.columns may not name it", "fact", "load_column"
            )
        return self

    @model_validator(mode="after")
    def _columns_are_there(self) -> Self:
        for name in self.max_change.measures:
            source = self.fact.columns.get(name)
            if source is None or source.type is None or not source.type.is_exact_number:
                near = did_you_mean(name, [ROWS, *self.fact.columns])
                raise CrossFieldError(
                    f"names {name!r}, which is neither `rows` nor a fact column with a control total: an exact number "
                    f"out of the sheet. {near}".rstrip(),
                    "max_change",
                )
        if self.keep_previous is not None and not MODES[self.fact.mode.kind].can_keep:
            able = " and ".join(f"`{name}`" for name, mode in MODES.items() if mode.can_keep)
            raise CrossFieldError(
                f"goes with the modes {able}: with `{self.fact.mode.kind}` no row is a load's own",
                "keep_previous",
            )
        for name in self.compare_by:
            if name not in self.fact.columns:
                near = did_you_mean(name, list(self.fact.columns))
                raise CrossFieldError(
                    f"names {name!r}, which `fact.columns` does not fill. {near}".rstrip(), "compare_by"
                )
        return self

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
        return TextFormat(
            source.decimal or csv.decimal, thousands, source.date_format or csv.date_format or ""
        )

    @property
    def key_text_format(self) -> TextFormat:
        """How dates are written in the texts of a csv file that are keys, or tell which member is valid."""
        return TextFormat(date=(self.workbook.csv or CsvPart()).date_format or "")

    def load_id(self, period: date) -> str:
        """The identity of the load of ``period``: the same for a retry, a manual run and a backfill."""
        return f"{self.feed}@{period.isoformat()}"

    @property
    def fingerprint(self) -> str:
        """Digest of what decides which rows come out; how they are scheduled and cut does not."""
        deciding: dict[str, Any] = self.model_dump(
            include={
                "feed": True,
                "workbook": {
                    "sheet",
                    "table",
                    "range",
                    "ends",
                    "skip_rows",
                    "csv",
                    "merged",
                    "stale_formulas",
                },
                "dimensions": True,
                "fact": True,
            },
            exclude_defaults=True,  # a field that a later version adds changes nothing for who doesn't use it
        )
        return hashlib.sha256(repr(deciding).encode()).hexdigest()
