"""The format of numbers and dates in texts, if all texts fit exactly one format."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from factload.sheet.text_format import TextFormat
from factload.vectors import matches, texts

_SPACES = (" ", "\u00a0", "\u202f")
_NUMBERS = tuple(
    TextFormat(decimal, thousands)
    for thousands in ("", ",", ".", "'", *_SPACES)
    for decimal in (".", ",")
    if decimal != thousands
)
_A_CODE = re.compile(r"[+-]?0[0-9].*|\+.*|.*[eE].*|[0-9 ]{19,}")  # 00123, +49 30 …, 1E5: texts, not numbers
_LONGEST_NUMBER = 18  # digits: more of them are no amount
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?P<time>[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?")
_DAYS = (
    "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d",
    "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%y/%m/%d", "%d-%m-%y", "%m-%d-%y", "%y-%m-%d",
)  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S", ", %H:%M", ", %H:%M:%S", "T%H:%M:%S")
_GLUED = "%Y%m%d"
_YEARS = range(1900, 2101)
_AS_A_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\D?.*")
_TRIED_FIRST = 50


@dataclass(frozen=True, slots=True)
class Shape:
    """What texts write: ``format`` for numbers (``fractions``: some have such) or dates (``with_time``); ``doubt``
    says why they are left as texts though they look like values."""

    format: TextFormat | None = None
    with_time: bool = False
    doubt: str = ""


def shape_of_numbers(written: Collection[str], decimal: str | None = None) -> Shape:
    """How numbers are written in all of these texts. ``decimal``: the mark that the file's other columns have."""
    plain = [text.strip(" \t") for text in written]
    if not plain or any(_A_CODE.fullmatch(t) or sum(map(str.isdigit, t)) > _LONGEST_NUMBER for t in plain):
        return Shape()
    fitting = [f for f in _NUMBERS if _all(plain[:_TRIED_FIRST], f) and _all(plain, f)]
    if not fitting:
        return Shape(doubt=_like_numbers(plain))
    known = [f for f in fitting if f.decimal == decimal]
    if decimal and known:
        return Shape(known[0])
    if len({tuple(_digits(text, f) for text in plain) for f in _first_of_each(fitting)}) > 1:
        return Shape(
            doubt="numbers whose marks may part fractions or thousands: with `type: numeric(18,4)` say `decimal` "
            "and `thousands`"
        )
    return Shape(fitting[0])


def has_marks(written: Collection[str]) -> bool:
    """Whether some of the numbers have a mark that parts digits."""
    return any(not text.strip(" \t").lstrip("+-").isdigit() for text in written)


def _all(written: Sequence[str], number: TextFormat) -> bool:
    return bool(matches(texts(written), number.pattern).all())


def _first_of_each(fitting: Sequence[TextFormat]) -> list[TextFormat]:
    return list({f.decimal: f for f in reversed(fitting)}.values())[::-1]


def _digits(text: str, number: TextFormat) -> str:
    return (text.replace(number.thousands, "") if number.thousands else text).replace(number.decimal, ".")


def _like_numbers(written: Collection[str]) -> str:
    signs = re.compile(r"\(?[+-]?[€$£]?\s?[\d.,' ]*\d\s?(?:[€$£%]|EUR|USD|CHF|GBP)?-?\)?")
    if not all(signs.fullmatch(text) for text in written):
        return ""
    return "numbers with brackets, a currency, a percent sign or a trailing minus, which are not parsed"


def shape_of_dates(written: Collection[str], called_a_date: bool) -> Shape:
    """How dates are written in all of these texts: ``format.date`` is "" for ISO 8601."""
    plain = [text.strip(" \t") for text in written]
    if not plain:
        return Shape()
    iso = [_ISO.fullmatch(text) for text in plain]
    if all(iso):
        good = all(_is_iso(text) for text in plain)
        return Shape(TextFormat(), with_time=any(m and m["time"] for m in iso)) if good else Shape()
    wanted = [day + time for time in _TIMES for day in (*_DAYS, *((_GLUED,) if called_a_date else ()))]
    fitting = [f for f in wanted if _all_dates(plain[:_TRIED_FIRST], f) and _all_dates(plain, f)]
    if len(fitting) == 1:
        return Shape(TextFormat(date=fitting[0]), with_time="%H" in fitting[0])
    if fitting:
        ways = " or ".join(fitting)
        return Shape(doubt=f"dates that may be {ways}: with `type: date` say which in `date_format`")
    looks = all(_AS_A_DATE.fullmatch(text) for text in plain)
    return Shape(doubt="dates that are not all in one known format" if looks else "")


def _is_iso(text: str) -> bool:
    try:
        return datetime.fromisoformat(text.partition(".")[0]).year in _YEARS
    except ValueError:
        return False


def _all_dates(written: Sequence[str], date_format: str) -> bool:
    digits = 8 if date_format.startswith(_GLUED) else 0
    return all((not digits or text[:8].isdigit()) and _is_date(text, date_format) for text in written)


def _is_date(text: str, date_format: str) -> bool:
    try:
        return text.isascii() and datetime.strptime(text, date_format).year in _YEARS
    except ValueError:
        return False
