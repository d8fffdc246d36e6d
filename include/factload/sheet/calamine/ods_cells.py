"""What a cell of an .ods sheet holds.

Source: OpenDocument 1.3 part 3, table:table-cell, office:value-type, and 6.1 on white space. calamine loses tabs, line
breaks and CDATA, and takes a formula without a value for a blank cell, an error for a blank one or for 0, and elapsed
time for a text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from factload.sheet.calamine.cell_values import (
    AMBIGUOUS,
    BLANK,
    BOOLEAN,
    ELAPSED,
    ERROR,
    ISO_DATE,
    NO_VALUE,
    NUMBER,
    TEXT,
    TIME,
    Held,
)
from factload.sheet.calamine.ods_content import TABLE
from factload.sheet.calamine.refused import Refused

OFFICE, TEXTS = (f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0 " for name in ("office", "text"))
_CALC = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 "
_VALUE = {"float": "value", "percentage": "value", "currency": "value"} | {
    name: f"{name}-value" for name in ("date", "time", "boolean", "string")
}
_ERROR_WORDS = re.compile(r"#(?:DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!)|Err:[0-9]{3}")
_LIKE_AN_ERROR = re.compile(r"#[^\W\d_]\S*|Err:[0-9]{3}")  # in any language
_DURATION = re.compile(r"PT(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9}(?:[.,][0-9]{1,40})?)S)?")
_DAY = 86_400
_WHITE = re.compile("[ \t\r\n]+")
_PARAGRAPHS = (TEXTS + "p", TEXTS + "h")
_BREAKS = {TEXTS + "tab": "\t", TEXTS + "line-break": "\n"}
_NO_TEXT = (TEXTS + "note", TEXTS + "ruby-text")
_NEVER = -1


class OdsCell:
    """Told of the elements within a cell, it knows what the cell holds in the end.

    ``most_chars``: of its text. Raises ``Refused`` for more.
    """

    def __init__(self, attributes: Mapping[str, str], most_chars: int) -> None:
        self._attributes, self._most_chars = attributes, most_chars
        self._formula = attributes.get(TABLE + "formula")
        self._type = attributes.get(OFFICE + "value-type", "float" if OFFICE + "value" in attributes else "")
        self._value = attributes.get(OFFICE + _VALUE.get(self._type, "string-value"))
        self._written: list[str] = []
        self._size = self._paragraphs = 0
        self.depth = 0  # of the elements within the cell that are open
        # The depth of the element whose text is none of the cell's; of most cells the value says all.
        self._silent = 0 if self._value is None or self._formula is not None else _NEVER
        self._after_space = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self.depth += 1
        if self._silent:
            return
        if self.depth == 1 and name in _PARAGRAPHS:
            self._paragraphs += 1
            if self._paragraphs > 1:
                self._write("\n")
            self._after_space = True  # white space at the beginning of a paragraph is none
        elif self.depth == 1 or not name.startswith(TEXTS) or name in _NO_TEXT:
            self._silent = self.depth
        elif name == TEXTS + "s":
            count = attributes.get(TEXTS + "c", "1")
            most = self._most_chars + 1
            self._write(" " * (min(int(count), most) if count.isdecimal() and len(count) < 10 else 1))
        elif name in _BREAKS:
            self._write(_BREAKS[name])

    def end(self) -> None:
        if self._silent == self.depth:
            self._silent = 0
        self.depth -= 1

    def data(self, text: str) -> None:
        """Characters: white space of any length is one space."""
        if self._silent or not self.depth:
            return
        text = _WHITE.sub(" ", text)
        if self._after_space:
            text = text.removeprefix(" ")
        if text:
            self._write(text)
            self._after_space = text.endswith(" ")

    @property
    def held(self) -> Held:
        """The kind of what the cell holds (``factload.sheet.block.Kind``), and its text."""
        value, shown = self._value, "".join(self._written)
        if self._shows_error(shown):
            return ERROR, shown or "#ERROR"
        if self._formula is not None and value is None and not shown and self._type != "string":
            return NO_VALUE, "=" + self._formula.partition("=")[2]
        if self._type in ("", "string", "void"):
            text = shown if value is None else value
            return (TEXT, text) if text else (BLANK, "")
        return _typed(self._type, value, shown)

    def _shows_error(self, shown: str) -> bool:
        """Whether the cell shows an error: older programs save that of a formula as 0, or as an empty text."""
        if self._attributes.get(_CALC + "value-type") == "error":
            return True
        likely = _LIKE_AN_ERROR if self._value in (None, "", "0") else _ERROR_WORDS
        return self._formula is not None and likely.fullmatch(shown) is not None

    def _write(self, text: str) -> None:
        self._after_space = False
        self._size += len(text)
        if self._size > self._most_chars:
            raise Refused("text_chars")
        self._written.append(text)


def _typed(kind: str, value: str | None, shown: str) -> Held:
    """A value that is no text. Without one, or of an unknown type, what the cell shows is read differently."""
    if kind not in _VALUE or value is None:
        return AMBIGUOUS, shown
    value = value.strip()
    if kind == "date":
        return ISO_DATE, value
    if kind == "time":
        return _time(value)
    if kind == "boolean":
        return BOOLEAN, {"true": "1", "false": "0"}.get(value.lower(), value)
    return NUMBER, value


def _time(value: str) -> Held:
    """A time of day, or elapsed time from a day on, as a part of a day."""
    match = _DURATION.fullmatch(value)
    if match is None or value.endswith("T"):
        return ISO_DATE, value
    hours, minutes, seconds = (float((group or "0").replace(",", ".")) for group in match.groups())
    total = hours * 3600 + minutes * 60 + seconds
    return (TIME if total < _DAY else ELAPSED), repr(total / _DAY)
