"""The compose deployment, read as files: do its parts agree with each other?"""

from __future__ import annotations

import base64
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from factload_deployment import generate_env

PROJECT = Path(__file__).resolve().parents[2]
COMPOSE = (PROJECT / "docker-compose.yaml").read_text()
DOCKERFILE = (PROJECT / "Dockerfile").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
AIRFLOW = sorted(name for name in SERVICES if name.startswith("airflow-"))
WORKERS = [name for name in AIRFLOW if name.startswith("airflow-worker-")]
ONE_SHOT = {"airflow-init", "demo-data", "inbox"}
LASTING = sorted(SERVICES.keys() - ONE_SHOT)
IN_THE_FILE = {"AIRFLOW_UID", "AIRFLOW_ADMIN_USER"}  # what the generator writes and is no secret
VARIABLE = re.compile(r"\$\{(\w+)(:[-?][^}]*)?\}")


def variables() -> dict[str, set[str]]:
    """Every variable that the compose file takes from `.env`, and what stands behind its name there."""
    found: dict[str, set[str]] = {}
    for name, rest in VARIABLE.findall(COMPOSE):
        found.setdefault(name, set()).add(rest)
    return found


def mounts(service: str) -> dict[str, str]:
    """Container folder -> source, with `:ro` where it may only be read."""
    parts = [volume.split(":") for volume in SERVICES[service].get("volumes", [])]
    return {part[1]: ":".join([part[0], *part[2:]]) for part in parts}


def test_airflow_has_all_its_components() -> None:
    parts = ["api-server", "dag-processor", "init", "scheduler", "triggerer"]
    parts += ["worker-1", "worker-2", "worker-3"]
    assert [f"airflow-{part}" for part in parts] == AIRFLOW
    assert [name for name in AIRFLOW if "profiles" in SERVICES[name]] == ["airflow-worker-3"]


@pytest.mark.parametrize("service", AIRFLOW)
def test_airflow_services_run_one_image_and_read_the_same_feeds(service: str) -> None:
    assert SERVICES[service]["image"].startswith("factload:")
    assert mounts(service)["/opt/airflow/include/feeds"] == "./include/feeds:ro"
    assert mounts(service).keys() == {"/opt/airflow/include/feeds", "/opt/airflow/logs"}


def test_workers_share_no_disk() -> None:
    """What they read and write together lies in the store and in databases; feeds are part of what is deployed."""
    written = [source for name in WORKERS for source in mounts(name).values() if not source.endswith(":ro")]
    assert len(WORKERS) == 3
    assert len(written) == len(set(written)) == 3
    others = {source for name in SERVICES.keys() - set(WORKERS) for source in mounts(name).values()}
    assert not others & set(written)
    environment = SERVICES[WORKERS[0]]["environment"]
    inside = "/opt/airflow/" + re.findall(r"install -d .* (\w+)$", DOCKERFILE, re.MULTILINE)[0]
    assert environment["FACTLOAD_CACHE"] == inside
    assert inside not in mounts(WORKERS[0])


def test_workbooks_and_staging_lie_in_the_bucket_that_is_filled_at_the_start() -> None:
    environment = SERVICES["inbox"]["environment"]
    bucket = environment["FACTLOAD_WORKBOOKS"]
    assert bucket.startswith("s3://")
    assert environment["FACTLOAD_ALLOWED_ROOTS"] == f"{bucket}/inbox"
    assert environment["FACTLOAD_STAGING"] == f"{bucket}/staging"
    assert mounts("inbox")["/opt/airflow/inbox"] == "./inbox:ro"
    assert all("inbox" in SERVICES[name]["depends_on"] for name in WORKERS)


def test_the_store_takes_the_keys_that_its_users_have() -> None:
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    for name in (*AIRFLOW, "inbox", "demo-data"):
        assert [SERVICES[name]["environment"][key] for key in keys] == [
            SERVICES["store"]["environment"][key] for key in keys
        ]


@pytest.mark.parametrize(
    "variable",
    [
        "AIRFLOW__API_AUTH__JWT_SECRET",
        "AIRFLOW__API__SECRET_KEY",
        "AIRFLOW__CELERY__BROKER_URL",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
        "AIRFLOW__CORE__EXECUTOR",
        "AIRFLOW__CORE__FERNET_KEY",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
        "AIRFLOW_CONN_WAREHOUSE",
        "AWS_ENDPOINT_URL",
        "FACTLOAD_ALLOWED_ROOTS",
        "FACTLOAD_STAGING",
        "FACTLOAD_WORKBOOKS",
    ],
)
def test_airflow_services_agree(variable: str) -> None:
    assert len({SERVICES[service]["environment"][variable] for service in AIRFLOW}) == 1


