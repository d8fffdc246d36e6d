"""Waiting for a late workbook in the triggerer, where thousands can wait and no worker slot is held."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from factload.errors import FactloadError
from factload.split.sources import stamps


class WorkbookTrigger(BaseTrigger):
    """Fires with ``{"there": True}`` when the workbook lies there whole, with False at the moment ``until``.

    ``workbook``: a path, URL or pattern as in the feed, inside the allowed roots.
    ``until``: ISO 8601 with its offset. Whole: size and time of change were the same at two looks, ``every``
    seconds apart, so a copy that is still growing isn't taken.
    """

    def __init__(self, workbook: str, until: str, every: float = 5.0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.workbook, self.until, self.every = workbook, until, every

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The class and its arguments, as Airflow keeps them."""
        arguments = {"workbook": self.workbook, "until": self.until, "every": self.every}
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look every ``every`` seconds, and once more at the end."""
        until, before = datetime.fromisoformat(self.until), None
        while True:
            seen = await asyncio.to_thread(_look, self.workbook)
            if seen is not None and seen == before:
                yield TriggerEvent({"there": True})
                return
            left = (until - datetime.now(UTC)).total_seconds()
            if left <= 0:
                yield TriggerEvent({"there": seen is not None})
                return
            before = seen
            await asyncio.sleep(min(self.every, max(left, 0.1)))


def _look(workbook: str) -> list[tuple[str, str]] | None:
    """What lies there now. A place that is not allowed isn't waited for: the load itself refuses it."""
    try:
        return stamps(workbook)
    except (FactloadError, FileNotFoundError):
        return None
