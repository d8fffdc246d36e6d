"""The files for Kubernetes name what there is: settings, versions, one image, one secret."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from factload.environment import SETTINGS
from factload.version import __version__

PROJECT = Path(__file__).parents[2]
FOLDER = PROJECT / "docs/kubernetes"
UNITS = {"Mi": 1 << 20, "Gi": 1 << 30}


def document(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return read


VALUES, POD = document("values.yaml"), document("pod-template.yaml")
[TASK] = POD["spec"]["containers"]


def test_every_setting_is_one_that_factload_reads() -> None:
    named = [variable["name"] for variable in (*VALUES["env"], *TASK["env"])]
    ours = {name for name in named if name.startswith("FACTLOAD_")}
    assert ours <= {setting.name for setting in SETTINGS}
    assert ours


def test_all_pods_are_told_the_same() -> None:
    of_all = {variable["name"]: variable["value"] for variable in VALUES["env"]}
    of_tasks = {variable["name"]: variable["value"] for variable in TASK["env"]}
    assert {name: of_tasks.get(name, value) for name, value in of_all.items()} == of_all
    assert yaml.safe_load(VALUES["extraEnvFrom"]) == TASK["envFrom"]


def test_the_image_is_that_of_this_version_on_the_airflow_of_the_dockerfile() -> None:
    assert TASK["image"] == f"{VALUES['defaultAirflowRepository']}:{VALUES['defaultAirflowTag']}"
    assert VALUES["defaultAirflowTag"] == __version__
    base = re.search(r"FROM apache/airflow:([\d.]+)", (PROJECT / "Dockerfile").read_text())
    assert base is not None
    assert VALUES["airflowVersion"] == base[1]


def test_no_pod_asks_for_more_than_it_may_have() -> None:
    parts = [part["resources"] for part in VALUES.values() if isinstance(part, dict) and "resources" in part]
    assert len(parts) == 4
    for resources in (*parts, TASK["resources"]):
        assert size(resources["requests"]["memory"]) <= size(resources["limits"]["memory"])


def test_what_reads_a_whole_sheet_fits_beside_the_task() -> None:
    bounds = {variable["name"]: variable["value"] for variable in TASK["env"]}
    whole = size(TASK["resources"]["limits"]["memory"]) - size("384Mi")
    assert int(bounds["FACTLOAD_LIMIT_PROCESS_BYTES"]) <= whole
    [scratch] = [v["emptyDir"] for v in POD["spec"]["volumes"] if v["name"] == "scratch"]
    assert int(bounds["FACTLOAD_CACHE_BYTES"]) < size(scratch["sizeLimit"])


def size(written: str) -> int:
    """Bytes of a Kubernetes quantity such as ``512Mi``."""
    return int(written[:-2]) * UNITS[written[-2:]]