def test_secrets_have_no_default_and_say_what_to_run() -> None:
    secret = generate_env.settings().keys() - IN_THE_FILE
    assert {name: behind for name, behind in variables().items() if name in secret} == {
        name: {":?run make env"} for name in secret
    }


def test_every_other_variable_has_a_default() -> None:
    other = variables().keys() - (generate_env.settings().keys() - IN_THE_FILE)
    assert all(rest.startswith(":-") for name in other for rest in variables()[name])


def test_no_secret_is_written_into_the_files() -> None:
    """Passwords, keys and URLs with a password take them from a variable."""
    named = re.findall(r"^ +(\w*(?:PASSWORD|SECRET|FERNET)\w*|REDISCLI_AUTH): *(.*)$", COMPOSE, re.MULTILINE)
    assert named
    assert all(VARIABLE.fullmatch(value) for _, value in named)
    inside = re.findall(r"://\w*:([^@\n]*)@", COMPOSE)
    assert inside
    assert all(VARIABLE.fullmatch(value) for value in inside)
    assert not re.search(r"PASSWORD|SECRET|FERNET", DOCKERFILE)


@pytest.mark.parametrize("service", LASTING)
def test_lasting_services_are_checked_and_come_back(service: str) -> None:
    check = SERVICES[service]["healthcheck"]
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert {"interval", "timeout", "retries", "start_period"} <= check.keys()
    assert SERVICES[service]["restart"] == "unless-stopped"


@pytest.mark.parametrize("service", sorted(ONE_SHOT))
def test_one_shot_services_run_once(service: str) -> None:
    assert SERVICES[service]["restart"] == "no"
    assert "healthcheck" not in SERVICES[service]


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_services_wait_until_what_they_need_is_ready(service: str) -> None:
    for needed, how in SERVICES[service].get("depends_on", {}).items():
        ready = "service_completed_successfully" if needed in ONE_SHOT else "service_healthy"
        assert (needed, how["condition"]) == (needed, ready)


@pytest.mark.parametrize("worker", WORKERS)
def test_a_worker_waits_for_the_server_that_its_tasks_call(worker: str) -> None:
    assert "airflow-api-server" in SERVICES[worker]["depends_on"]


@pytest.mark.parametrize("worker", WORKERS)
def test_a_worker_is_found_by_its_name_where_its_logs_are_asked_for(worker: str) -> None:
    assert SERVICES[worker]["hostname"] == worker
    assert not {"container_name", "ports"} & SERVICES[worker].keys()


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_ports_are_published_on_this_machine_alone(service: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[service].get("ports", []))


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_no_service_can_take_the_machine(service: str) -> None:
    """Memory, processes and rights of each are bounded; those that begin as root keep what that needs."""
    bounds = SERVICES[service]
    assert {"mem_limit", "pids_limit"} <= bounds.keys()
    assert bounds["security_opt"] == ["no-new-privileges:true"]
    assert bounds["cap_drop"] == ["ALL"]
    assert not {"privileged", "network_mode", "pid", "ipc", "devices"} & bounds.keys()
    assert ("cap_add" in bounds) == ("build" not in bounds)


@pytest.mark.parametrize("service", sorted(name for name in SERVICES if "build" not in SERVICES[name]))
def test_foreign_images_are_pinned(service: str) -> None:
    assert re.search(r":\d+\.\d+", SERVICES[service]["image"])


def test_named_volumes_are_declared_and_used() -> None:
    used = {
        source for service in SERVICES for source in mounts(service).values() if not source.startswith(".")
    }
    assert used == set(yaml.safe_load(COMPOSE)["volumes"])


def test_mounted_paths_of_the_project_are_there() -> None:
    sources = {source.split(":")[0] for service in SERVICES for source in mounts(service).values()}
    assert [source for source in sources if source.startswith("./") and not (PROJECT / source).exists()] == []


def test_image_and_lock_hold_the_same_airflow() -> None:
    version = re.search(r"^FROM apache/airflow:([\d.]+)$", DOCKERFILE, re.MULTILINE)
    assert version
    # Followed by a space, as the Dockerfile looks for it
    assert f"\napache-airflow=={version[1]} " in (PROJECT / "requirements.txt").read_text()


