"""What a feed file says of the fact table's columns."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, create_model, model_validator

from factload.feed.part import FeedPart, column_name, names_schema, time_zone
from factload.feed.written_values import (
    DateFormat,
    DecimalMark,
    Marks,
    Negative,
    Nulls,
    SignWords,
    ThousandsMark,
    Words,
    in_both,
)
from factload.rules import RULES
from factload.rules.asked import AskedRule, asked_rules
from factload.rules.rule import Rule
from factload.sheet.date_format import parse_date_format
from factload.sheet.names import ColumnName, is_same, spellings
from factload.sheet.text_format import FALSE, TRUE
from factload.sql_types import EXAMPLES, PATTERN, SqlType, parse_sql_type

Constant = bool | int | Decimal | str | date | datetime
Provenance = Literal["workbook", "sheet", "row"]
_SOURCES = ("dimension", "column", "value", "period", "provenance")


def _sql_type(value: object) -> object:
    return parse_sql_type(value) if isinstance(value, str) else value


def _constant(value: object) -> Constant:
    if isinstance(value, float):
        value = Decimal(repr(value))  # the digits as they are written
    if isinstance(value, bool | int | str | date | datetime) or (
        isinstance(value, Decimal) and value.is_finite()
    ):
        return value
    raise ValueError("expected one value: a number, a text, true or false, or a date such as 2026-11-05")


def _period(value: object) -> object:
    if value is True:
        return ""
    if isinstance(value, str) and "%" in value:
        return value
    raise ValueError('expected `true`, or a format of dates such as "%Y%m%d"')


_SQL_TYPE_SCHEMA = WithJsonSchema({"type": "string", "pattern": PATTERN, "examples": EXAMPLES.split(", ")})
_CONSTANT_SCHEMA = WithJsonSchema(
    {"type": ["string", "number", "boolean"], "examples": [1, 0.25, "web", True, "2026-11-05"]}
)
_PERIOD_SCHEMA = WithJsonSchema(
    {"anyOf": [{"const": True}, {"type": "string", "pattern": "%"}], "examples": [True, "%Y%m%d"]}
)


class _Source(FeedPart):
    """The fields of a fact column that stand before its rules."""

    dimension: str | None = None
    """The dimension whose surrogate key fills this column."""
    column: Annotated[
        ColumnName | None,
        BeforeValidator(column_name),
        names_schema("Amount", ["Amount", "Betrag"], one={"type": "string"}, optional=True),
    ] = None
    """The sheet's column whose values fill this column; or a list of names of which each sheet has one."""
    value: Annotated[Any, BeforeValidator(_constant), _CONSTANT_SCHEMA] = None
    """The same constant in every row: a number, a text, true or false, or a date."""
    period: Annotated[str | None, BeforeValidator(_period), _PERIOD_SCHEMA] = None
    """The load's period: `true` for a date, a timestamp or a text such as `2026-11-05`; or a format of dates, for a
    text or an integer."""
    provenance: Provenance | None = None
    """Where the row comes from: the name of its `workbook` or `sheet`, or the number of its `row` there."""
    type: Annotated[SqlType | None, BeforeValidator(_sql_type), _SQL_TYPE_SCHEMA] = None
    """The SQL type that the sheet's values are read as: declared, never guessed, and checked against the table."""
    required: bool = False
    """Whether a blank cell, or one with white space alone, makes its row a reject."""


if TYPE_CHECKING:
    _WithRules = _Source  # a type checker knows no fields that are made when the module is imported
else:
    _WithRules = create_model(
        "_WithRules",
        __base__=_Source,
        __module__=__name__,
        **{rule.name: (rule.annotation, Field(rule.absent, description=rule.text)) for rule in RULES},
    )


