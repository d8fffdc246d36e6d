"""The format of numbers and dates in texts, if all texts fit exactly one format."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from factload.sheet.block import Column, Kind
from factload.sheet.text_format import TextFormat
from factload.sheet.text_values import read_text, writes
from factload.sql_types import SqlType
from factload.vectors import texts

_SPACES = (" ", "\u00a0", "\u202f")
_NUMBERS = tuple(
    TextFormat(decimal, thousands)
    for thousands in ("", ",", ".", "'", *_SPACES)
    for decimal in (".", ",")
    if decimal != thousands
)
_A_CODE = re.compile(r"[+-]?0[0-9].*|\+.*|.*[eE].*|[0-9 ]{19,}")  # 00123, +49 30 …, 1E5: texts, not numbers
_PERCENT = "%"
_MARK = re.compile(
    r"%|[€$£¥₹₺₽₩]|\b(?:AUD|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HUF|INR|JPY|NOK|PLN|SEK|TRY|USD|ZAR)\b"
)
_TRAILING = re.compile(r"[0-9.,]\s*-|-\s*$")
_MINUS_SIGN = "\N{MINUS SIGN}"
_DASHES = re.compile("[\u2010-\u2015]")  # which some write for a minus
UNDOUBTED = (("-", "+"), ("Af", "Bij"))  # the minus, and the other
# Words for debit and credit. Which of them is the minus, a bank and an accountant say differently.
SIGN_WORDS = (
    ("S", "H"), ("D", "C"), ("Dr", "Cr"), ("DR", "CR"), ("Dr.", "Cr."), ("DB", "CR"), ("Soll", "Haben"),
    ("Debit", "Credit"), ("DEBIT", "CREDIT"), ("debit", "credit"), *UNDOUBTED,
)  # fmt: skip
_A_WORD = re.compile(r"[^\W\d_]+\.?")
_NUMBER_WITH_MARKS = re.compile(r"[\s+\-(]*[0-9][0-9.,'\s]*[\s\-)]*|[\s+\-(]*[.,][0-9]+[\s\-)]*")
_YES_AND_NO = (
    ("yes", "no"), ("y", "n"), ("ja", "nein"), ("j", "n"), ("oui", "non"), ("s\u00ed", "no"), ("on", "off"),
    ("wahr", "falsch"), ("t", "f"),
)  # fmt: skip
_ANY_NUMBER = SqlType("numeric")
_LONGEST_NUMBER = 18  # digits: more of them are no amount
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?P<time>[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?")
_DAYS = (
    "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d",
    "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%y",
    "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%y/%m/%d", "%d-%m-%y", "%m-%d-%y", "%y-%m-%d",
)  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S", ", %H:%M", ", %H:%M:%S", "T%H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
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
    plain = [text.strip(" \t").replace(_MINUS_SIGN, "-") for text in written]
    if pair := _sign_words(plain):
        return _with_words(plain, *pair)
    marked, doubt = _marks_around(plain)
    bare = [_MARK.sub("", text).strip() for text in plain] if marked.strip or marked.percent else plain
    if not plain or any(_A_CODE.fullmatch(t) or sum(map(str.isdigit, t)) > _LONGEST_NUMBER for t in bare):
        return Shape()
    forms = [replace(marked, decimal=form.decimal, thousands=form.thousands) for form in _NUMBERS]
    fitting = [f for f in forms if _all(plain[:_TRIED_FIRST], f) and _all(plain, f)]
    if not fitting or doubt:
        return Shape(doubt=doubt if _like_numbers(plain) else "")
    known = [f for f in fitting if f.decimal == decimal]
    if decimal and known:
        return Shape(known[0])
    if len({tuple(digits_of(plain, f)) for f in _first_of_each(fitting)}) > 1:
        return Shape(
            doubt="numbers whose marks may part fractions or thousands: with `type: numeric(18,4)` say `decimal` "
            "and `thousands`"
        )
    return Shape(fitting[0])


def _sign_words(plain: Sequence[str]) -> tuple[str, str] | None:
    """The two words of which each of these texts has one beside a number."""
    words = {word for text in plain for word in _A_WORD.findall(_MARK.sub("", text))}
    alone = words if all(len(word) > 1 for word in words) else set()  # 5 H may be hours
    return next((pair for pair in SIGN_WORDS if words == {*pair} or (alone and alone < {*pair})), None)


def _with_words(plain: Sequence[str], debit: str, credit: str) -> Shape:
    """Numbers with words for their signs are left to a person, who is told how they are written."""
    marks = tuple(sorted({mark for text in plain for mark in _MARK.findall(text)}))
    for form in _NUMBERS:
        if _all(plain, replace(form, minus=(debit,), plus=(credit,), strip=marks)):
            said = ['type: "numeric(18,4)"', "parse_text: true"]
            said += [f'decimal: "{form.decimal}"'] if form.decimal != "." else []
            said += [f'thousands: "{form.thousands}"'] if form.thousands else []
            said += [f"strip: {list(marks)}"] if marks else []
            return Shape(
                doubt=f"numbers with {debit} or {credit} for their sign, of which one is the minus: "
                f"{', '.join(said)}, negative: {{minus: [{debit}], plus: [{credit}]}}, or the other way round"
            )
    return Shape()


def _marks_around(plain: Sequence[str]) -> tuple[TextFormat, str]:
    """What stands around the numbers in these texts; and why it can't be said, where it is not one thing."""
    marks = {mark for text in plain for mark in _MARK.findall(text)}
    trailing, brackets = any(_TRAILING.search(text) for text in plain), any("(" in text for text in plain)
    dashes = tuple(sorted({dash for text in plain for dash in _DASHES.findall(text)}))
    if dashes and not (trailing or brackets):
        form = TextFormat(minus=dashes)
    else:
        form = TextFormat(negative="parentheses" if brackets else "trailing" if trailing else "leading")
    if trailing and brackets:
        return form, "numbers with brackets and with a minus behind them: `negative` is one of these"
    if marks == {_PERCENT} and all(text.count(_PERCENT) == 1 for text in plain):
        return replace(form, percent=True), ""
    currencies = sorted(marks)
    if _PERCENT in marks:
        return form, "some numbers with a percent sign, and some without"
    if len(marks) > 1:
        return form, f"amounts of several currencies: with `type: numeric(18,4)` say `strip: {currencies}`"
    return replace(form, strip=tuple(currencies)), ""


