"""Why rows are rejected."""

from __future__ import annotations

from factload.reasons import REASONS


def reason_table(_: str) -> str:
    """A row a reason, with its words."""
    rows = [f"| `{reason}` | {words} |" for reason, words in REASONS.items()]
    return "\n".join(["| reason | what it means |", "| --- | --- |", *rows])
