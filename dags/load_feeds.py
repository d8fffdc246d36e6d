"""One DAG for each feed file, ``load_<feed>``: ``factload.airflow.dags`` has the steps, and the runbook on top."""

from __future__ import annotations

from factload.airflow import feed_dags

globals().update(feed_dags())
