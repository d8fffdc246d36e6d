"""Ranges as OpenDocument writes them."""

from __future__ import annotations

import re

_SHEET = r"'(?:[^']|'')+'|[^.'!:$]+"
_CELL = r"\$?[A-Za-z]{1,3}\$?[0-9]{1,7}"
# OpenDocument 1.3 part 3, 18.3.6: the second sheet is the first one again, or left out.
_RANGE = re.compile(rf"\$?(?P<sheet>{_SHEET})\.(?P<first>{_CELL})(?::(?:\$?(?P=sheet))?\.(?P<last>{_CELL}))?")


def as_excel_writes(address: str) -> str:
    """A range as OpenDocument writes it, ``$Facts.$A$2:.$B$3``, in Excel's form; all else as it is."""
    match = _RANGE.fullmatch(address.strip())
    if match is None:
        return address
    return f"{match['sheet']}!{match['first']}" + (f":{match['last']}" if match["last"] else "")
