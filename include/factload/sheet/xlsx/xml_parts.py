"""Small XML parts of a workbook, and the names of SpreadsheetML's elements."""

from __future__ import annotations

from collections.abc import Callable

from factload.sheet.xml_reader import XmlReader

# Transitional and Strict (ECMA-376 part 1, annex A.2 and part 4).
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
_MAIN = ("http://schemas.openxmlformats.org/spreadsheetml/2006/main ", f"{STRICT} ")


def parse_small(data: bytes, start: Callable[[str, dict[str, str]], None], part: str) -> None:
    """Call ``start(local name, attributes by local name)`` for each element of a small XML part.

    Elements of another vocabulary than the root's are extensions, which may repeat a name with another meaning
    (``x14:workbookPr`` knows nothing of ``date1904``): they are left out. Raises WorkbookError when it is not
    well-formed or has a DOCTYPE.
    """
    root: list[str] = []

    def on_start(name: str, attributes: dict[str, str]) -> None:
        vocabulary, _, local = name.rpartition(" ")
        if not root:
            root.append(vocabulary)
        if vocabulary == root[0]:
            start(local, {key.rpartition(" ")[2]: value for key, value in attributes.items()})

    XmlReader(part, start=on_start).feed(data, final=True)


def is_true(written: str) -> bool:
    """Whether an attribute says yes (ECMA-376 part 1, 22.9.2.1, and what Strict adds)."""
    return written.strip().lower() in ("1", "true", "on")


def main_name(name: str) -> str:
    """The local name of an element of SpreadsheetML ("uri local"), "" for one of another vocabulary."""
    return next((name[len(space) :] for space in _MAIN if name.startswith(space)), "")
