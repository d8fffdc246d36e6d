"""Shows what is wrong in feed files and settings as this file's import error, so that all other DAGs go on working.

Airflow takes the DAGs of a file with an import error out of the schedule, all of them; `load_feeds.py` therefore
leaves a broken feed out, and this file, which has no DAG, says why.
"""

from __future__ import annotations

from factload.airflow import check_feeds

check_feeds()
