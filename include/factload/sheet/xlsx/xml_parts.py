"""The names of SpreadsheetML's elements, and what their attributes say."""

from __future__ import annotations

# Transitional and Strict (ECMA-376 part 1, annex A.2 and part 4).
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
_MAIN = ("http://schemas.openxmlformats.org/spreadsheetml/2006/main ", f"{STRICT} ")


def is_true(written: str) -> bool:
    """Whether an attribute says yes (ECMA-376 part 1, 22.9.2.1, and what Strict adds)."""
    return written.strip().lower() in ("1", "true", "on")


def main_name(name: str) -> str:
    """The local name of an element of SpreadsheetML ("uri local"), "" for one of another vocabulary."""
    return next((name[len(space) :] for space in _MAIN if name.startswith(space)), "")