def test_image_makes_the_folders_that_containers_write_into() -> None:
    made = re.search(r"install -d [-\w ]* -g 0 (.*?) *\\?$", DOCKERFILE, re.MULTILINE)
    assert made
    cache = Path(SERVICES[WORKERS[0]]["environment"]["FACTLOAD_CACHE"]).name
    assert set(made[1].split()) == {"inbox", cache}  # the sample's workbook is made in an inbox of its own


def test_the_image_knows_where_the_project_lies() -> None:
    assert "FACTLOAD_HOME=/opt/airflow" in DOCKERFILE


def test_the_package_is_installed_and_only_what_is_not_of_it_is_found_by_a_path() -> None:
    assert "pip install --no-cache-dir --no-deps --no-build-isolation" in DOCKERFILE
    assert "PYTHONPATH" not in DOCKERFILE
    named = [name for name in SERVICES if "PYTHONPATH" in SERVICES[name].get("environment", {})]
    assert sorted(named) == ["demo-data", "inbox"]


def test_what_the_image_copies_is_let_in_by_dockerignore() -> None:
    let_in = {
        line[1:].strip("/")
        for line in (PROJECT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = {
        name.strip("/")
        for line in re.findall(r"^COPY (?:--\S+ )*(.*) \S+$", DOCKERFILE, re.MULTILINE)
        for name in line.split()
    }
    assert copied == let_in
    assert all((PROJECT / name).exists() for name in copied)


def generated(folder: Path) -> subprocess.CompletedProcess[str]:
    """The generator as a person runs it, without any installed package (-I -S)."""
    command = [sys.executable, "-I", "-S", generate_env.__file__, "--project", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def read(folder: Path) -> dict[str, str]:
    lines = (folder / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_generator_writes_what_the_compose_file_asks_for(tmp_path: Path) -> None:
    done = generated(tmp_path)
    assert done.returncode == 0, done.stderr
    assert read(tmp_path).keys() == generate_env.settings().keys()
    assert "docker compose" in done.stdout
    assert not [value for value in read(tmp_path).values() if len(value) > 10 and value in done.stdout]


def test_generated_file_is_private(tmp_path: Path) -> None:
    generated(tmp_path)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_generator_keeps_an_existing_file(tmp_path: Path) -> None:
    generated(tmp_path)
    before = (tmp_path / ".env").read_bytes()
    done = generated(tmp_path)
    assert done.returncode == 2
    assert "there already" in done.stderr
    assert (tmp_path / ".env").read_bytes() == before


def test_generator_adds_the_keys_of_the_store_to_an_older_file_and_keeps_the_rest(tmp_path: Path) -> None:
    older = "MINE=1\nAIRFLOW_CONN_WAREHOUSE='postgresql://a=b@host/db'"
    (tmp_path / ".env").write_text(older)
    done = generated(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / ".env").read_text().startswith(older + "\n")
    assert read(tmp_path).keys() == {"MINE", "AIRFLOW_CONN_WAREHOUSE", "STORE_ACCESS_KEY", "STORE_SECRET_KEY"}
    assert "STORE_SECRET_KEY" in done.stdout
    assert read(tmp_path)["STORE_SECRET_KEY"] not in done.stdout
    assert generated(tmp_path).returncode == 2


def test_secrets_are_fresh_long_and_plain() -> None:
    one, other = generate_env.settings(), generate_env.settings()
    for name in one.keys() - IN_THE_FILE:
        assert one[name] != other[name], name
        assert len(one[name]) >= 24, name
        assert re.fullmatch(r"[\w:/@=.-]+", one[name]), name
    assert len(base64.urlsafe_b64decode(one["AIRFLOW_FERNET_KEY"])) == 32
    assert len(one["AIRFLOW_JWT_SECRET"]) >= 64


def test_the_connection_reaches_the_warehouse_service_with_its_password() -> None:
    values = generate_env.settings()
    url = urlsplit(values["AIRFLOW_CONN_WAREHOUSE"])
    assert url.password == values["WAREHOUSE_PASSWORD"]
    assert url.hostname in SERVICES
    assert url.path == "/" + SERVICES["warehouse"]["environment"]["POSTGRES_DB"]
    role = (PROJECT / "include/factload_deployment/warehouse_role.sh").read_text()
    assert f"CREATE ROLE {url.username} LOGIN" in role


def test_there_is_an_inbox_that_containers_may_read(tmp_path: Path) -> None:
    """They run as the user of .env with group 0."""
    generated(tmp_path)
    inbox = (tmp_path / "inbox").stat()
    by_group = inbox.st_gid == 0 and bool(inbox.st_mode & stat.S_IRGRP)
    assert by_group or inbox.st_uid == int(read(tmp_path)["AIRFLOW_UID"])
