"""What may be asked for: days that a calendar can count with, and text that a database can hold."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(9900, 12, 31)  # room to count on both sides
Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]

_NUL = "\x00"


def holds_nul(path: str, query: bytes) -> bool:
    """Whether a request's path or its parameters hold a NUL, which no text of PostgreSQL can."""
    return _NUL in path or b"%00" in query or _NUL.encode() in query
