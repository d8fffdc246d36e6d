#!/usr/bin/env python3
"""Write `.env`, the secrets of docker-compose.yaml.

    make env            # or: python3 include/factload_deployment/generate_env.py

Every secret is random and made on this machine. The standard library is enough, so that it runs before
anything is installed. An existing file stays as it is: the databases were created with its passwords.
"""

from __future__ import annotations

import argparse
import base64
import os
import secrets
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
_IMAGE_UID = 50000  # the official image's user "airflow"
_PRIVATE = 0o600
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
            *(f"{name}={value}" for name, value in values.items()),
            "",
        ]
    )


def write_private(path: Path, text: str) -> None:
    """Write a new file that only its owner may read. Raises `FileExistsError` when there is one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def open_inbox(inbox: Path) -> None:
    """Make sure that there is an inbox, and that the containers may write the sample into it.

    They run with this user's id, which is enough, or, where root is the user, with the image's and group 0.
    """
    inbox.mkdir(exist_ok=True)
    if _uid() == 0:
        inbox.chmod(stat.S_IMODE(inbox.stat().st_mode) | stat.S_IWGRP)


def _container_uid() -> int:
    """What containers write to mounted folders belongs to it. For root, they run as the image's user."""
    return _uid() or _IMAGE_UID


def _uid() -> int:
    return os.getuid() if hasattr(os, "getuid") else _IMAGE_UID


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file; 0 when it is written, 2 when there is one already."""
    parser = argparse.ArgumentParser(description="Write .env with random secrets for docker-compose.yaml.")
    parser.add_argument("--project", type=Path, default=PROJECT, help="folder of docker-compose.yaml")
    project = parser.parse_args(arguments).project
    path = project / ".env"
    try:
        write_private(path, render(settings()))
    except FileExistsError:
        print(
            f"{path} is there already, and the databases were created with its passwords. Keep it; for new "
            "secrets and empty databases: docker compose down --volumes, remove .env, and run this again.",
            file=sys.stderr,
        )
        return _EXIT_REFUSED
    open_inbox(project / "inbox")
    print(
        f"Wrote {path} (readable by you alone). Next:\n"
        "  docker compose --profile demo up --build --detach   # without --profile demo: no sample feed\n"
        "  http://localhost:8080: user and password are AIRFLOW_ADMIN_USER and AIRFLOW_ADMIN_PASSWORD in .env"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
