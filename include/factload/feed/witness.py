"""What a feed says of the owner's own number: where it stands, and what it counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from factload.errors import did_you_mean
from factload.feed.fact import Fact
from factload.feed.part import CrossFieldError, FeedPart, column_name, names_schema, periodic_path, sequence
from factload.feed.workbook import WorkbookPart
from factload.sheet.names import ColumnName

TOTALS_ROW = "totals_row"
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_TOLERANCE_SCHEMA = WithJsonSchema(
    {
        "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": rf"^\s*{_NUMBER}\s*$"}],
        "examples": [0, "0.05"],
        "default": 0,
    }
)


def _tolerance(value: object) -> object:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str) and re.fullmatch(_NUMBER, value.strip()):
        return Decimal(value.strip())
    if isinstance(value, int | float) and not isinstance(value, bool):
        found = Decimal(repr(value))
        if found.is_finite() and found >= 0:
            return found
    raise ValueError('expected a number from 0, such as "0.05"')


class Witness(FeedPart):
    """A number of the workbook's owner that the load is compared with."""

    at: str | None = Field(
        default=None,
        examples=[TOTALS_ROW, "Cover!B3", "GrandTotal"],
        json_schema_extra={"pattern": r"\S"},
    )
    """Where the number stands: `totals_row`, the table's totals row or the row at which `workbook.ends` found the end
    of the data; or a cell, by its sheet (`Cover!B3`) or by the workbook's name for it."""
    file: str | None = Field(
        default=None, examples=["inbox/{period}.control.csv"], json_schema_extra={"pattern": r"\S"}
    )
    """Or the path of a companion file, as `workbook.path`: a csv file with a header and one record."""
    sum: str | None = Field(default=None, examples=["amount"], json_schema_extra={"pattern": r"\S"})
    """What it says: the sum of this column, by its name in `fact.columns` or in the sheet."""
    count: Literal["rows"] | None = None
    """Or the count of rows."""
    column: Annotated[
        ColumnName | None,
        BeforeValidator(column_name),
        names_schema("Rows", ["Rows", "Count"], one={"type": "string", "pattern": r"\S"}, optional=True),
    ] = None
    """The column in which the number stands, in the totals row or the companion file, or a list of names of which it
    has one; without it that of `sum`."""
    field: int | None = Field(default=None, ge=1, le=16_384)
    """Or its position in the row, from 1: for a csv file's last record, which has fields of its own."""
    sheet: str | None = Field(default=None, examples=["North"], json_schema_extra={"pattern": r"\S"})
    """The sheet whose rows it counts, where it stands in a cell or a companion file; without it all of the load. A
    totals row counts those of its own sheet."""
    rows: Literal["delivered", "loaded"] = "delivered"
    """Which rows it counts: all that the sheet delivers as data, rejected ones too, or those that are loaded."""
    tolerance: Annotated[Decimal, BeforeValidator(_tolerance), _TOLERANCE_SCHEMA] = Decimal(0)
    """By how much the two may differ. What adding doubles leaves behind a column's decimals is no difference."""

    @field_validator("at", "file", "sum", "column", "sheet")
    @classmethod
    def _some_text(cls, text: ColumnName | None) -> ColumnName | None:
        if isinstance(text, str) and not text.strip():
            raise ValueError("expected a text")
        return text

    @field_validator("file")
    @classmethod
    def _only_the_period_varies(cls, path: str | None) -> str | None:
        return path if path is None else periodic_path(path)

    @model_validator(mode="after")
    def _one_number(self) -> Self:
        if (self.at is None) == (self.file is None):
            raise ValueError("expected `at` or `file`, one of them: where the number stands")
        if (self.sum is None) == (self.count is None):
            raise ValueError("expected `sum: COLUMN` or `count: rows`, one of them: what the number says")
        if self.column is not None and self.field is not None:
            raise ValueError("`column` and `field` both say where the number stands: expected one of them")
        if self.sheet is not None and self.at == TOTALS_ROW:
            raise ValueError(
                "`sheet` goes with a cell or `file`: a totals row counts the rows of its own sheet"
            )
        in_a_row = self.file is not None or self.at == TOTALS_ROW
        if (self.column or self.field) and not in_a_row:
            raise ValueError("`column` and `field` go with `at: totals_row` or `file`, not with a cell")
        if in_a_row and self.count and not (self.column or self.field):
            raise ValueError(
                "`count: rows` needs `column` or `field` there: where in the row the number stands"
            )
        return self

    def measure(self, fact: Fact) -> str | None:
        """The fact column whose sum it says; None if it counts rows."""
        summed = self._summed(fact)
        return summed[0] if summed else None

    def watched(self, fact: Fact) -> ColumnName | int | None:
        """The column in a row of totals in which the number stands, by its name or position; None if it stands
        elsewhere."""
        if self.at != TOTALS_ROW:
            return None
        measure = self.measure(fact)
        return self.field or self.column or (fact.columns[measure].column if measure else None)

    def require_fit(self, fact: Fact, book: WorkbookPart) -> None:
        """Raise ``CrossFieldError`` unless it means one fact column, and a place that the workbooks have. Its ``at`` is
        relative to the witness."""
        summed = self._summed(fact)
        if self.sum is not None and len(summed) != 1:
            near = did_you_mean(self.sum, list(fact.measures))
            raise CrossFieldError(
                f"names {'several columns' if summed else 'no column'} of exact numbers out of the sheet: "
                f"expected one, by its name in `fact.columns` or in the sheet. {near}".rstrip(),
                "sum",
            )
        is_said = book.table or book.range or (book.ends and book.ends.kind != "blank_row")
        if self.at == TOTALS_ROW and not is_said:
            raise CrossFieldError(
                "is `totals_row`, and nothing says which row that is: expected `workbook.table`, or `workbook.ends: "
                "totals_row` or `{first: ...}`",
                "at",
            )
        if self.at not in (None, TOTALS_ROW) and book.may_be_csv:
            raise CrossFieldError("is a cell, and a csv file has no other than its rows'", "at")
        if self.at == TOTALS_ROW and book.unpivot and not (self.column or self.field):
            raise CrossFieldError(
                "is `totals_row`, which has a number in each column that becomes rows: expected `column`, one with "
                "the sum of all",
                "at",
            )

    def _summed(self, fact: Fact) -> list[str]:
        """The fact columns that ``sum`` may mean: by their own name, or else by that of the sheet's column."""
        if self.sum is None or self.sum in fact.measures:
            return [name for name in fact.measures if name == self.sum]
        return [name for name in fact.measures if fact.columns[name].is_called(self.sum)]


def witnesses(value: object) -> object:
    """One witness or a list of them as a tuple."""
    if value is None:
        return ()
    return sequence(value) if isinstance(value, list | tuple) else (value,)


def require_fit(found: Sequence[Witness], fact: Fact, book: WorkbookPart) -> None:
    """Raise ``CrossFieldError`` unless each says something of its own that the workbooks and the fact table have."""
    for number, witness in enumerate(found):
        try:
            witness.require_fit(fact, book)
        except CrossFieldError as error:
            raise CrossFieldError(str(error), "witness", number, *error.at) from None
        if witness in found[:number]:
            raise CrossFieldError("is there twice: expected each number once", "witness", number)
