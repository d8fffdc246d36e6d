"""The narrowest type that fits a column's cells, with room to spare; what is uncertain is noted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Context, Decimal

from factload.propose.names import is_called_a_date, is_digits_alone, may_have_fractions
from factload.propose.text_shapes import Shape, digits_of, has_marks, shape_of_dates, shape_of_numbers
from factload.sheet.block import UNREADABLE, Kind
from factload.sheet.doubles import may_be_cut
from factload.sheet.numbers import parse_decimal
from factload.sheet.text_format import UNGROUPED, TextFormat
from factload.sql_types import SqlType

TOLERATED = 0.005  # of a column's cells may be rejects: as many as the proposed max_rejects
_ROOM = 4  # digits left for bigger numbers than there are yet
_DECIMALS = 4
_MOST_DECIMALS, _MOST_DIGITS = 15, 38
_NEARLY_ALL = 0.98
_AS_SHOWN = Context(prec=15)  # Excel shows 15 digits: a file's 71.98999999999999 was typed as 71.99
_BELOW_NOISE = Context(prec=12)
_NOISY_FROM, _SHORT = 14, 10  # digits
_SPREADSHEET_NUMBERS, _MOMENTS = {Kind.NUMBER}, {Kind.SERIAL, Kind.ISO_DATE, Kind.TIME}
_FIRST_DAYS = 367  # serial numbers of the year 1900: times of day and durations, no dates
_WITHOUT_VALUE = (Kind.ERROR, Kind.NO_VALUE, Kind.STALE)
# Words for nothing that are no number, no date and no truth value.
NULLS = frozenset((
    "-", "--", "\u2013", "\u2014", ".", "..", "...", "?", "N/A", "n/a", "#N/A", "NA", "na", "n.a.", "N.A.",
    "NULL", "null", "None", "none", "NaN", "nan", "k.A.", "k. A.", "s.o.", "nil", "(blank)",
))  # fmt: skip
_TRUTH = {"true", "false"}
TEXT, DOUBLE = SqlType("text"), SqlType("double")

Cells = Mapping[tuple[Kind, str], int]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a column may be read: ``written`` in its texts, if ``parse_text``; ``nulls`` are no values; ``notes`` are
    for whoever reads the feed."""

    type: SqlType
    parse_text: bool = False
    written: TextFormat = UNGROUPED
    notes: tuple[str, ...] = ()
    nulls: tuple[str, ...] = ()


_PERCENT = '12 % is 0.12; if it is to be 12: strip: ["%"]'
_TIMES = Reading(
    TEXT,
    notes=("times of day or durations, which no type here has: read as texts such as 12:20:00",),
)

_WITHOUT_A_DAY = Reading(TEXT, notes=("dates and times without a day: read as texts",))


def reading_of(header: str, cells: Cells, *, all_text: bool, decimal: str | None = None) -> Reading:
    """How a column called ``header`` with these cells may be read. ``all_text``: the file knows nothing but texts;
    ``decimal``: the mark of fractions in its other columns."""
    values = Counter({cell: n for cell, n in cells.items() if cell[0] not in UNREADABLE})
    if not values:
        return Reading(TEXT, notes=("no row seen holds anything here",))
    reading = _without_nulls(header, values, all_text=all_text, decimal=decimal)
    return reading or _of_values(header, values, all_text=all_text, decimal=decimal)


def _without_nulls(
    header: str, values: Counter[tuple[Kind, str]], *, all_text: bool, decimal: str | None
) -> Reading | None:
    """How the column is read if the usual words for nothing are no values; nothing where it is a text even so."""
    words = sorted({text.strip() for kind, text in values if kind == Kind.TEXT} & NULLS)
    rest = Counter(
        {cell: n for cell, n in values.items() if cell[0] != Kind.TEXT or cell[1].strip() not in words}
    )
    if not words or not rest:
        return None
    reading = _of_values(header, rest, all_text=all_text, decimal=decimal)
    return None if reading.type.kind == "text" else replace(reading, nulls=tuple(words))


