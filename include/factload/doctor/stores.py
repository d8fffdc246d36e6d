"""The allowed roots that have a URL: does each answer, to this user?"""

from __future__ import annotations

from factload.doctor.finding import Finding
from factload.errors import FactloadError
from factload.settings import settings
from factload.split.remote import is_there

_CHECK = "store"


def store_findings() -> list[Finding]:
    """One for each root."""
    return [_finding(url) for url in settings().allowed_urls]


def _finding(url: str) -> Finding:
    try:
        there = is_there(url)
    except FactloadError as error:
        return Finding.of(_CHECK, url, error)
    if there:
        return Finding.ok(_CHECK, url, "answers")
    remedy = "Fine if nothing has been delivered yet; otherwise correct FACTLOAD_ALLOWED_ROOTS"
    return Finding.warning(_CHECK, url, "answers, and is empty", remedy)
