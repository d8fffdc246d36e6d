"""What may be in a load once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OnceOnly:
    """Columns of the fact table whose values, together, may stand in a load once; ``reason``: of another row's reject.
    A row without a value in one of them is like no other, unless ``nulls_are_equal``."""

    columns: tuple[str, ...]
    reason: str
    nulls_are_equal: bool = False
