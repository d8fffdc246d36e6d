"""Make the bucket of docker-compose.yaml's store, and copy into it what is new in the inbox.

    docker compose run --rm inbox

A file of `inbox/` lands where a feed's `workbook.path: inbox/…` finds it: below `FACTLOAD_WORKBOOKS`. It is copied when
the store lacks it, or has another of that name: each object keeps the SHA-256 of its file. What is gone from the folder
stays in the store.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from factload.checksum import sha256_of
from factload.errors import FactloadError
from factload.settings import settings
from factload.split.sources import may_be_read
from factload.staging.disk import megabytes
from factload.staging.objects import file_system
from factload.staging.store_errors import patiently, store_errors

INBOX = "inbox"


def fill_store(inbox: Path, url: str) -> list[str]:
    """Copy what is new in the folder to ``url``/inbox; the names of all its files there. Raises ``FactloadError``."""
    with store_errors(url, inbox):
        store, path = file_system(url, "")
        patiently(lambda: _make_bucket(store, path.partition("/")[0]))
        files = sorted(
            file for file in inbox.rglob("*") if file.is_file() and may_be_read(file.relative_to(inbox))
        )
        names = [f"{INBOX}/{file.relative_to(inbox).as_posix()}" for file in files]
        for file, name in zip(files, names, strict=True):
            if patiently(partial(_copy, store, file, f"{path}/{name}")):
                print(f"{name}: {megabytes(file.stat().st_size)}", flush=True)
    return names


def _make_bucket(store: Any, bucket: str) -> None:
    if not store.exists(bucket):
        store.mkdir(bucket)


def _copy(store: Any, file: Path, path: str) -> bool:
    """Whether the file had to be copied."""
    sha256 = sha256_of(file)
    with suppress(FileNotFoundError):
        if store.metadata(path).get("sha256") == sha256:
            return False
    store.put_file(str(file), path, Metadata={"sha256": sha256})
    return True


def main() -> int:
    """Fill the store of this environment; 0 when it holds all of the inbox, else the error's exit status."""
    here = settings()
    try:
        names = fill_store(here.home / INBOX, here.workbooks)
    except FactloadError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    print(f"The store has the {len(names):,} files of {INBOX}/.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
