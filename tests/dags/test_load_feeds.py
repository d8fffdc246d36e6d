"""The DAGs in three layers: they import, they keep the policy, their steps stand in the right order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from factload.feed.file import read_feed_file
from factload.load import Split
from factload.pipeline import steps_in_order
from tests.dags.forked_airflow import ForkedAirflow, forked_airflow
from tests.feeds import changed

PROJECT = Path(__file__).parents[2]

# Asked of the DAG files in a process of its own, which hears of every file that is opened there.
PARSE = """
import json, sys
touched = []
sys.addaudithook(lambda event, arguments: touched.append([event, str(arguments[1] if event == "socket.connect" else arguments[0])])
                 if event in ("socket.connect", "open") else None)
from airflow.dag_processing.dagbag import DagBag
del touched[:]
bag = DagBag(sys.argv[1])
seen = list(touched)
print(json.dumps({
    "errors": bag.import_errors,
    "connections": [what for event, what in seen if event == "socket.connect"],
    "opened": [what for event, what in seen if event == "open"],
    "dags": {
        dag.dag_id: {
            "schedule": getattr(dag.timetable, "expression", None),
            "catchup": dag.catchup,
            "params": {name: {**param.schema, "description": param.description} for name, param in dag.params.items()},
            "doc": dag.doc_md,
            "start": dag.start_date.isoformat(),
            "timezone": str(dag.timezone),
            "tags": sorted(dag.tags),
            "loads_at_once": dag.max_active_runs,
            "deadline": bool(dag.deadline),
            "mails": bool(dag.on_failure_callback),
            "tasks": {
                task.task_id: {
                    "after": sorted(task.upstream_task_ids),
                    "mapped": task.is_mapped,
                    "retries": task.retries,
                    "owner": task.owner,
                    "pool": task.pool,
                    "queue": task.queue,
                    "priority": task.priority_weight,
                    "at_once": [task.max_active_tis_per_dagrun, task.max_active_tis_per_dag],
                    "reads": [asset.name for asset in task.inlets],
                    "writes": [asset.name for asset in task.outlets],
                    "label": getattr(task, "map_index_template", None),
                    "trigger_rule": str(task.trigger_rule),
                    "teardown": task.is_teardown,
                    "links": [link.name for link in task.operator_extra_links],
                }
                for task in dag.tasks
            },
        }
        for dag in bag.dags.values()
    },
}))
"""


def parse(
    forked: ForkedAirflow, project: Path, dags: Path = PROJECT / "dags", **feeds: str
) -> dict[str, Any]:
    """What Airflow makes of a DAG folder. Without any feed there is no folder of feeds either."""
    folder = project / "feeds"
    if feeds:
        folder.mkdir()
    for name, document in feeds.items():
        (folder / f"{name}.yaml").write_text(document, encoding="utf-8")
    printed = forked.run(PARSE, [str(dags)], {"FACTLOAD_FEEDS": str(folder)})
    answer: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return answer


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedAirflow]:
    with forked_airflow(tmp_path_factory.mktemp("airflow")) as process:
        yield process


@pytest.fixture(scope="module")
def sales() -> str:
    return (PROJECT / "include/feeds/sales.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def parsed(forked: ForkedAirflow, tmp_path_factory: pytest.TempPathFactory, sales: str) -> dict[str, Any]:
    project = tmp_path_factory.mktemp("dags")
    return parse(forked, project, sales=sales, returns=sales.replace("feed: sales", "feed: returns"))


def test_every_feed_is_a_dag(parsed: dict[str, Any]) -> None:
    assert parsed["errors"] == {}
    assert sorted(parsed["dags"]) == ["load_returns", "load_sales"]


def test_parsing_opens_no_connection_and_no_workbook(parsed: dict[str, Any]) -> None:
    assert parsed["connections"] == []
    opened = [name for name in parsed["opened"] if "feeds" in name or name.endswith((".xlsx", ".arrow"))]
    assert {Path(name).suffix for name in opened} <= {".yaml", ".py", ".pyc"}
    assert any(name.endswith("sales.yaml") for name in opened)


def test_policy(parsed: dict[str, Any]) -> None:
    for dag in parsed["dags"].values():
        assert dag["schedule"] == "0 2 * * *"
        assert dag["catchup"] is False
        assert set(dag["params"]) == {
            "period",
            "workbook",
            "dry_run",
            "reload",
            "replay",
            "insert",
            "release",
            "attempt",
        }
        assert dag["params"]["period"]["format"] == "date"
        folded = {name for name, param in dag["params"].items() if "section" in param}
        assert folded == {"release", "attempt"}
        assert all(param["description"] and param["title"] for param in dag["params"].values())
        assert "When a task fails" in dag["doc"]
        for task in dag["tasks"].values():
            assert task["retries"] >= 2


RUN = """
schedule: "30 1 * * *"
run:
  timezone: Europe/Berlin
  start: 2026-03-01
  catchup: true
  owner: controlling
  tags: [finance]
  pool: evening
  priority: 7
  retries: 2
  loads_at_once: 2
  deadline: "06:00"
  notify: {email: [data@example.com]}
