"""Which parts of a workbook a part leads to, and how parts are named: of .xlsx and .xlsb alike (ECMA-376, part 2)."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote

from factload.sheet.xml_reader import parse_small


def folded(part: str) -> str:
    """A part's name as names are compared: without case. Some writers use backslashes."""
    return part.replace("\\", "/").lstrip("/").lower()


def relations_part(part: str) -> str:
    """The name of the part that holds the relationships of another."""
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", name + ".rels")


def relations_in(xml: bytes, part: str) -> dict[str, tuple[str, str]]:
    """Relationship id → (last word of its type, part it leads to) of the relationships of ``part``."""
    folder, _ = posixpath.split(part)
    found: dict[str, tuple[str, str]] = {}

    def note(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship" and attributes.get("TargetMode") != "External":
            target = unquote(attributes.get("Target", "")).replace("\\", "/")
            path = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            found[attributes.get("Id", "")] = (attributes.get("Type", "").rpartition("/")[2], path)

    parse_small(xml, note, relations_part(part))
    return found