def _of_values(
    header: str, values: Counter[tuple[Kind, str]], *, all_text: bool, decimal: str | None
) -> Reading:
    kept = _without_few(values)
    few = values.total() - kept.total()
    notes = (f"{few:,} of {values.total():,} cells seen hold something else: rejects",) if few else ()
    reading = _of_one_kind(header, kept, all_text=all_text, decimal=decimal)
    if few and reading.type == TEXT:
        reading, notes = _of_one_kind(header, values, all_text=all_text, decimal=decimal), ()
    if reading.type == TEXT and (cut := sum(n for cell, n in values.items() if _is_cut(*cell))):
        notes = (*notes, f"{cut:,} whole numbers of which Excel may have cut the last digits: rejects")
    return replace(reading, notes=(*reading.notes, *notes))


def _is_cut(kind: Kind, text: str) -> bool:
    return kind == Kind.NUMBER and may_be_cut(parse_decimal(text) or Decimal())


def _without_few(values: Counter[tuple[Kind, str]]) -> Counter[tuple[Kind, str]]:
    """The cells without those that are few and of another sort than nearly all."""
    sorts: Counter[str] = Counter()
    for (kind, text), n in values.items():
        sorts[_sort(kind, text)] += n
    few = {sort for sort, n in sorts.items() if n <= TOLERATED * values.total()}
    return Counter({cell: n for cell, n in values.items() if _sort(*cell) not in few})


def _sort(kind: Kind, text: str) -> str:
    if kind == Kind.TEXT:
        return "digits" if any(map(str.isdigit, text)) else "words"
    return "moment" if kind in _MOMENTS else kind.name


def _of_one_kind(header: str, values: Cells, *, all_text: bool, decimal: str | None) -> Reading:
    kinds = {kind for kind, _ in values}
    texts = {text for kind, text in values if kind == Kind.TEXT}
    if kinds == {Kind.NUMBER}:
        return _typed_numbers(header, {text: n for (_, text), n in values.items()})
    if kinds == {Kind.ELAPSED} or kinds <= _MOMENTS:
        return _TIMES if Kind.ELAPSED in kinds else _moments([text for _, text in values])
    if kinds == {Kind.BOOLEAN}:
        return Reading(SqlType("boolean"))
    if Kind.TEXT not in kinds or kinds & {Kind.BOOLEAN}:
        return Reading(TEXT, notes=("values of several kinds: read as texts",))
    if kinds == {Kind.TEXT} and {text.strip().lower() for text in texts} <= _TRUTH:
        return Reading(SqlType("boolean"), parse_text=not all_text)
    return _written(header, values, texts, all_text=all_text, decimal=decimal)


def _written(
    header: str, values: Cells, texts: Collection[str], *, all_text: bool, decimal: str | None
) -> Reading:
    """A column with texts: numbers or dates that are written, perhaps beside such that are cells of that kind."""
    others = {kind for kind, _ in values} - {Kind.TEXT}
    dates = numbers = Shape()
    if others <= _MOMENTS:
        dates = shape_of_dates(texts, is_called_a_date(header))
    if dates.format is not None:
        moments = [parse_decimal(text) for kind, text in values if kind in _MOMENTS]
        if any(number is not None and number < 1 for number in moments):
            return _WITHOUT_A_DAY
        timed = dates.with_time or any(
            "." in text or "T" in text for kind, text in values if kind in _MOMENTS
        )
        moment = SqlType("timestamp" if timed else "date")
        return Reading(moment, parse_text=not all_text, written=dates.format)
    if others <= _SPREADSHEET_NUMBERS:
        numbers = shape_of_numbers(texts, decimal)
    if numbers.format is not None:
        plain = dict(zip(texts, digits_of(list(texts), numbers.format), strict=True))
        digits = Counter[str]()
        for (kind, text), n in values.items():
            digits[plain[text] if kind == Kind.TEXT else text] += n
        written = numbers.format if has_marks(texts) else UNGROUPED
        exact = set(plain.values())
        notes = (_PERCENT,) if numbers.format.percent else ()
        reading = _numbers(header, digits, written, exact)
        reading = replace(reading, parse_text=not all_text, notes=(*notes, *reading.notes))
        return _without_cut_numbers(reading, [text for kind, text in values if kind == Kind.NUMBER])
    mixed = "values of several kinds: read as texts" if others else ""
    doubts = [doubt for doubt in (dates.doubt or numbers.doubt, mixed) if doubt]
    return Reading(TEXT, notes=tuple(doubts[:1]))


def _typed_numbers(header: str, texts: Mapping[str, int]) -> Reading:
    return _without_cut_numbers(_numbers(header, texts, UNGROUPED), texts)


