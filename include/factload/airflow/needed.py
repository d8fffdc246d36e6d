"""Which Airflow this package works with; any other is refused in one sentence, wherever the import began."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version

OLDEST = (3, 2)  # pip is told the same in pyproject.toml


def require_airflow() -> None:
    """Raise ``ImportError`` if no Airflow is installed here, or one that is too old."""
    installed = _installed()
    if installed is None:
        raise ImportError(
            "factload.airflow needs Airflow, which is not installed here. "
            'Install both: pip install "factload[airflow]"'
        )
    if tuple(map(int, re.findall(r"\d+", installed)[:2])) < OLDEST:
        raise ImportError(
            f"factload needs Airflow {OLDEST[0]}.{OLDEST[1]} or newer, and here is Airflow {installed}. "
            "Upgrade Airflow, with the constraints of its new version."
        )


def _installed() -> str | None:
    for name in ("apache-airflow-core", "apache-airflow"):  # before Airflow 3, the second alone
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None
