"""The demo from beginning to end: set up, load, and show that every row is accounted for."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from rich.console import Console
from sqlalchemy import create_engine, func, select
from sqlalchemy.pool import NullPool

from factload.cli.terminal import show_report
from factload.errors import FeedError
from factload.reports.report import Report, read_report
from factload_demo.airflow_api import AirflowApi
from factload_demo.airflow_site import what_is_wrong_with_the_dags
from factload_demo.display import Steps
from factload_demo.errors import ApiError, LoadFailed, MismatchError
from factload_demo.sample import fact_sales
from factload_demo.setup import DAG_ID, FOLDER, PROJECT, Ready, Sizes, everything, say_login
from factload_demo.watch import follow


def demonstrate(sizes: Sizes, console: Console) -> None:
    """Set up, load, report, stop. Raises MismatchError when a figure is not what it has to be."""
    with Steps(console) as steps, everything(sizes, steps, stay=False) as ready:
        _load(ready, sizes, steps, reload=True)
        report = _report(ready, sizes)
        facts = _check(ready, sizes, report)
    show_report(report)
    console.print(facts, soft_wrap=True)
    console.print(_FURTHER.format(load_id=sizes.load_id), soft_wrap=True)


def stay_up(sizes: Sizes, console: Console) -> None:
    """Set up, load what is not loaded yet, and leave everything running.

    Where the shell names another warehouse, nothing is loaded: the sample's tables are in the demo's database.
    """
    failure: LoadFailed | None = None
    with Steps(console) as steps, everything(sizes, steps, stay=True) as ready:
        try:
            if ready.own_warehouse and _is_published(ready, sizes):
                steps.finish("load", f"{sizes.load_id} is published already")
            elif ready.own_warehouse:
                _load(ready, sizes, steps, reload=False)
        except LoadFailed as error:
            failure = error  # the page is where to see why
    say_login(ready.site, console)
    if failure:
        raise failure


def _is_published(ready: Ready, sizes: Sizes) -> bool:
    try:
        return read_report(ready.warehouse_url, sizes.load_id).state == "published"
    except FeedError:  # there is no such load
        return False


def _load(ready: Ready, sizes: Sizes, steps: Steps, *, reload: bool) -> None:
    api = AirflowApi(ready.site)
    for left_over in api.unfinished_runs(DAG_ID):  # of a demo that was killed: it would keep this one waiting
        api.give_up(DAG_ID, left_over)
    run_id = f"demo__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"
    try:
        api.trigger(DAG_ID, run_id, {"period": sizes.period.isoformat(), "reload": reload})
    except ApiError as error:
        raise ApiError(f"{error}\n{what_is_wrong_with_the_dags(ready.place)}") from None
    follow(api, DAG_ID, run_id, steps)


def _report(ready: Ready, sizes: Sizes) -> Report:
    report = read_report(ready.warehouse_url, sizes.load_id)
    (FOLDER / "report.json").write_text(json.dumps(report.to_json(), indent=1) + "\n")
    return report


def _check(ready: Ready, sizes: Sizes, report: Report) -> str:
    """Hold the fact table and the report against what the sample's maker counted; returns it in words."""
    expected = ready.expected
    engine = create_engine(ready.warehouse_url, poolclass=NullPool)
    with engine.connect() as connection:
        in_load = fact_sales.c.load_id == sizes.load_id
        counted = connection.execute(select(func.count(), func.sum(fact_sales.c.metric)).where(in_load)).one()
        in_all = connection.scalar(select(func.count()).select_from(fact_sales))
    wanted = {"source": expected.source, "blank": expected.blank, "rejected": expected.rejected}
    wanted |= {"staged": expected.staged, "published": expected.staged}
    reasons = {reason: len(rows) for reason, rows in expected.rejected_rows.items()}
    if (
        report.rows != wanted
        or report.rejects != reasons
        or (counted[0], str(counted[1])) != (expected.staged, expected.control_total)
    ):
        raise MismatchError(
            f"The report says {report.rows}, and fact_sales holds {counted[0]} rows, {counted[1]} in sum. "
            f"The sample was made to come to {wanted} and {expected.control_total}."
        )
    return (
        f"fact_sales holds {counted[0]:,} rows of this load ({in_all:,} in all), {counted[1]:,} in sum:\n"
        "[green]just what was counted when the workbook was written.[/green]"
    )


_FURTHER = f"""
The report is in {(FOLDER / "report.json").relative_to(PROJECT)}. To look further:
  make up                                    the same with Airflow's page left running, until make down
  . .demo/env                                then, while it runs:
  .venv/bin/factload status                  the loads in the ledger
  .venv/bin/factload rejects {{load_id}}   the rejected rows, each with its reason"""
