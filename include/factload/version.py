"""The version of factload: what is staged by another one is staged anew."""

from __future__ import annotations

__version__ = "0.5.0"
