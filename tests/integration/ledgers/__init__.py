"""A ledger of every older version, as SQL."""

from pathlib import Path

OLDER = sorted(
    Path(__file__).parent.glob("version_*.sql"), key=lambda path: int(path.stem.removeprefix("version_"))
)
