"""Which cell styles of a workbook show a number as a date, a time of day, or elapsed time."""

from __future__ import annotations

import re
from collections.abc import Mapping

from factload.sheet.block import Kind
from factload.sheet.xml_reader import parse_small

# ECMA-376 part 1, 18.8.30: the built-in formats that are dates or times, in one language at least. 34, 35, 55 and 56
# are dates in Japanese and times in Chinese: as dates nothing of them is lost.
_DATES = [*range(14, 18), 22, *range(27, 32), *range(34, 37), *range(50, 59), *range(71, 75), 77, 81]
_TIMES = [*range(18, 22), 32, 33, 45, 47, 75, 76, 78, 80]
_ELAPSED = [46, 79]
_BUILT_IN: Mapping[str, Kind] = {
    **dict.fromkeys(map(str, _DATES), Kind.SERIAL),
    **dict.fromkeys(map(str, _TIMES), Kind.TIME),
    **dict.fromkeys(map(str, _ELAPSED), Kind.ELAPSED),
}
_GENERAL = "0"
# Quoted text, escaped and padding characters, and brackets other than elapsed time say nothing about dates.
# A quote or a bracket that nothing closes goes on to the end: looked for anew at each bracket, that takes for ever.
_SILENT = re.compile(
    r'"[^"]*(?:"|\Z)|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*(?:\]|\Z)', re.IGNORECASE | re.DOTALL
)
_DATE_LETTER = re.compile(r"[dmyhs]", re.IGNORECASE)
_ELAPSED_TIME = re.compile(r"\[[hms]+\]", re.IGNORECASE)
_DAY = re.compile(r"[dy]|mmm", re.IGNORECASE)  # one m or two are minutes beside an hour or a second
_CLOCK = re.compile(r"[hs]", re.IGNORECASE)


def shown_as(code: str) -> Kind:
    """What a number looks like by a format code: a date by ``yyyy-mm-dd``, a time of day by ``h:mm``, elapsed time by
    ``[h]:mm``, a number by ``0" days"``."""
    first_section = _SILENT.sub("", code.split(";", maxsplit=1)[0])
    if _ELAPSED_TIME.search(first_section):
        return Kind.ELAPSED
    if not _DATE_LETTER.search(first_section):
        return Kind.NUMBER
    return Kind.SERIAL if _DAY.search(first_section) or not _CLOCK.search(first_section) else Kind.TIME


def date_styles(styles_xml: bytes) -> Mapping[int, Kind]:
    """Positions in ``cellXfs``, a cell's ``s``, by which a number looks like none. Raises WorkbookError."""
    custom: dict[str, Kind] = {}
    formats: list[str] = []
    within: list[str] = []

    def note(tag: str, attributes: dict[str, str]) -> None:
        if tag in ("cellXfs", "cellStyleXfs", "dxfs", "cellStyles"):
            within[:] = [tag]
        elif tag == "numFmt" and within != ["dxfs"]:
            if (number := _id_of(attributes)) is not None:
                custom[number] = shown_as(attributes.get("formatCode", ""))
        elif tag == "xf" and within == ["cellXfs"]:
            formats.append(_id_of(attributes) or _GENERAL)

    parse_small(styles_xml, note, "styles")
    kinds = [custom.get(number, _BUILT_IN.get(number, Kind.NUMBER)) for number in formats]
    return {style: kind for style, kind in enumerate(kinds) if kind != Kind.NUMBER}


def _id_of(attributes: dict[str, str]) -> str | None:
    """The id of a number format, of any length, without zeros before it; None where it is no number."""
    written = attributes.get("numFmtId", "")
    return (written.lstrip("0") or _GENERAL) if written.isdecimal() else None