def has_marks(written: Collection[str]) -> bool:
    """Whether some of the numbers have a mark that parts digits."""
    return any(not text.strip(" \t").lstrip("+-").isdigit() for text in written)


def _all(written: Sequence[str], number: TextFormat) -> bool:
    return bool(writes(texts(written), _ANY_NUMBER, number).all())


def _first_of_each(fitting: Sequence[TextFormat]) -> list[TextFormat]:
    return list({f.decimal: f for f in reversed(fitting)}.values())[::-1]


def digits_of(written: Sequence[str], number: TextFormat) -> list[str]:
    """The digits of texts that write numbers in this format, with a point and a leading minus."""
    column = Column(np.full(len(written), Kind.TEXT, np.uint8), texts(written))
    return [str(text) for text in read_text(column, _ANY_NUMBER, number).text.to_pylist()]


def _like_numbers(written: Collection[str]) -> bool:
    return all(_NUMBER_WITH_MARKS.fullmatch(_MARK.sub("", text)) for text in written)


def truth_words(cells: Iterable[tuple[Kind, str]]) -> TextFormat | None:
    """The usual words for true and false of which all of these cells hold one; not for `true` and `false`."""
    cells = list(cells)
    words = {text.strip().casefold() for _, text in cells}
    if any(kind != Kind.TEXT for kind, _ in cells):
        return None
    pair = next((pair for pair in _YES_AND_NO if words and words <= set(pair)), None)
    return TextFormat(true=pair[:1], false=pair[1:]) if pair else None


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
    fitting = [f for f in fitting if "%B" not in f or f.replace("%B", "%b") not in fitting]  # May is both
    if len(fitting) == 1:
        return Shape(TextFormat(date=fitting[0]), with_time="%M" in fitting[0])
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
