"""Which cell styles of a workbook show a number as a date."""

from __future__ import annotations

import re

from factload.sheet.xml_parts import parse_small

# ECMA-376 part 1, 18.8.30: the built-in formats that are dates or times, in every language.
_BUILT_IN = frozenset(map(str, [*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)]))
_GENERAL = "0"
# Quoted text, escaped and padding characters, and brackets other than elapsed time say nothing about dates.
# A quote or a bracket that nothing closes goes on to the end: looked for anew at each bracket, that takes for ever.
_SILENT = re.compile(
    r'"[^"]*(?:"|\Z)|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*(?:\]|\Z)', re.IGNORECASE | re.DOTALL
)
_DATE_LETTER = re.compile(r"[dmyhs]", re.IGNORECASE)


def is_date_format(code: str) -> bool:
    """Whether a number format code shows a date or a time: ``yyyy-mm-dd``, ``[h]:mm``; not ``0" days"``."""
    first_section = code.split(";", maxsplit=1)[0]
    return bool(_DATE_LETTER.search(_SILENT.sub("", first_section)))


def date_styles(styles_xml: bytes) -> frozenset[int]:
    """Positions in ``cellXfs``, a cell's ``s``, whose number format is a date. Raises WorkbookError."""
    custom: dict[str, bool] = {}
    formats: list[str] = []
    within: list[str] = []

    def note(tag: str, attributes: dict[str, str]) -> None:
        if tag in ("cellXfs", "cellStyleXfs", "dxfs", "cellStyles"):
            within[:] = [tag]
        elif tag == "numFmt" and within != ["dxfs"]:
            if (number := _id_of(attributes)) is not None:
                custom[number] = is_date_format(attributes.get("formatCode", ""))
        elif tag == "xf" and within == ["cellXfs"]:
            formats.append(_id_of(attributes) or _GENERAL)

    parse_small(styles_xml, note, "styles")
    return frozenset(i for i, f in enumerate(formats) if custom.get(f, f in _BUILT_IN))


def _id_of(attributes: dict[str, str]) -> str | None:
    """The id of a number format, of any length, without zeros before it; None where it is no number."""
    written = attributes.get("numFmtId", "")
    return (written.lstrip("0") or _GENERAL) if written.isdecimal() else None
