"""What a load reads and writes, as Airflow's assets: other DAGs start on them, lineage shows them."""

from __future__ import annotations

from urllib.parse import quote

from airflow.sdk import Asset

from factload.feed.model import Feed


def fact_asset(feed: Feed) -> Asset:
    """The fact table. A DAG with ``schedule=[fact_asset(feed)]``, or with this name, starts when a load is published.

    The scheme is one of no provider: which server it is, only the connection knows, and that is secret.
    """
    connection = feed.fact.connection if "://" not in feed.fact.connection else "warehouse"
    return Asset(
        name=f"{connection}.{feed.fact.table}", uri=f"x-factload://{connection}/{quote(feed.fact.table)}"
    )


def workbook_asset(feed: Feed) -> Asset:
    """The workbooks at the feed's path, whatever the period. Feeds that read the same workbooks share it."""
    path = feed.workbook.path
    return Asset(name=f"workbooks {path}", uri=f"x-factload://workbooks/{quote(path)}")
