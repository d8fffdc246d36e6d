"""factload turns spreadsheets into fact rows. Start at :mod:`factload.pipeline`.

What Python code may rely on is in ``__all__``, and docs/python.md shows it at work; all else may change.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from factload.version import __version__

if TYPE_CHECKING:
    from factload.check.findings import CheckReport
    from factload.check.load import check_load
    from factload.errors import (
        AttemptLost,
        Conflict,
        ConnectionLost,
        FactloadError,
        FeedError,
        NotConnected,
        ReceiptRefused,
        ReconciliationError,
        RowsRefused,
        Superseded,
        TransientError,
        Unforeseen,
        WorkbookError,
    )
    from factload.feed.file import read_feed
    from factload.feed.model import Feed
    from factload.load import Load
    from factload.pipeline import run_load
    from factload.progress import Progress
    from factload.reports.report import Report, read_report
    from factload.scanning.batches import ScanCounts
    from factload.scanning.scan import Scan, scan

__all__ = [
    "AttemptLost",
    "CheckReport",
    "Conflict",
    "ConnectionLost",
    "FactloadError",
    "Feed",
    "FeedError",
    "Load",
    "NotConnected",
    "Progress",
    "ReceiptRefused",
    "ReconciliationError",
    "Report",
    "RowsRefused",
    "Scan",
    "ScanCounts",
    "Superseded",
    "TransientError",
    "Unforeseen",
    "WorkbookError",
    "__version__",
    "check_load",
    "read_feed",
    "read_report",
    "run_load",
    "scan",
]

_MODULES = {
    "CheckReport": "check.findings",
    "Feed": "feed.model",
    "Load": "load",
    "Progress": "progress",
    "Report": "reports.report",
    "Scan": "scanning.scan",
    "ScanCounts": "scanning.batches",
    "check_load": "check.load",
    "read_feed": "feed.file",
    "read_report": "reports.report",
    "run_load": "pipeline",
    "scan": "scanning.scan",
}


def __getattr__(name: str) -> Any:
    # Imported when asked for: the command line and Airflow's processes begin with this module, and need little of it.
    if name not in __all__:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'errors')}"), name)