"""


def test_how_airflow_runs_a_feed_is_said_in_its_file(
    forked: ForkedAirflow, tmp_path: Path, sales: str
) -> None:
    feed = changed(sales, yaml.safe_load(RUN))
    [dag] = parse(forked, tmp_path, sales=feed)["dags"].values()
    assert dag["schedule"] == "30 1 * * *"
    assert (dag["start"], dag["timezone"]) == ("2026-02-28T23:00:00+00:00", "Europe/Berlin")
    assert dag["catchup"]
    assert dag["tags"] == ["factload", "finance"]
    assert dag["loads_at_once"] == 2
    assert dag["deadline"]
    assert dag["mails"]
    for task in dag["tasks"].values():
        assert (task["owner"], task["pool"], task["priority"], task["retries"]) == (
            "controlling",
            "evening",
            7,
            2,
        )


def test_lineage(parsed: dict[str, Any]) -> None:
    tasks = parsed["dags"]["load_sales"]["tasks"]
    assert tasks["publish"]["reads"] == ["workbooks inbox/sales_{period}.xlsx"]
    assert tasks["publish"]["writes"] == ["warehouse.fact_sales"]
    assert [name for name, task in tasks.items() if task["writes"]] == ["publish"]


def test_all_tasks_of_one_warehouse_share_a_pool(parsed: dict[str, Any]) -> None:
    pools = {task["pool"] for dag in parsed["dags"].values() for task in dag["tasks"].values()}
    assert pools == {"factload_warehouse"}


def test_the_order_is_the_pipeline_s(parsed: dict[str, Any]) -> None:
    tasks = parsed["dags"]["load_sales"]["tasks"]
    feed = read_feed_file(PROJECT / "include/feeds/sales.yaml")
    returned = {"extract_dimension_map": [], "split_workbook": [Split((), ())]}
    before = {"open_load"}
    for side_by_side in steps_in_order(feed, returned):
        names = {step.name for step in side_by_side}
        assert all(before <= set(tasks[name]["after"]) for name in names)
        before = names


def test_order(parsed: dict[str, Any]) -> None:
    tasks = parsed["dags"]["load_sales"]["tasks"]
    assert {name: task["after"] for name, task in tasks.items()} == {
        "open_load": [],
        "extract_dimension_map": ["open_load"],
        "split_workbook": ["open_load"],
        "load_partition": ["extract_dimension_map", "open_load", "split_workbook"],
        "reconcile": ["load_partition", "open_load"],
        "publish": ["open_load", "reconcile"],
        "clean_staging": ["open_load", "publish"],
    }
    assert {name for name, task in tasks.items() if task["mapped"]} == {
        "extract_dimension_map",
        "load_partition",
    }
    assert tasks["load_partition"]["label"] == "{{ partition }}"
    assert not any(task["teardown"] for task in tasks.values())


SHARES = """
import json, os, sys
from pathlib import Path
from factload.airflow.dag_options import at_once
from factload.feed.file import read_feed_file
told = []
for slots, feed in json.loads(sys.argv[1]):
    os.environ["FACTLOAD_WAREHOUSE_SLOTS"] = slots
    most = at_once(read_feed_file(Path(feed)))
    told.append([most["max_active_tis_per_dagrun"], most.get("max_active_tis_per_dag")])
print(json.dumps(told))
"""


def test_a_feed_leaves_slots_of_the_pool_to_others(forked: ForkedAirflow, tmp_path: Path, sales: str) -> None:
    many, own = tmp_path / "many.yaml", tmp_path / "own.yaml"
    many.write_text(changed(sales, {"parallelism": 64}))
    own.write_text(changed(sales, {"parallelism": 64, "run": {"pool": "its_own"}}))
    asked = {"16": 12, "4": 3, "3": 2, "2": 1, "1": 1, "-1": None, "lots": 12}
    arguments = json.dumps([*((slots, str(many)) for slots in asked), ("16", str(own))])
    told = json.loads(forked.run(SHARES, [arguments], {}).splitlines()[-1])
    assert told == [[64, most] for most in (*asked.values(), None)]


def test_the_partitions_of_a_feed_are_bounded_in_a_run_and_in_all_runs(parsed: dict[str, Any]) -> None:
    tasks = parsed["dags"]["load_sales"]["tasks"]
    assert tasks["load_partition"]["at_once"] == [4, 12]
    assert tasks["publish"]["at_once"] == [None, None]


def test_every_task_leads_to_the_load_s_page(forked: ForkedAirflow, tmp_path: Path, sales: str) -> None:
    feed = changed(sales, {"run": {"approval": "3d"}})
    tasks = parse(forked, tmp_path, sales=feed)["dags"]["load_sales"]["tasks"]
    assert {name: task["links"] for name, task in tasks.items()} == {name: ["Load"] for name in tasks}


def test_a_feed_without_dimensions_extracts_none_and_two_roles_extract_once(
    forked: ForkedAirflow, tmp_path: Path
) -> None:
    feed = """
