"""Which cell styles of a workbook show a number as a date."""

from __future__ import annotations

import re

from factload.sheet.xml_parts import parse_small

# ECMA-376 part 1, 18.8.30: the built-in formats that are dates or times, in every language.
_BUILT_IN = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
# Quoted text, escaped and padding characters, and brackets other than elapsed time say nothing about dates.
_SILENT = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_DATE_LETTER = re.compile(r"[dmyhs]", re.IGNORECASE)


def is_date_format(code: str) -> bool:
    """Whether a number format code shows a date or a time: ``yyyy-mm-dd``, ``[h]:mm``; not ``0" days"``."""
    first_section = code.split(";", maxsplit=1)[0]
    return bool(_DATE_LETTER.search(_SILENT.sub("", first_section)))


def date_styles(styles_xml: bytes) -> frozenset[int]:
    """Positions in ``cellXfs``, a cell's ``s``, whose number format is a date. Raises WorkbookError."""
    custom: dict[int, bool] = {}
    formats: list[int] = []
    within: list[str] = []

    def note(tag: str, attributes: dict[str, str]) -> None:
        if tag in ("cellXfs", "cellStyleXfs", "dxfs", "cellStyles"):
            within[:] = [tag]
        elif tag == "numFmt" and attributes.get("numFmtId", "").isdecimal() and within != ["dxfs"]:
            custom[int(attributes["numFmtId"])] = is_date_format(attributes.get("formatCode", ""))
        elif tag == "xf" and within == ["cellXfs"]:
            number = attributes.get("numFmtId", "0")
            formats.append(int(number) if number.isdecimal() else 0)

    parse_small(styles_xml, note, "styles")
    return frozenset(i for i, f in enumerate(formats) if custom.get(f, f in _BUILT_IN))
