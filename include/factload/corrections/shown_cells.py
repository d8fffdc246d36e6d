"""How a cell of a sheet is shown in a rejects workbook, and whether a person has changed it there since.

A workbook can't hold everything that a sheet or a csv file can: what it can't is shown by signs, and its cell stays
what it was unless a person types another value. Saving a workbook in another program alters some cells as well (a
number's last digits, line ends, a text of blanks); that is no change either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from factload.sheet.block import DATED, Kind
from factload.sheet.dates import iso_micros, serial_millis
from factload.sheet.numbers import parse_decimal
from factload.sheet.unstorable import as_escaped
from factload.sheet.xlsx.character_data import settle_text

FORM = "1"  # changes whenever `show` shows a cell otherwise: workbooks written before are refused then
LONGEST_TEXT = 32_767  # UTF-16 units: Excel's limit
CUT = " [… factload: the text goes on]"
# Whoever knows what belongs there types it; a cell that is left as it is stays what it was.
_SHOWN_BLANK = (Kind.BLANK, Kind.STALE, Kind.MERGED, Kind.AMBIGUOUS)
_EPOCH = datetime(1970, 1, 1)
_FIRST_DAY, _LAST_DAY = datetime(1900, 3, 1), datetime(10_000 - 1, 12, 31, 23, 59, 59, 999_000)
_NEAR, _MILLI = timedelta(milliseconds=1), 1 / 86_400_000  # of a day
_TOO_BIG, _EXACT_BELOW = Decimal("1e308"), 10**15
_PHANTOM = 60  # the last day that Excel counts otherwise than the calendar: below it a cell shows a time
_PICTURES = 0x2400  # U+2401 is the picture of U+0001
_MARKED = re.compile("\0x([0-9A-F]{4})_")  # by ``unstorable``
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_NO_CHARACTER = re.compile("[\ufffe\uffff]")
_LINE_END = re.compile("\r\n?")
_ERRORS = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a cell shows. ``signs``: those in its text that stand for something a workbook can't hold."""

    what: Literal["nothing", "text", "number", "time", "moment", "boolean", "error"]
    value: str | int | float | datetime | bool | None = None
    signs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Saved:
    """The workbook in which a cell came back: how its dates count, and what its kind of file loses."""

    date1904: bool = False
    texts_alone: bool = False  # csv
    by_calamine: bool = False  # .ods, .xls, .xlsb: no errors in the first, no tabs


def show(kind: int, text: str, *, date1904: bool) -> Shown:
    """How a cell of the sheet is shown."""
    shown: Shown | None = None
    if kind in (Kind.NUMBER, *DATED):
        shown = _show_number(kind, text, date1904)
    elif kind == Kind.ISO_DATE and (moment := _moment(kind, text, date1904)) is not None:
        shown = Shown("moment", moment)
    elif kind == Kind.BOOLEAN and text in ("0", "1"):
        shown = Shown("boolean", text == "1")
    elif kind in (Kind.ERROR, Kind.RICH) and text in _ERRORS:
        shown = Shown("error", text)
    return shown or (_show_text(text) if kind not in _SHOWN_BLANK and text else Shown("nothing"))


def is_changed(shown: Shown, kind: int, text: str, saved: Saved) -> bool:
    """Whether the cell that came back holds something else than what was shown."""
    if saved.texts_alone and kind == Kind.TEXT:
        return not _says(shown, text)
    return not _STANDS[shown.what](shown, kind, text, saved)


def keeps_sign(shown: Shown, text: str) -> bool:
    """Whether a changed text still has a sign that stands for something else."""
    cut = CUT in str(shown.value) and CUT.strip() in text
    return cut or any(sign in text for sign in shown.signs)


def calendar_cell(kind: Kind, text: str, saved: Saved) -> tuple[Kind, str]:
    """A cell that came back, so that it means the same in a workbook whose dates count otherwise."""
    if kind in (Kind.SERIAL, Kind.TIME) and (moment := _moment(kind, text, saved.date1904)) is not None:
        return Kind.ISO_DATE, moment.isoformat(timespec="milliseconds")
    return kind, text


def _show_number(kind: int, text: str, date1904: bool) -> Shown | None:
    number = parse_decimal(text)
    if number is None or abs(number) >= _TOO_BIG:
        return None
    if kind in (Kind.SERIAL, Kind.TIME) and (moment := _moment(kind, text, date1904)) is not None:
        return Shown("moment", moment)
    if (kind == Kind.ELAPSED and number >= 0) or (kind in DATED and 0 <= number <= _PHANTOM):
        return Shown("time", float(number))
    whole = number == number.to_integral_value() and abs(number) < _EXACT_BELOW
    return Shown("number", int(number) if whole else float(number))


