"""What a feed says of its workbooks: where they lie, and which rows and cells of them are read."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from factload.feed.left_out import ENDS_SCHEMA, SkippedRows, end_of_data
from factload.feed.part import CrossFieldError, FeedPart, periodic_path, sequence
from factload.feed.schedule import MISSING_SCHEMA, Missing, missing_workbook
from factload.feed.unpivot import Unpivot
from factload.feed.written_values import DateFormat, DecimalMark, Negative, Nulls, SignWords, ThousandsMark
from factload.sheet.choices import AreaChoice, CellChoices, Ends, Merged, RowChoices, StaleFormulas
from factload.sheet.csv.dialect import CsvDialect
from factload.sheet.file_kind import is_named_csv
from factload.sheet.sheets import EVERY, SheetChoice


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


class CsvPart(FeedPart):
    """How a csv file is written: declared, never guessed."""

    encoding: str = Field(default="utf-8", examples=["utf-8", "cp1252", "utf-16"])
    """The encoding, by any name Python knows. A byte order mark at the beginning is skipped. Where a
    file looks like UTF-8 and the feed says another, the load warns."""
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
    negative: Negative = "leading"
    """Where the minus of a number stands, or the words that say it, for columns that don't set their own."""
    nulls: Nulls = None
    """Texts for a value that is not there, such as `["-", "NULL"]`, for columns and dimensions that don't set their
    own."""

    @model_validator(mode="after")
    def _a_dialect(self) -> Self:
        _ = self.dialect
        if self.decimal == self.thousands:
            raise ValueError("`decimal` and `thousands` are the same character")
        if isinstance(self.negative, SignWords) and self.negative.column is not None:
            raise CrossFieldError(
                "has a column of its own for the signs, and all numbers of the file have this `negative`: expected it "
                "at the column of `fact.columns` whose signs these are",
                "negative",
            )
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
    in the header's first column, or in another, by its name (`{first: "Total", column: Region}`) or by its position
    (`{first: "**", field: 1}`). What is below is left out."""
    skip_rows: Annotated[tuple[SkippedRows, ...], BeforeValidator(sequence)] = Field(
        default=(), examples=[[{"column": "Region", "equals": "Subtotal"}]]
    )
    """Rows among the data that are left out, such as subtotals."""
    unpivot: Unpivot | None = None
    """Columns that become rows, such as one for each month."""
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
        return periodic_path(path)

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
        if self.unpivot is not None and self.unpivot.above is not None and (self.table or self.range):
            raise CrossFieldError(
                "goes with a sheet: the header of a table or range is its first row, and nothing stands above it",
                "unpivot",
                "above",
            )
        return self

    @property
    def cells(self) -> CellChoices:
        """Which cells are read, and what becomes of those that can be read two ways."""
        area = AreaChoice(self.table, self.range) if self.table or self.range else None
        rows = RowChoices(self.ends, tuple(row.skip for row in self.skip_rows))
        unpivot = self.unpivot.choice if self.unpivot else None
        return CellChoices(self.merged, self.stale_formulas, area, rows, unpivot)

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
