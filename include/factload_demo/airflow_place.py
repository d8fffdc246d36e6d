"""Where one Airflow lives on this machine: its folder, its secrets, and the environment of its components."""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

USER = "admin"
_FOREIGN = ("AIRFLOW", "FACTLOAD_", "_AIRFLOW", "PYTHONPATH", "PYTHONHOME")


@dataclass(frozen=True)
class Place:
    """What one Airflow is made of. `folder` becomes AIRFLOW_HOME and holds logs and secrets.

    `port` is taken if it is free, and any other if it isn't (0: any). `dags`, `variables` and `python` are for tests:
    another DAG folder, further environment variables, the Python of another environment.
    """

    project: Path
    folder: Path
    metadata_url: str
    variables: Mapping[str, str] = field(default_factory=dict)
    dags: Path | None = None
    port: int = 8080
    python: Path = Path(sys.executable)


def environment_of(place: Place, port: int) -> dict[str, str]:
    """The environment of every component: this process's, less what is another Airflow's, and ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    generated = secrets_of(place.folder)
    url = f"http://127.0.0.1:{port}"
    settings = {
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "8",
        "CORE__DAGS_FOLDER": str(place.dags or place.project / "dags"),
        "CORE__PLUGINS_FOLDER": str(place.project / "plugins"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__FERNET_KEY": generated["fernet_key"],
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(place.folder / "passwords.json"),
        "DATABASE__SQL_ALCHEMY_CONN": place.metadata_url,
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__BASE_URL": url,
        "API__WORKERS": "1",
        "API__SECRET_KEY": generated["secret_key"],
        "API_AUTH__JWT_SECRET": generated["jwt_secret"],
        # A schedule fires at once when its DAG is new, and then at night, here without a workbook.
        "SCHEDULER__USE_JOB_SCHEDULE": "False",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    return (
        kept
        | {f"AIRFLOW__{name}": value for name, value in settings.items()}
        | {
            "AIRFLOW_HOME": str(place.folder),
            "FACTLOAD_HOME": str(place.project),
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }
        | dict(place.variables)
    )


def secrets_of(folder: Path) -> dict[str, str]:
    """Random secrets of this folder, made on the first call; also the password file that Airflow reads."""
    path = folder / "secrets.json"
    if not path.exists():
        password = secrets.token_urlsafe(12)
        generated = {
            "password": password,
            "jwt_secret": secrets.token_urlsafe(64),
            "secret_key": secrets.token_urlsafe(32),
            "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        }
        write_private(folder / "passwords.json", json.dumps({USER: password}))
        write_private(path, json.dumps(generated))
    known: dict[str, str] = json.loads(path.read_text())
    return known


def write_private(path: Path, content: str) -> None:
    """Write a file that its owner alone may read."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(content)
    fresh.replace(path)
