"""Make the bucket of docker-compose.yaml's store, and copy into it what is new in the inbox.

    docker compose run --rm inbox

A file of `inbox/` lands where a feed's `workbook.path: inbox/…` finds it: below `FACTLOAD_WORKBOOKS`. It is copied when
the store lacks it, or has what was copied of it before: each object keeps the SHA-256 of its file. What somebody put
into the store in another way is left as it is, and so is what is gone from the folder.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from factload.checksum import sha256_of
from factload.errors import FactloadError
from factload.settings import settings
from factload.split.allowed import path_errors
from factload.split.sources import may_be_read
from factload.staging.disk import megabytes
from factload.staging.objects import file_system
from factload.staging.store_errors import patiently, store_errors

INBOX = "inbox"
_DIGEST = "inbox-sha256"


def fill_store(inbox: Path, url: str) -> list[str]:
    """Copy what is new in the folder to ``url``/inbox; the names of all its files there. Raises ``FactloadError``."""
    digests = dict(_files(inbox))
    with store_errors(url, inbox):
        store, path = file_system(url, "")
        patiently(partial(_make_bucket, store, path.partition("/")[0]))
        for name, sha256 in digests.items():
            file = inbox.parent / name
            match patiently(partial(_known, store, f"{path}/{name}")):
                case known if known == sha256:
                    continue
                case "":
                    print(f"{name}: left alone, the store has one that was not copied from here", flush=True)
                case _:
                    put = partial(store.put_file, Metadata={_DIGEST: sha256})
                    patiently(partial(put, str(file), f"{path}/{name}"))
                    print(f"{name}: {megabytes(file.stat().st_size)}", flush=True)
    return list(digests)


def _files(inbox: Path) -> Iterator[tuple[str, str]]:
    """What lies in the folder, but for locks and half copies: its name, which begins with the folder's; its SHA-256."""
    for file in sorted(inbox.rglob("*")):
        if may_be_read(file.relative_to(inbox)) and file.is_file():
            name = file.relative_to(inbox.parent).as_posix()
            with path_errors(name):
                yield name, sha256_of(file)


def _make_bucket(store: Any, bucket: str) -> None:
    if not store.exists(bucket):
        store.mkdir(bucket)


def _known(store: Any, path: str) -> str | None:
    """The SHA-256 of the file that the object was copied from; "" of one that came another way, None without any."""
    try:
        return str(store.metadata(path).get(_DIGEST, ""))
    except FileNotFoundError:
        return None


def main() -> int:
    """Fill the store of this environment; 0 when it holds all of the inbox, else the error's exit status."""
    here = settings()
    try:
        names = fill_store(here.home / INBOX, here.workbooks)
    except FactloadError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    print(f"{len(names):,} files of {INBOX}/ looked at." if names else f"No file lies in {INBOX}/.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
