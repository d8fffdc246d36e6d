"""factload turns spreadsheets into fact rows. Start at :mod:`factload.pipeline`."""

from __future__ import annotations

__version__ = "0.1.0"