def _without_cut_numbers(reading: Reading, typed: Iterable[str]) -> Reading:
    """Numbers in cells: those of which Excel may have cut digits are amounts, or nothing."""
    if reading.type.kind == "integer" and any(_is_cut(Kind.NUMBER, text) for text in typed):
        note = "whole numbers of more than 15 digits, of which Excel may have cut the last: as amounts"
        return replace(reading, type=SqlType("numeric", precision=_MOST_DIGITS), notes=(*reading.notes, note))
    return reading


def _moments(texts: Iterable[str]) -> Reading:
    serials = [number for text in texts if (number := parse_decimal(text)) is not None]
    if serials and max(serials) < _FIRST_DAYS:
        return _TIMES
    if serials and min(serials) < 1:
        return _WITHOUT_A_DAY
    with_time = any("T" in text or ("." in text and not text.endswith(".0")) for text in texts)
    return Reading(SqlType("timestamp" if with_time else "date"))


def _numbers(
    header: str, texts: Mapping[str, int], written: TextFormat, exact: Collection[str] = ()
) -> Reading:
    """How these numbers, each as often as it says, are read. ``exact``: those that the file holds as texts, where
    every digit counts."""
    numbers = {text: number for text in texts if (number := parse_decimal(text)) is not None}
    if not numbers or is_digits_alone(header):
        return Reading(TEXT)
    shown = {text: _AS_SHOWN.plus(number).normalize() for text, number in numbers.items()}
    whole = max((n.adjusted() + 1 for n in shown.values() if n), default=1)
    every = sum(texts[text] for text in numbers)
    clean = {text: n for text, number in shown.items() if (n := _decimals_of(number)) is not None}
    noisy = every - sum(texts[text] for text in clean)
    scale = max(clean.values(), default=0)
    notes: tuple[str, ...] = ()
    if noisy > (1 - _NEARLY_ALL) * every:
        scale = max(scale, *(_fraction(n) for n in shown.values()))
    elif noisy:
        notes = (f"{noisy:,} of {every:,} numbers seen have more decimals than these and are rounded",)
    if scale > _MOST_DECIMALS and noisy <= (1 - _NEARLY_ALL) * every:
        return Reading(DOUBLE, written=written)
    scale = min(scale, _MOST_DECIMALS)
    fractions = any(number != number.to_integral_value() for text, number in numbers.items() if text in exact)
    if scale == 0 and not fractions and not may_have_fractions(header):
        kind = SqlType("integer", bits=64) if whole < 18 else SqlType("numeric", precision=_MOST_DIGITS)
        return Reading(kind if whole <= _MOST_DIGITS else DOUBLE, written=written, notes=notes)
    scale = max(_DECIMALS, scale)
    if whole + scale > _MOST_DIGITS:
        return Reading(DOUBLE, written=written)
    precision = min(_MOST_DIGITS, max(18, whole + _ROOM + scale))
    return Reading(SqlType("numeric", precision=precision, scale=scale), written=written, notes=notes)


def _decimals_of(number: Decimal) -> int | None:
    """The decimals of a number; of one that is a short one but for the noise of a binary fraction, that one's; nothing
    for one with as many digits as there are: it was computed."""
    if len(number.as_tuple().digits) < _NOISY_FROM:
        return _fraction(number)
    short = _BELOW_NOISE.plus(number).normalize()
    return _fraction(short) if len(short.as_tuple().digits) <= _SHORT else None


def _fraction(number: Decimal) -> int:
    return max(0, -int(number.as_tuple().exponent))


def widened(reading: Reading, reasons: Collection[str], raws: Iterable[str]) -> Reading:
    """How the column is read when these reasons made too many of its cells rejects."""
    numbers = [n for raw in raws if (n := parse_decimal(re.sub(r"\s", "", raw))) is not None]
    if reading.type.kind == "integer" and set(reasons) == {"not_an_integer"}:
        scale = max([_DECIMALS, *(_fraction(_AS_SHOWN.plus(n).normalize()) for n in numbers)])
        return replace(reading, type=SqlType("numeric", precision=34, scale=min(scale, _MOST_DECIMALS)))
    if reading.type.kind == "date" and set(reasons) == {"not_a_date"} and not reading.parse_text:
        return replace(reading, type=SqlType("timestamp"))
    if reading.type.kind in ("integer", "numeric") and set(reasons) == {"number_out_of_range"}:
        return replace(reading, type=DOUBLE)
    return Reading(TEXT, notes=("values of several kinds: read as texts",))
