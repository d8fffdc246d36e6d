"""The steps of a load as Airflow tasks. Each resolves the feed and its connection, calls the engine, and returns
paths, counts and ids; an error that a retry can't help ends the task at once, in one sentence.

Airflow reads the DAG file far more often than it runs a task, so the engine is imported when a task runs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.decorators.python import _PythonDecoratedOperator
from airflow.sdk import get_current_context
from airflow.sdk.bases.decorator import TaskDecorator, task_decorator_factory

from factload.airflow.connection import database_url, store_connection
from factload.airflow.failures import errors_noted, named, one_sentence
from factload.airflow.form import asked_of
from factload.airflow.links import LoadLink
from factload.airflow.mapped import Share, counted, shares
from factload.errors import FactloadError, RowsRefused, Superseded
from factload.feed.file import read_feed
from factload.feed.model import Feed
from factload.load import DimensionMap, Load
from factload.staging.connections import also_ask

if TYPE_CHECKING:
    from factload.airflow.lineage import Lineage
    from factload.reports.report import Report

_log = logging.getLogger(__name__)

LoadJson = dict[str, Any]


class StepTask(_PythonDecoratedOperator):
    """A step. What Airflow shows beside a task, mapped ones too, is said by the operator's class."""

    custom_operator_name = "@task"
    operator_extra_links = (LoadLink(),)

    def execute(self, context: Any) -> Any:
        """Run the function."""
        with errors_noted(context):
            return super().execute(context)


class PublishTask(StepTask):
    """The step that publishes. What it leaves in ``lineage`` is for OpenLineage, if its provider is installed."""

    lineage: tuple[Lineage, Report] | None = None

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """Rows and proofs as facets; the name is that of OpenLineage's provider."""
        from factload.airflow.openlineage import facets_of

        return facets_of(*self.lineage) if self.lineage else None


def task(
    python_callable: Callable[..., Any] | None = None, *, of: type[StepTask] = StepTask, **options: Any
) -> TaskDecorator:
    """As ``airflow.sdk.task``, with the link to the load's page, and a note of why the task failed."""
    return task_decorator_factory(python_callable=python_callable, decorated_operator_class=of, **options)


@task(map_index_template="{{ dimension }}")
def extract_dimension_map(load: LoadJson, dimension: str) -> dict[str, Any]:
    """Freeze one dimension in a staging file."""
    with _step(load, label=("dimension", dimension)) as (steps, this, feed, url):
        return asdict(steps.extract_dimension_map(this, feed, dimension, database=url))


@task
def split_workbook(load: LoadJson) -> list[dict[str, Any]]:
    """Read the sheet into partition files; returns which of them each task after it loads.

    Of a load that this run released nothing is read: it is published as it is staged.
    """
    if get_current_context()["params"].get("release"):
        return []
    with _step(load) as (steps, this, feed, url):
        split = steps.split_workbook(this, feed, database=url)
        partitions = steps.recorded_partitions(this, database=url)
    for warning in split.warnings:
        _log.warning("%s", warning)
    return [asdict(share) for share in shares(partitions)]


@task(map_index_template="{{ partition }}")
def load_partition(
    load: LoadJson, share: dict[str, Any], maps: Sequence[dict[str, Any]] = ()
) -> dict[str, int]:
    """Stage the rows of one partition, or of several, one after the other, and note their rejects; returns the sums.

    Each is a transaction of its own: a retry begins with the first that is not done.
    """
    with one_sentence():
        own = Share.handed_on(share)
    frozen = [DimensionMap(**m) for m in maps]
    loaded = []
    with _step(load, label=("partition", own.label)) as (steps, this, feed, url):
        for file in steps.recorded_partitions(this, own.first, own.number, database=url):
            counts = steps.load_partition(this, feed, file, frozen, database=url)
            _log.info("%s: %s rows staged, %s rejected", file.label, counts.staged, counts.rejected)
            loaded.append(counts)
    return counted(loaded)


@task(trigger_rule="none_failed_min_one_success")
def reconcile(load: LoadJson) -> None:
    """Prove that every row is accounted for. Runs for an empty sheet too, which has no partition to load.

    A load that is held fails here, unless the feed lets a person decide: the next task asks.
    """
    from factload.ledger.ledger import HELD_FOR

    with _step(load) as (steps, this, feed, url):
        try:
            steps.reconcile_load(this, feed, database=url)
        except RowsRefused as held:
            if held.code not in HELD_FOR or feed.run.approval is None:
                raise
            steps.record_failure(this, held, database=url)
            _log_report(this, url)


@task(of=PublishTask)
def publish(load: LoadJson) -> dict[str, Any]:
    """Make the load visible, tell the DAGs that wait for the fact table, and report what it came to."""
    from factload.airflow.lineage import tell_lineage
    from factload.airflow.log_report import load_report
    from factload.airflow.publication import tell_airflow
    from factload.reports.publication import published_content
    from factload.reports.report import read_report

    context: Any = get_current_context()
    with _step(load) as (steps, this, feed, url):
        steps.publish_load(this, feed, database=url)
        report = read_report(url, this.load_id)
        _log.info("\n%s", load_report(url, this.load_id))
        if lineage := tell_lineage(context["task"], this, feed, url):
            context["task"].lineage = (lineage, report)
        published = published_content(url, this.load_id)
    tell_airflow(context, feed, published)
    return report.to_json()


@task
def clean_staging(load: LoadJson) -> None:
    """Remove the staging files and tables of a published load; of any other they are what a retry goes on from.

    The load is published by now: what can't be removed is left to the sweep, and fails no run.
    """
    with _step(load) as (steps, this, feed, url):
        try:
            steps.clean_staging(this, feed, database=url)
        except Superseded as reason:
            _log.info("Staging is kept: %s", reason)
        except (FactloadError, OSError) as error:
            if not _last_try() and getattr(error, "retry", True):
                raise
            _log.warning("The load is published. Its staging stays until a later load sweeps it: %s", error)


@contextmanager
def _step(load: LoadJson, label: tuple[str, str] | None = None) -> Iterator[tuple[Any, Load, Feed, str]]:
    """The engine's steps, and what they need; an error that ends the load is noted in the ledger."""
    from factload import steps
    from factload.memory import save_memory

    if label is not None:
        get_current_context()[label[0]] = label[1]  # type: ignore[literal-required]
    this = Load.from_json(load)
    save_memory()
    also_ask(store_connection)
    with one_sentence():
        feed = asked_of(read_feed(this.feed).at(this.period_date), get_current_context()["params"])
        url = database_url(feed.fact.connection)
        try:
            yield steps, this, feed, url
        except Exception as error:
            ended = named(error)
            if not ended.retry or _last_try():
                steps.record_failure(this, ended, database=url)
                _log_report(this, url)
            raise ended from None


def _log_report(load: Load, url: str) -> None:
    """Show how far a failed load came. When the database is what failed, the error alone has to do."""
    from factload.airflow.log_report import load_report

    with suppress(Exception):  # what ended the load is said, whatever else fails
        _log.info("\n%s", load_report(url, load.load_id))


def _last_try() -> bool:
    instance = get_current_context()["ti"]
    return bool(instance.try_number > instance.max_tries)