def _moment(kind: int, text: str, date1904: bool) -> datetime | None:
    """The date and time that a cell shows, to the millisecond; none where Excel's calendar is wrong."""
    micros = iso_micros(text) if kind == Kind.ISO_DATE else None
    number = parse_decimal(text) if kind in (Kind.NUMBER, Kind.SERIAL, Kind.TIME) else None
    if number is not None and not (kind == Kind.TIME and number < 1):
        millis = serial_millis(number, date1904=date1904)
        micros = None if millis is None else millis * 1000
    if micros is None:
        return None
    moment = _EPOCH + timedelta(milliseconds=round(micros / 1000))
    return moment if _FIRST_DAY <= moment <= _LAST_DAY else None


def _show_text(text: str) -> Shown:
    signs = {f"_x{code}_" for code in _MARKED.findall(text)}
    seen = _LINE_END.sub("\n", as_escaped(text))
    signs |= {chr(_PICTURES + ord(c)) for c in _NOT_IN_XML.findall(seen)}
    if _NO_CHARACTER.search(seen):
        signs.add("\ufffd")
    seen = _NOT_IN_XML.sub(lambda match: chr(_PICTURES + ord(match[0])), seen)
    seen = _NO_CHARACTER.sub("\ufffd", seen)
    if _units(seen) > LONGEST_TEXT:
        seen = _cut(seen, LONGEST_TEXT - _units(CUT)) + CUT
    return Shown("text", seen, tuple(sorted(signs)))


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def _cut(text: str, units: int) -> str:
    return text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore")


def _same_nothing(_: Shown, kind: int, text: str, __: Saved) -> bool:
    return kind in (Kind.BLANK, Kind.TEXT) and not text.strip()


def _same_text(shown: Shown, kind: int, text: str, saved: Saved) -> bool:
    before, text = str(shown.value), _LINE_END.sub("\n", text)
    if kind == Kind.BLANK:
        return not before.strip()
    if saved.by_calamine:
        before, text = before.replace("\t", ""), text.replace("\t", "")
    same = text == before
    if not same and "_x" in before:
        # Programs differ in which escapes they decode and write anew (ECMA-376 part 1, 22.9.2.19).
        same = before in (text, settle_text(text, True)) or text == settle_text(before, True)
    return same and kind in (Kind.TEXT, Kind.NO_VALUE)


def _same_error(shown: Shown, kind: int, text: str, saved: Saved) -> bool:
    lost = saved.by_calamine and kind == Kind.BLANK
    return lost or kind == Kind.ERROR or (kind == Kind.TEXT and text == shown.value)


def _same_boolean(shown: Shown, kind: int, text: str, _: Saved) -> bool:
    return kind in (Kind.BOOLEAN, Kind.NUMBER) and text == ("1" if shown.value else "0")


def _same_number(shown: Shown, kind: int, text: str, _: Saved) -> bool:
    """Programs keep 15, 16 or 17 digits of a number. What is formatted as a date now is no number any more."""
    number = parse_decimal(text) if kind == Kind.NUMBER else None
    if number is None or not isinstance(shown.value, int | float):
        return False
    before = float(shown.value)
    return float(number) in (before, *(float(f"{before:.{digits}e}") for digits in (14, 15)))


def _same_time(shown: Shown, kind: int, text: str, saved: Saved) -> bool:
    is_time = kind in DATED or (kind == Kind.NUMBER and (saved.by_calamine or saved.texts_alone))
    number = parse_decimal(text) if is_time else None
    return (
        number is not None and isinstance(shown.value, float) and abs(float(number) - shown.value) <= _MILLI
    )


def _same_moment(shown: Shown, kind: int, text: str, saved: Saved) -> bool:
    """What is formatted as a number now is no date any more."""
    moment = _moment(kind, text, saved.date1904) if kind != Kind.NUMBER else None
    return isinstance(shown.value, datetime) and moment is not None and abs(shown.value - moment) <= _NEAR


_STANDS: Mapping[str, Callable[[Shown, int, str, Saved], bool]] = {
    "nothing": _same_nothing,
    "text": _same_text,
    "number": _same_number,
    "time": _same_time,
    "moment": _same_moment,
    "boolean": _same_boolean,
    "error": _same_error,
}


def _says(shown: Shown, text: str) -> bool:
    """Whether a csv text spells the value that was shown."""
    text = text.strip()
    if shown.what in ("number", "time"):
        return _STANDS[shown.what](shown, Kind.NUMBER, text, Saved(texts_alone=True))
    if shown.what == "boolean":
        return text.upper() == str(shown.value).upper()
    if shown.what == "moment":
        return _same_moment(shown, Kind.ISO_DATE, text.replace(" ", "T", 1), Saved())
    return _same_text(Shown("text", str(shown.value or "").strip()), Kind.TEXT, text, Saved())
