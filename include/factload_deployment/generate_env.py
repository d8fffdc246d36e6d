#!/usr/bin/env python3
"""Write `.env`, the secrets of docker-compose.yaml.

    make env            # or: python3 include/factload_deployment/generate_env.py

Every secret is random and made on this machine. The standard library is enough, so that it runs before
anything is installed. An existing file keeps what it says: the databases were created with its passwords. Only what a
newer docker-compose.yaml asks for is added.
"""

from __future__ import annotations

import argparse
import base64
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
_IMAGE_UID = 50000  # the official image's user "airflow"
_PRIVATE = 0o600
_NEWER = ("STORE_ACCESS_KEY", "STORE_SECRET_KEY")  # files of version 0.4 lack them
_EXIT_REFUSED = 2


def settings() -> dict[str, str]:
    """Fresh values by variable, of characters that neither a URL nor the syntax of `.env` has a use for."""
    warehouse_password = secrets.token_hex(24)
    return {
        "AIRFLOW_UID": str(_container_uid()),
        "AIRFLOW_ADMIN_USER": "admin",
        "AIRFLOW_ADMIN_PASSWORD": secrets.token_urlsafe(18),
        # 32 bytes, urlsafe base64: https://cryptography.io/en/latest/fernet/
        "AIRFLOW_FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AIRFLOW_JWT_SECRET": secrets.token_hex(48),
        "AIRFLOW_SECRET_KEY": secrets.token_hex(32),
        "METADATA_PASSWORD": secrets.token_hex(24),
        "REDIS_PASSWORD": secrets.token_hex(24),
        "STORE_ACCESS_KEY": secrets.token_hex(12),
        "STORE_SECRET_KEY": secrets.token_hex(24),
        "WAREHOUSE_ADMIN_PASSWORD": secrets.token_hex(24),
        "WAREHOUSE_PASSWORD": warehouse_password,
        "AIRFLOW_CONN_WAREHOUSE": f"postgresql://factload:{warehouse_password}@warehouse:5432/warehouse",
    }


def render(values: Mapping[str, str]) -> str:
    """The file's text: what each variable is for, then the variables."""
    return "\n".join(
        [
            "# Secrets of docker-compose.yaml: not for git, but for your backup. See docs/deployment.md.",
            "# AIRFLOW_ADMIN_* is the first account of the web page; later changes are made there.",
            "# AIRFLOW_FERNET_KEY encrypts the connections that Airflow stores: lost with it, they are lost.",
            "# AIRFLOW_CONN_WAREHOUSE is where the loads write. Another database: change this line alone.",
            "# STORE_* are the keys of the service `store`. Another store: its keys, STORE_URL and STORE_BUCKET.",
            *(f"{name}={value}" for name, value in values.items()),
            "",
        ]
    )


def write_private(path: Path, text: str) -> None:
    """Write a new file that only its owner may read. Raises `FileExistsError` when there is one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def add_missing(path: Path) -> list[str]:
    """Add to an older file the variables that no database was created with; their names."""
    there = {line.partition("=")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()}
    fresh = settings()
    missing = [name for name in _NEWER if name not in there]
    if missing:
        with path.open("a", encoding="utf-8") as file:
            file.writelines(["\n", *(f"{name}={fresh[name]}\n" for name in missing)])
    return missing


def _container_uid() -> int:
    """What containers write to mounted folders belongs to it. For root, they run as the image's user."""
    return _uid() or _IMAGE_UID


def _uid() -> int:
    return os.getuid() if hasattr(os, "getuid") else _IMAGE_UID


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file, or what it lacks; 0 when something was written, 2 when all is there already."""
    parser = argparse.ArgumentParser(description="Write .env with random secrets for docker-compose.yaml.")
    parser.add_argument("--project", type=Path, default=PROJECT, help="folder of docker-compose.yaml")
    project = parser.parse_args(arguments).project
    path = project / ".env"
    (project / "inbox").mkdir(exist_ok=True)
    try:
        write_private(path, render(settings()))
    except FileExistsError:
        return _keep(path)
    print(
        f"Wrote {path} (readable by you alone). Next:\n"
        "  docker compose --profile demo up --build --detach   # without --profile demo: no sample feed\n"
        "  http://localhost:8080: user and password are AIRFLOW_ADMIN_USER and AIRFLOW_ADMIN_PASSWORD in .env"
    )
    return 0


def _keep(path: Path) -> int:
    if added := add_missing(path):
        print(f"Kept {path}, and added what a newer docker-compose.yaml asks for: {', '.join(added)}.")
        return 0
    print(
        f"{path} is there already, and the databases were created with its passwords. Keep it; for new "
        "secrets and empty databases: docker compose down --volumes, remove .env, and run this again.",
        file=sys.stderr,
    )
    return _EXIT_REFUSED


if __name__ == "__main__":
    sys.exit(main())
