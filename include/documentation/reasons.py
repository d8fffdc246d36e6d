"""Why rows are rejected."""

from __future__ import annotations

from factload.rejects import EXPLANATIONS


def reason_table(_: str) -> str:
    """A row a reason, with its words."""
    rows = [f"| `{reason}` | {words} |" for reason, words in EXPLANATIONS.items()]
    return "\n".join(["| reason | what it means |", "| --- | --- |", *rows])
