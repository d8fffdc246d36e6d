"""What publishing would change in numbers: rows and control totals, against what is published."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from factload.ledger.opening import Before


def change_of(before: Before | None, rows: int, totals: Mapping[str, Decimal]) -> dict[str, Any] | None:
    """``of``: what is compared with; ``rows`` and ``totals`` (measure → exact decimal text), each before and after.
    None where nothing is published yet, of this period or of an earlier one."""
    if before is None:
        return None
    return {
        "of": before.of,
        "rows": {"before": before.rows, "after": rows},
        "totals": {
            name: {"before": f"{before.totals.get(name, Decimal(0)):f}", "after": f"{total:f}"}
            for name, total in totals.items()
        },
    }
