"""The DAG ``verify_feeds``, if FACTLOAD_VERIFY_SCHEDULE says when it runs: ``factload.airflow.verify_dag`` has it."""

from __future__ import annotations

from factload.airflow import verify_dags

globals().update(verify_dags())