feed: {name}
workbook: {{path: inbox/x.xlsx}}
{dimensions}
fact:
  connection: warehouse
  table: fact
  columns: {{n: {{value: 1}}{columns}}}
  load_column: load_id
"""
    roles = """dimensions:
  ordered: &day {table: dim_date, business_key: day, surrogate_key: id, column: Ordered, type: date}
  shipped: {<<: *day, column: Shipped}"""
    found = parse(
        forked,
        tmp_path,
        none=feed.format(name="none", dimensions="", columns=""),
        roles=feed.format(
            name="roles", dimensions=roles, columns=", a: {dimension: ordered}, b: {dimension: shipped}"
        ),
    )
    assert found["errors"] == {}
    assert "extract_dimension_map" not in found["dags"]["load_none"]["tasks"]
    assert found["dags"]["load_none"]["tasks"]["load_partition"]["after"] == ["open_load", "split_workbook"]
    assert "extract_dimension_map" in found["dags"]["load_roles"]["tasks"]


def test_a_person_is_asked_about_a_held_load_where_the_feed_says_so(
    forked: ForkedAirflow, tmp_path: Path, sales: str
) -> None:
    feed = changed(sales, {"run": {"approval": "3d"}})
    tasks = parse(forked, tmp_path, sales=feed)["dags"]["load_sales"]["tasks"]
    assert tasks["release"]["after"] == ["open_load", "reconcile"]
    assert tasks["publish"]["after"] == ["open_load", "release"]
    assert tasks["release"]["retries"] == 0


def test_broken_feeds_are_one_import_error_and_the_others_go_on(
    forked: ForkedAirflow, tmp_path: Path, sales: str
) -> None:
    found = parse(
        forked,
        tmp_path,
        sales=sales,
        returns=sales.replace("feed: sales", "feed: returns").replace("normalize", "normalise"),
        other=sales,
        template=sales.replace("table: fact_sales", "table: {{ table }}"),
        aliases="".join(f"b{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 12)),
        bomb="a: &l0 [x]\n"
        + "".join(f"b{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 12)),
        deep="feed: " + "[" * 100_000,
    )
    assert list(found["dags"]) == ["load_sales"]
    [(where, message)] = found["errors"].items()
    assert where.endswith("check_feeds.py")
    assert (
        "returns.yaml:14: dimensions.product.normalise: is not a field here. Did you mean normalize?"
        in message
    )
    assert "other.yaml:1: feed: is sales, and the file is other.yaml" in message
    assert "template.yaml:18: fact.table: holds fields or a list where a name is expected" in message
    for name in ("aliases", "bomb", "deep"):
        assert f"{name}.yaml:" in message


def test_settings_that_are_wrong_are_the_same_import_error(
    forked: ForkedAirflow, tmp_path: Path, sales: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACTLOAD_WAREHOUSE_SLOTS", "lots")
    monkeypatch.setenv("FACTLOAD_LIMIT_RATIO", "-3")
    found = parse(forked, tmp_path, sales=sales, returns=sales.replace("feed: sales", "feed: other"))
    assert list(found["dags"]) == ["load_sales"]
    [(where, message)] = found["errors"].items()
    assert where.endswith("check_feeds.py")
    assert "FACTLOAD_WAREHOUSE_SLOTS is not a number of slots (found 'lots')" in message
    assert "FACTLOAD_LIMIT_RATIO is not a whole number above 0 (found '-3')" in message
    assert "returns.yaml:1: feed: is other, and the file is returns.yaml" in message


def test_a_team_s_own_file_takes_two_lines_and_may_say_more_of_all_tasks(
    forked: ForkedAirflow, tmp_path: Path, sales: str
) -> None:
    """Airflow reads only files that hold the words dag and airflow: these two lines do."""
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "own.py").write_text(
        "from factload.airflow import feed_dags\n"
        "globals().update(feed_dags(default_args={'queue': 'warehouse', 'owner': 'team'}))\n"
    )
    found = parse(forked, tmp_path, dags, sales=sales)
    assert (found["errors"], list(found["dags"])) == ({}, ["load_sales"])
    tasks = found["dags"]["load_sales"]["tasks"].values()
    assert {(task["queue"], task["owner"], task["retries"]) for task in tasks} == {("warehouse", "team", 4)}


def test_a_feeds_folder_that_is_not_there_is_named_with_what_to_set(
    forked: ForkedAirflow, tmp_path: Path
) -> None:
    found = parse(forked, tmp_path)
    assert found["dags"] == {}
    assert sorted(Path(where).name for where in found["errors"]) == ["check_feeds.py", "load_feeds.py"]
    for message in found["errors"].values():
        assert f"there is no folder of feed files at {tmp_path}/feeds." in message
        assert (
            "set FACTLOAD_HOME, for all processes of Airflow, to the folder above include/feeds." in message
        )
