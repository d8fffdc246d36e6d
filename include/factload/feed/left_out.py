"""Which rows of a sheet a feed says are no data: what is below the end, and subtotals."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from factload.feed.part import NAMES, FeedPart, column_name, names_schema
from factload.rules.pattern import whole_text
from factload.sheet.choices import Ends, Skip
from factload.sheet.limits import MAX_COLUMNS
from factload.sheet.names import ColumnName, pattern_of, whole_pattern

_EXPECTED = (
    'expected `blank_row`, `totals_row`, or the text of the first row below the data, such as {first: "Total"}, '
    '{first: "Total", column: Region} or, by the position of its column, {first: "Total", field: 1}'
)
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")  # as it is shown
_WORDS = ("blank_row", "totals_row")
_KEYS = ({"first"}, {"first", "column"}, {"first", "field"})
_TEXT: dict[str, Any] = {"type": "string", "pattern": r"\S"}
_POSITION: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": MAX_COLUMNS}

ENDS_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"enum": [*_WORDS, None]},
            {
                "type": "object",
                "properties": {"first": _TEXT, "column": {"anyOf": [_TEXT, NAMES]}, "field": _POSITION},
                "required": ["first"],
                "not": {"required": ["column", "field"]},
                "additionalProperties": False,
            },
        ],
        "examples": ["blank_row", "totals_row", {"first": "Total"}, {"first": "Total", "column": "Region"}],
    }
)


def end_of_data(value: object) -> object:
    """Where a feed says that the data of a sheet end; raises ``ValueError`` that teaches."""
    if value is None or isinstance(value, Ends):
        return value
    if value == "blank_row":
        return Ends("blank_row")
    if value == "totals_row":
        return Ends("totals_row")
    if not isinstance(value, dict) or value.keys() not in _KEYS:
        raise ValueError(_EXPECTED)
    if "field" in value:
        if not _is_position(value["field"]) or not _is_text(value["first"]):
            raise ValueError(_EXPECTED)
        return Ends("first", pattern_of(value["first"]), value["field"])
    named: Any = column_name(value["column"]) if "column" in value else ()
    names = named if isinstance(named, tuple) else (named,)
    if not all(map(_is_text, (value["first"], *names))):
        raise ValueError(_EXPECTED)
    return Ends("first", pattern_of(value["first"]), named or "")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_position(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_COLUMNS


class SkippedRows(FeedPart):
    """Rows that are no data wherever they stand: those with a text, or a number, in a column."""

    column: Annotated[
        ColumnName | None,
        BeforeValidator(column_name),
        names_schema("Region", ["Region", "Gebiet"], one=_TEXT, optional=True),
    ] = None
    """The sheet's column that holds the text, whether the feed loads it or not; or a list of names of which each sheet
    has one."""
    field: int | None = Field(default=None, ge=1, le=MAX_COLUMNS, examples=[1])
    """Or its position, from 1 (column A), where the header has no name for it."""
    equals: str | None = Field(default=None, examples=["Subtotal"], json_schema_extra={"pattern": r"\S"})
    """The whole text, or a number as Excel shows it without a format, such as `"9"`. White space counts as a person
    sees it, and case counts."""
    pattern: str | None = Field(default=None, examples=["Subtotal .*"])
    """Or a regular expression (RE2) that the whole text must match, white space around it left out."""

    @model_validator(mode="after")
    def _one_text(self) -> Self:
        if (self.equals is None) == (self.pattern is None):
            raise ValueError("expected `equals` or `pattern`, one of them, beside `column` or `field`")
        if (self.column is None) == (self.field is None):
            raise ValueError("expected `column` or `field`, one of them")
        if (isinstance(self.column, str) and not self.column.strip()) or not (
            self.equals is None or self.equals.strip()
        ):
            raise ValueError("expected a text")
        if self.pattern is not None:
            whole_text(self.pattern)
        return self

    @property
    def skip(self) -> Skip:
        """What the reader is told."""
        column = self.column or self.field or ""
        if self.pattern is not None:
            return Skip(column, whole_pattern(self.pattern))
        text = self.equals or ""
        return Skip(column, pattern_of(text), numbers=bool(_NUMBER.fullmatch(text.strip())))
