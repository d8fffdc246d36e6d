"""How a feed says that values are written in texts: dates, separators, marks, words; of columns, keys and csv files."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from factload.feed.part import CrossFieldError, FeedPart, column_name, names_schema
from factload.sheet.date_format import parse_date_format
from factload.sheet.names import ColumnName, as_seen
from factload.sheet.text_format import NegativeSign, TextFormat

DecimalMark = Literal[".", ","]
ThousandsMark = Literal["", ",", ".", " ", "'", "\u00a0", "\u202f"]  # the last two: spaces that don't break
_OF_NUMBERS = "0123456789+-()\N{MINUS SIGN}"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u207b\uff0d"  # which people write for a minus
_MINUSES = _DASHES + "\N{MINUS SIGN}-"
_SEPARATORS = ".,"
_MARK = r"^[^0-9+()\-]*[^0-9+()\-.,\s][^0-9+()\-]*$"
_SHOWN = '["-", "N/A"]'


def _date_format(value: object) -> object:
    if isinstance(value, str):
        parse_date_format(value)
    return value


DateFormat = Annotated[str, AfterValidator(_date_format), Field(examples=["%d.%m.%Y", "%m/%d/%Y", "%Y%m%d"])]


def _words(value: object) -> tuple[str, ...]:
    words = (value,) if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        raise ValueError(
            f"expected texts, such as {_SHOWN}: put each into quotes, as YAML reads NULL, yes, no and numbers as such"
        )
    seen = [as_seen(word) for word in words]
    if "" in seen:
        raise ValueError(
            "a text without anything in it is no word: a blank cell is blank without being named here"
        )
    if len(set(seen)) < len(seen):
        raise ValueError(
            f"the text {next(word for word in seen if seen.count(word) > 1)!r} is in the list twice"
        )
    return tuple(words)


def _marks(value: object) -> tuple[str, ...]:
    marks = _words(value)
    for mark in marks:
        if any(c in _OF_NUMBERS for c in mark) or not as_seen(mark).strip(_SEPARATORS + _DASHES):
            raise ValueError(
                f"{mark!r} may be a part of a number itself: expected what stands beside one, such as a currency"
            )
    for mark, other in permutations(marks, 2):
        if any(mark in (other + point, point + other) for point in _SEPARATORS):
            raise ValueError(f"{mark!r} and {other!r} differ in what may be a decimal mark: keep one of them")
    return marks


def _or_none(check: Callable[[object], object]) -> BeforeValidator:
    return BeforeValidator(lambda value: None if value is None else check(value))


def _texts_schema(*examples: object, pattern: str = r"\S") -> WithJsonSchema:
    text = {"type": "string", "pattern": pattern}
    some = {"type": "array", "items": text, "uniqueItems": True}
    return WithJsonSchema({"anyOf": [text, some, {"type": "null"}], "examples": list(examples)})


Nulls = Annotated[tuple[str, ...] | None, _or_none(_words), _texts_schema(["-", "NULL", "N/A"])]
Words = Annotated[tuple[str, ...] | None, _or_none(_words), _texts_schema(["yes", "x"])]
Marks = Annotated[tuple[str, ...] | None, _or_none(_marks), _texts_schema(["€", "EUR"], pattern=_MARK)]


def _signs(value: object) -> tuple[str, ...]:
    words = _words(value)
    if not words:
        raise ValueError("expected one word at least, such as S")
    return words


def _signs_schema(pattern: str, **more: Any) -> dict[str, Any]:
    one: dict[str, Any] = {"type": "string", "pattern": pattern}
    return {"anyOf": [one, {"type": "array", "items": one, "uniqueItems": True, "minItems": 1}], **more}


_LIKE_A_MINUS = _MINUSES.replace("-", r"\-")
_EXAMPLES = {"examples": ["H", ["D", "Dr"]]}
Minus = Annotated[tuple[str, ...], BeforeValidator(_signs), WithJsonSchema(_signs_schema(r"\S", **_EXAMPLES))]
Plus = Annotated[
    tuple[str, ...],
    BeforeValidator(_signs),
    WithJsonSchema(
        _signs_schema(rf"^[^{_LIKE_A_MINUS}]*[^\s{_LIKE_A_MINUS}][^{_LIKE_A_MINUS}]*$", **_EXAMPLES)
    ),
]


class SignWords(FeedPart):
    """Words beside a number that say its sign, as banks and SAP write them: `5.00 S`, `Cr 5.00`; or in a column of
    their own."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"column": {"type": ["string", "array"]}}, "required": ["column"]},
            "else": {"properties": dict.fromkeys(["minus", "plus"], _signs_schema(_MARK))},
        }
    )

    column: Annotated[
        ColumnName | None,
        BeforeValidator(column_name),
        names_schema("D/C", ["D/C", "S/H"], one={"type": "string", "pattern": r"\S"}, optional=True),
    ] = None
    """The sheet's column that holds the word, or a list of names of which each sheet has one; without it the word
    stands in the number's own cell."""
    minus: Minus
    """Those of negative numbers, in the case that is written: a bank's `Dr`, an account's `H`, or a dash, `–`."""
    plus: Plus = ()
    """Those of the others. With them every number has a word of either kind, and one without is a reject, as is one
    that has a sign of its own. Without them a number without a word is what it says; in a `column` any other word is a
    reject even so."""

    @field_validator("column")
    @classmethod
    def _some_name(cls, column: ColumnName | None) -> ColumnName | None:
        if isinstance(column, str) and not column.strip():
            raise ValueError("expected a column's name")
        return column

    @model_validator(mode="after")
    def _different(self) -> Self:
        if word := next((word for word in self.plus if as_seen(word) in map(as_seen, self.minus)), None):
            raise ValueError(f"{word!r} would be plus and minus: expected each word on one side")
        if word := next((word for word in self.plus if any(c in _MINUSES for c in word)), None):
            raise ValueError(f"{word!r} looks like a minus, and stands under `plus`")
        return self

    @model_validator(mode="after")
    def _no_part_of_a_number(self) -> Self:
        for field, words in {"minus": self.minus, "plus": self.plus}.items():
            for word in () if self.column else words:
                if any(c in _OF_NUMBERS for c in word) or not as_seen(word).strip(_SEPARATORS):
                    raise CrossFieldError(
                        f"{word!r} may be a part of a number itself: expected a word beside one, such as S; or "
                        "`column`, if it stands in a column of its own",
                        field,
                    )
        return self


