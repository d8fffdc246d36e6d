"""The sender's own workbook to download, its wrong cells marked: those of a load, or those that a dry run found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import IO, Annotated, Any
from urllib.parse import quote

from airflow.api_fastapi.common.db.common import SessionDep
from airflow.models.xcom import XComModel
from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from sqlalchemy import select

from factload.airflow.loads_page.access import MAY_SEE_RUNS
from factload.airflow.loads_page.answered import answered, the_feed
from factload.airflow.loads_page.asked import Day
from factload.airflow.loads_page.downloads import Headers, downloaded
from factload.airflow.loads_page.threads import a_download
from factload.airflow.loads_page.warehouse import reading
from factload.airflow.names import OPEN_TASK, REPORT
from factload.errors import FeedError
from factload.load import SourceFile
from factload.reports.annotated.rejects import annotate_rejects, annotate_source
from factload.reports.annotated.workbook import Annotated as Done
from factload.sheet.reject import FIELDS, Reject

MOST_BYTES = 32 << 20  # of a workbook: this process takes some ten seconds for it
Workbook = Annotated[str | None, Query(max_length=2_000)]

router = APIRouter(prefix="/api/dags/{dag_id}", dependencies=[MAY_SEE_RUNS])


@router.get("/loads/{period}/annotated.xlsx", response_class=FileResponse)
@a_download
def of_load(dag_id: str, period: Day, workbook: Workbook = None) -> FileResponse:
    """The workbook of a load, with its rejected cells marked. ``workbook``: which of several."""
    with answered():
        feed = the_feed(dag_id)
        with reading(feed.fact.connection, timeout="60s") as connection:
            load_id = feed.load_id(period)
            return _marked(
                lambda file: annotate_rejects(file, connection, load_id, workbook, most_bytes=MOST_BYTES)
            )


@router.get("/runs/{run_id}/annotated.xlsx", response_class=FileResponse)
@a_download
def of_dry_run(dag_id: str, run_id: str, session: SessionDep, workbook: Workbook = None) -> FileResponse:
    """The workbook that a dry run read, with the cells marked that its report names."""
    report = session.scalar(
        select(XComModel.value).where(
            XComModel.dag_id == dag_id,
            XComModel.run_id == run_id,
            XComModel.task_id == OPEN_TASK,
            XComModel.key == REPORT,
        )
    )
    with answered():
        the_feed(dag_id)
        load_id, sources, found = _of_report(report)
        return _marked(
            lambda file: annotate_source(file, load_id, sources, found, workbook, most_bytes=MOST_BYTES)
        )


def _of_report(report: Any) -> tuple[str, list[SourceFile], dict[str, list[Reject]]]:
    try:
        sources = [SourceFile(s["path"], s["sha256"], s["bytes"]) for s in report["sources"]]
        found: dict[str, list[Reject]] = {}
        for row in report["rejected"]:
            reject = Reject(**{name: row.get(name) for name in FIELDS})
            found.setdefault(reject.workbook, []).append(reject)
        return report["load_id"], sources, found
    except (KeyError, TypeError):
        raise FeedError(
            "no_report", "this run has no report of a dry run", remedy="Check the workbook anew"
        ) from None


def _marked(annotate: Callable[[IO[bytes]], Done]) -> FileResponse:
    def write(file: IO[bytes]) -> tuple[str, Headers]:
        done = annotate(file)
        own = PurePath(done.name)
        return f"{own.stem}-marked{own.suffix}", {"X-Factload-Notes": quote("; ".join(done.notes))}

    return downloaded(write)
