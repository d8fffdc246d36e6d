"""XML parts of a workbook: parsed without entities, refused with a name when they are broken or hostile."""

from __future__ import annotations

from collections.abc import Callable
from xml.parsers import expat

from factload.errors import WorkbookError

# Transitional and Strict (ECMA-376 part 1, annex A.2 and part 4).
_MAIN = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main ",
    "http://purl.oclc.org/ooxml/spreadsheetml/main ",
)


def damaged(seen: str) -> WorkbookError:
    """A file that was a workbook once, or says it is one."""
    return WorkbookError(
        "workbook_damaged",
        seen,
        expected="a whole, unaltered .xlsx workbook",
        remedy="Open it in Excel, save it again, and replace the file",
    )


def hostile(seen: str, limit: str) -> WorkbookError:
    """A file that asks for more than any real workbook does."""
    return WorkbookError(
        "workbook_hostile",
        seen,
        expected=limit,
        remedy="Ask its sender what it is; if it is meant so, raise the limit in the settings",
    )


def parse_small(data: bytes, start: Callable[[str, dict[str, str]], None], part: str) -> None:
    """Call ``start(local name, attributes by local name)`` for each element of a small XML part.

    Raises WorkbookError when it is not well-formed or has a DOCTYPE.
    """
    parser = safe_parser(part)

    def on_start(name: str, attributes: dict[str, str]) -> None:
        start(name.rpartition(" ")[2], {key.rpartition(" ")[2]: value for key, value in attributes.items()})

    parser.StartElementHandler = on_start
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise damaged(f"{part} is not well-formed XML ({error})") from error


def safe_parser(part: str) -> expat.XMLParserType:
    """An expat parser with namespaces ("uri local") that refuses a DOCTYPE at sight."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise hostile(f"{part} holds a DOCTYPE", "no document type, as in every real workbook")

    parser.StartDoctypeDeclHandler = refuse
    return parser


def main_name(name: str) -> str:
    """The local name of an element of SpreadsheetML ("uri local"), "" for one of another vocabulary."""
    return next((name[len(space) :] for space in _MAIN if name.startswith(space)), "")
