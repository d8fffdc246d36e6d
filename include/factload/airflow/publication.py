"""What Airflow is told of a published load: the event of the fact table's asset, and what the asset's state keeps.

The event goes out with the task's success, in one transaction of Airflow's: whoever asks for the events that there are
knows what was told, and what was lost with a worker.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowRuntimeError
from airflow.sdk.execution_time.context import InletEventsAccessor

from factload.airflow.assets import fact_asset
from factload.feed.model import Feed
from factload.reports.publication import PublishedContent

_log = logging.getLogger(__name__)

# How far the clocks of warehouse and Airflow may be apart. Within it, an event is looked for among all others.
_CLOCKS_APART = timedelta(hours=1)


def tell_airflow(context: Any, feed: Feed, published: PublishedContent) -> None:
    """Have the end of this task tell, once for each published content: the event of the fact table with the period as
    its partition key. ``context``: of a task whose outlet is the fact table.

    A content that Airflow knows already is not told again: after a task was cleared, or a reload that changed nothing.
    """
    asset = fact_asset(feed)
    if _is_told(asset, published):
        _log.info("%s: these rows were told of before, so there is no event", published.load_id)
        context["task"].outlets = []  # each that is left would be an event
        return
    event = context["outlet_events"][asset]
    event.extra = published.to_json()
    if hasattr(event, "add_partitions"):  # from Airflow 3.3 on
        event.add_partitions(published.period)
        if context["dag_run"].partition_key is None:
            # Airflow starts DAGs without partitions only on an event without a key: it gets one as well.
            event.partition_keys.add(None)
    _keep(context, asset, published)


def _is_told(asset: Asset, published: PublishedContent) -> bool:
    # The table as an inlet of the task would do the same, and show every DAG as its own consumer.
    events = InletEventsAccessor(asset_name=asset.name, asset_uri=asset.uri)
    recent = events.after((published.since - _CLOCKS_APART).isoformat())
    return any(published.is_told_by(event.extra or {}) for event in recent)


def _keep(context: Any, asset: Asset, published: PublishedContent) -> None:
    """Note the load in the asset's state, where it stays until it is published anew."""
    if "asset_state_store" not in context:  # before Airflow 3.3
        return
    try:
        context["asset_state_store"][asset].set(published.load_id, published.to_json())
    except AirflowRuntimeError as error:
        _log.warning("%s is published; the asset's state could not be noted: %s", published.load_id, error)
