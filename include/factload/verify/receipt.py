"""A receipt: a sealed statement on what was published, which anybody can prove against the database without the ledger.

The file is JSON in one form, to the byte. Its seal is an HMAC with the key in ``FACTLOAD_RECEIPT_KEY``: nobody without
the key can write another receipt. Without a key it is a plain digest: it shows that the file was damaged or edited, and
nothing about who wrote it, since anybody can compute one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from factload.environment import text
from factload.errors import FeedError, ReceiptRefused
from factload.verify.judgement import Verdict
from factload.verify.published import PublishedColumn, PublishedLoad
from factload.version import __version__

_FORM = "factload receipt 1"
_SIGNED, _PLAIN = "hmac-sha256", "sha256"
_MOST_BYTES = 256 * 1024 * 1024

_Exact = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$")]

_Name = Annotated[str, Field(pattern=r"^[^\x00]+$")]  # PostgreSQL has no other texts


class _Part(BaseModel):
    """What anybody may have written, if it isn't signed."""

    model_config = ConfigDict(strict=True, extra="forbid")


class _Load(_Part):
    load_id: _Name
    feed: str
    period: date
    epoch: int
    mode: str
    table: _Name
    load_column: _Name | None
    workbooks: tuple[dict[str, Any], ...]
    feed_fingerprint: str | None
    content: str
    factload: str | None
    published_times_before: int
    published_at: AwareDatetime | None
    rows: int
    totals: dict[str, _Exact]
    digest: _Exact
    columns: tuple[tuple[str, str, str | None], ...]
    hash_probe: str | None


class _Statement(_Part):
    form: str
    written_at: AwareDatetime
    factload: str
    postgresql: str
    loads: tuple[_Load, ...]
    not_proved: dict[str, tuple[str, ...]]


def receipt_text(verdicts: Sequence[Verdict], server: str) -> str:
    """A receipt for the loads that stand, digest included; the others are named with the reason. ``server``: the
    version of PostgreSQL."""
    whole = [verdict for verdict in verdicts if "digest" in verdict.proved_by]
    others = [verdict for verdict in verdicts if "digest" not in verdict.proved_by]
    statement = {
        "form": _FORM,
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "factload": __version__,
        "postgresql": server,
        "loads": [_load(verdict.load) for verdict in whole],
        "not_proved": {verdict.load.load_id: list(verdict.notes) for verdict in others},
    }
    return _written({"statement": statement, "seal": _seal(statement, _key())})


def is_signed() -> bool:
    """Whether receipts of this process are signed with a key."""
    return bool(_key())


def read_receipt(path: Path) -> list[PublishedLoad]:
    """The loads of a receipt; raises ``ReceiptRefused`` unless every byte is as it was written, and ``FeedError`` for a
    file that is none."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _no_receipt(path, f"it has more than {_MOST_BYTES:,} bytes")
        raw = path.read_bytes()
    except OSError as error:
        raise _no_receipt(path, error.strerror or "it can't be read") from error
    try:
        document = json.loads(raw)
        statement, seal = document["statement"], document["seal"]
        method = seal["method"]
        as_written = _written({"statement": statement, "seal": _seal(statement, _key())})
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _altered(path) from None
    if method == _SIGNED and not is_signed():
        raise FeedError(
            "receipt_key_missing",
            f"{path} is signed with a key, and FACTLOAD_RECEIPT_KEY is not set here",
            expected="the key that it was signed with",
            remedy="Set FACTLOAD_RECEIPT_KEY",
        )
    if method == _PLAIN and is_signed():
        raise ReceiptRefused(
            "receipt_unsigned",
            f"{path} is not signed, and FACTLOAD_RECEIPT_KEY is set here: anybody may have written it",
            expected="a receipt that was signed with this key",
            remedy="To check it for damage alone, unset FACTLOAD_RECEIPT_KEY",
        )
    if not hmac.compare_digest(as_written.encode(), raw) or not isinstance(statement, dict):
        raise _altered(path)
    if statement.get("form") != _FORM:
        raise _no_receipt(path, "it is of another version of factload")
    try:
        said = _Statement.model_validate_json(json.dumps(statement))
    except ValidationError:
        raise _altered(path) from None
    return [_published(load) for load in said.loads]


def _key() -> bytes:
    return text("FACTLOAD_RECEIPT_KEY").encode()


def _seal(statement: Mapping[str, Any], key: bytes) -> dict[str, str]:
    said = _written(statement).encode()
    if key:
        return {"method": _SIGNED, "value": hmac.new(key, said, hashlib.sha256).hexdigest()}
    return {"method": _PLAIN, "value": hashlib.sha256(said).hexdigest()}


def _written(document: Mapping[str, Any]) -> str:
    return json.dumps(document, sort_keys=True, indent=1) + "\n"


def _load(load: PublishedLoad) -> dict[str, Any]:
    return {
        "load_id": load.load_id,
        "feed": load.feed,
        "period": load.period,
        "epoch": load.epoch,
        "mode": load.mode,
        "table": load.table,
        "load_column": load.load_column,
        "workbooks": [dict(workbook) for workbook in load.workbooks],
        "feed_fingerprint": load.feed_fingerprint,
        "content": load.content,
        "factload": load.factload_version,
        "published_times_before": load.times_before,
        "published_at": load.published_at.astimezone(UTC).isoformat() if load.published_at else None,
        "rows": load.rows,
        "totals": {name: f"{total:f}" for name, total in load.totals.items()},
        "digest": f"{load.digest:f}",
        "columns": [[column.name, column.type, column.provenance] for column in load.columns],
        "hash_probe": load.probe,
    }


def _published(load: _Load) -> PublishedLoad:
    return PublishedLoad(
        load_id=load.load_id,
        feed=load.feed,
        period=load.period.isoformat(),
        epoch=load.epoch,
        content=load.content,
        mode=load.mode,
        table=load.table,
        load_column=load.load_column,
        rows=load.rows,
        totals={name: Decimal(total) for name, total in load.totals.items()},
        digest=Decimal(load.digest),
        columns=tuple(PublishedColumn(*column) for column in load.columns),
        probe=load.hash_probe,
        published_at=load.published_at,
        workbooks=load.workbooks,
        feed_fingerprint=load.feed_fingerprint,
        factload_version=load.factload,
        times_before=load.published_times_before,
    )


def _altered(path: Path) -> ReceiptRefused:
    return ReceiptRefused(
        "receipt_altered",
        f"{path} is not as factload wrote it: a byte was changed, or it was signed with another key",
        expected="the file that `factload verify --receipt` wrote, to the byte",
        remedy="Ask for the original",
    )


def _no_receipt(path: Path, why: str) -> FeedError:
    return FeedError(
        "receipt_unreadable",
        f"{path} can't be read as a receipt: {why}",
        expected="a file that `factload verify --receipt` wrote",
        remedy="Name another",
    )