Negative = NegativeSign | SignWords


def text_format(
    decimal: str, thousands: str, negative: Negative, date_format: str | None = None, **others: Any
) -> TextFormat:
    """How texts are written by what a feed says of them."""
    if not isinstance(negative, SignWords):
        return TextFormat(decimal, thousands, date_format or "", negative, **others)
    if negative.column is not None:
        return TextFormat(decimal, thousands, date_format or "", **others)
    return TextFormat(
        decimal, thousands, date_format or "", minus=negative.minus, plus=negative.plus, **others
    )


def read_as_another(written: TextFormat) -> str | None:
    """A word for a sign, or a mark, that is the other as well, or that another one makes together with a third, or with
    a decimal mark; None if there is none such."""
    signs = ["".join(word.split()) for word in written.minus + written.plus]
    marks = ["".join(mark.split()) for mark in (written.strip or (("%",) if written.percent else ()))]
    for one, other in permutations(signs + marks if signs else (), 2):
        if one == other or any(
            one in (other + rest, rest + other) for rest in (*signs, *marks, *_SEPARATORS)
        ):
            return one
    return None


def in_both(true: tuple[str, ...], false: tuple[str, ...]) -> str | None:
    """A word that stands for true and for false, whatever its case."""
    folded = {as_seen(word).casefold() for word in true}
    return next((word for word in false if as_seen(word).casefold() in folded), None)