class FactColumn(_WithRules):
    """What fills one column of the fact table: exactly one of its first five fields."""

    unique: bool = False
    """Whether each value may occur only once in the load: the first row is loaded, later ones are rejected."""
    parse_text: bool = False
    """Whether texts are parsed as numbers, ISO dates, `true` and `false`. In a csv file they always are."""
    decimal: DecimalMark | None = None
    """The decimal mark of numbers in texts; default `.`. Needs `parse_text`, or a csv file."""
    thousands: ThousandsMark | None = Field(default=None, examples=[".", "'", " "])
    """The thousands separator of numbers in texts; other groupings are rejects. Needs `parse_text`, or csv."""
    serials: bool = False
    """Whether dates and numbers stand for each other: in a number's column a cell that shows a date or a time is the
    number of its days, in a date's column a plain number is the date that it counts. Otherwise they are rejects."""
    timezone: Annotated[str | None, BeforeValidator(time_zone)] = Field(
        default=None, examples=["UTC", "Europe/Berlin"]
    )
    """The time zone whose clocks the sheet tells. A `timestamptz` needs it. In other columns of dates it is for moments
    with an offset or `Z`, such as `2026-11-05T10:30+01:00`; without it these are rejects."""

    date_format: DateFormat | None = None
    """How a text writes a date: `%d`, `%m` (or a month's English name, `%b` or `%B`), `%Y` (or `%y`, 1969 to 2068), and
    perhaps `%H` (or `%I` with `%p`), `%M`, `%S`, `%f` and `%z`; or a month alone, `%b %y` or `%Y-%m`, which is its
    first day, for `type: date`. ISO 8601 if this doesn't say. Needs `parse_text`, or a csv file, or names of columns
    that become rows."""
    negative: Negative | None = None
    """Where texts write the minus of a number: `leading`; also `trailing`, `5.00-`; or also as `parentheses`, `(5.00)`.
    Or the words beside a number that say its sign: `{minus: [H], plus: [S]}` for `5.00 H`. Needs `parse_text`, or a csv
    file. Or, for numbers in cells too, another column with such words: `{column: S/H, minus: [H], plus: [S]}`."""
    strip: Marks = None
    """Texts that may stand before or after a number and say nothing of it, such as a currency: `5 €` is 5, and with
    `"%"` here `12.5 %` is 12.5. Needs `parse_text`, or a csv file."""
    percent: bool = False
    """Whether texts write numbers with a percent sign, and mean hundredths: `12.5 %` is 0.125, and a text without the
    sign is a reject. Needs `parse_text`, or a csv file."""
    true: Words = None
    """Words for true in texts, in any case, instead of `true` and `1`. Needs `parse_text`, or a csv file."""
    false: Words = None
    """Words for false in texts, in any case, instead of `false` and `0`. Needs `parse_text`, or a csv file."""
    nulls: Nulls = None
    """Texts for a value that is not there: a cell that shows one of them is blank. They count with their case, and for
    cells that hold a text, an error or a number."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in _SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                "a fact column is filled by one of `dimension: NAME`, `column: HEADER`, `value: CONSTANT`, "
                f"`period: true`, `provenance: workbook | sheet | row`; here it has {' and '.join(given) or 'none'}"
            )
        if self.column is not None and self.type is None:
            raise ValueError("`type` is missing: a column of the sheet is read as a declared SQL type")
        if self.column is None and (self.type is not None or self.required):
            raise ValueError(f"`type` and `required` go with `column`, not with `{given[0]}`")
        return self

    @model_validator(mode="after")
    def _text_of_its_type(self) -> Self:
        declared = self.type or SqlType("text")
        kind = declared.kind
        if self.parse_text and kind == "text":
            raise ValueError("`parse_text` is for numbers, dates and booleans: a text is loaded as it is")
        if (self.decimal or self.thousands) and not declared.is_number:
            raise ValueError("`decimal` and `thousands` go with a number")
        if self.date_format and kind not in ("date", "timestamp"):
            raise ValueError("`date_format` goes with a date or a timestamp")
        if self.date_format and kind == "timestamp" and parse_date_format(self.date_format).of_months:
            raise ValueError("`date_format` has a month and no day, which goes with `type: date`")
        if self.serials and kind in ("text", "boolean"):
            raise ValueError("`serials` goes with a number or a date")
        if self.timezone is not None and kind not in ("date", "timestamp"):
            raise ValueError("`timezone` goes with a date or a timestamp")
        if self.timezone is None and declared.zoned:
            raise ValueError(
                "`timezone` is missing: a timestamptz is a moment, and the sheet tells it by the clocks of some zone, "
                "such as Europe/Berlin"
            )
        return self

    @model_validator(mode="after")
    def _words_and_marks_of_its_type(self) -> Self:
        declared = self.type or SqlType("text")
        if (self.negative or self.strip or self.percent) and not declared.is_number:
            raise ValueError("`negative`, `strip` and `percent` go with a number")
        if self.sign is not None and any(self.is_called(name) for name in spellings(self.sign.column or ())):
            raise ValueError(
                "`negative.column` is the number's own column: expected the one that says its sign"
            )
        if self.percent and self.strip:
            raise ValueError(
                "`percent` goes without `strip`: the percent sign is what stands beside the number. Leave out "
                "`percent` if the sign says nothing of it"
            )
        if (self.true or self.false) and declared.kind != "boolean":
            raise ValueError("`true` and `false` go with a boolean")
        if word := in_both(self.true or TRUE, self.false or FALSE):
            raise ValueError(
                f"{word!r} would be true and false: expected each word on one side, `true` or `false`"
            )
        if self.nulls is not None and self.column is None:
            raise ValueError("`nulls` goes with `column`: it is about the cells of the sheet")
        return self

    @model_validator(mode="after")
    def _rules_of_its_type(self) -> Self:
        given = [*(rule.name for rule in self._written), *(["unique"] if self.unique else [])]
        if given and self.type is None:
            raise ValueError(f"`{given[0]}` goes with `column`: it is a rule on the values of the sheet")
        _ = self.rules
        return self

    def is_called(self, name: str) -> bool:
        """Whether a column of the sheet with this name fills it."""
        return any(is_same(one, name) for one in spellings(self.column or ()))

    @property
    def _written(self) -> dict[Rule, Any]:
        """The rules of this column, as they are written. A bound may be 0, which Python calls equal to False."""
        fields = {rule: getattr(self, rule.name) for rule in RULES}
        return {rule: value for rule, value in fields.items() if value is not None and value != rule.absent}

    @property
    def rules(self) -> tuple[AskedRule, ...]:
        """What the values must keep beyond their type."""
        return () if self.type is None else asked_rules(self.type, self._written.items())

    @property
    def sign(self) -> SignWords | None:
        """The words for its sign, if they stand in another column."""
        return self.negative if isinstance(self.negative, SignWords) and self.negative.column else None

    @property
    def writes(self) -> str:
        """What this column says that only texts can write: numbers, dates, truth values; nothing if it says none."""
        if self.date_format:
            return "dates"
        if self.true or self.false:
            return "truth values"
        negative = None if self.sign else self.negative
        return "numbers" if self.decimal or self.thousands or negative or self.strip or self.percent else ""

    def asked(self, rule: Rule) -> Any:
        """What this column asks by the rule, as it is written; the rule's ``absent`` if nothing."""
        return getattr(self, rule.name)
