"""What Airflow's list of providers says of factload (entry point ``apache_airflow_provider``).

Airflow reads it in every process, of whatever version: nothing is imported for it, and nothing can fail.
"""

from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """As Airflow's ``provider_info.schema.json`` has it."""
    return {
        "package-name": "factload",
        "name": "factload",
        "description": "Turns spreadsheets into fact rows: DAGs out of feed files, and the Loads page.",
    }
