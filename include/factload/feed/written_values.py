"""How a feed says that values are written in texts: dates, separators, marks, words; of columns, keys and csv files."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from factload.sheet.date_format import parse_date_format
from factload.sheet.names import as_seen

DecimalMark = Literal[".", ","]
ThousandsMark = Literal["", ",", ".", " ", "'", "\u00a0", "\u202f"]  # the last two: spaces that don't break
_OF_NUMBERS = "0123456789+-()"
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
        if any(c in _OF_NUMBERS for c in mark) or not as_seen(mark).strip(_SEPARATORS):
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


def in_both(true: tuple[str, ...], false: tuple[str, ...]) -> str | None:
    """A word that stands for true and for false, whatever its case."""
    folded = {as_seen(word).casefold() for word in true}
    return next((word for word in false if as_seen(word).casefold() in folded), None)
