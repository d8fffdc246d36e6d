"""Every setting that the environment holds, and how one is read: docs/settings.md is made of this table.

A setting that is missing or empty has its default. One that can't be read ends what needs it with ``setting_invalid``.
Connections (``FACTLOAD_CONN_<ID>``) have names that feeds choose: ``settings`` looks them up.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from factload.errors import FeedError

Group = Literal["places", "waits", "limits", "airflow"]

LIMIT_PREFIX = "FACTLOAD_LIMIT_"
VERIFY_SCHEDULE = "FACTLOAD_VERIFY_SCHEDULE"
_DAY = 86_400
_MOST = 10**18 - 1
_SHOWN_CHARS = 40
_WHOLE_NUMBER = re.compile(r"-?[0-9](_?[0-9]){0,17}")


@dataclass(frozen=True, slots=True)
class TextSetting:
    """A text. ``shown``: what the page of settings says of the default, where it isn't the text itself."""

    name: str
    group: Group
    default: str
    meaning: str
    shown: str


@dataclass(frozen=True, slots=True)
class NumberSetting:
    """A whole number from 1 to ``most``. ``unlimited``: a number beside these that means no bound at all."""

    name: str
    group: Group
    default: int
    meaning: str
    unit: str = ""
    most: int = _MOST
    unlimited: int | None = None

    @property
    def values(self) -> str:
        """Which values there are, in words."""
        bounded = f"a whole number from 1 to {self.most}" if self.most < _MOST else "a whole number above 0"
        return bounded if self.unlimited is None else f"{bounded}, or {self.unlimited} for no bound"


def _limit(field: str, default: int, meaning: str) -> NumberSetting:
    return NumberSetting(limit_name(field), "limits", default, meaning)


def limit_name(field: str) -> str:
    """The environment variable that sets a limit on workbooks."""
    return LIMIT_PREFIX + field.upper()


_TEXTS = (
    TextSetting(
        "FACTLOAD_HOME",
        "places",
        "",
        "The project's folder: relative paths of settings and feeds start here",
        "the folder that holds `include/factload`; for an installed package `AIRFLOW_HOME`, without it the current "
        "folder",
    ),
    TextSetting(
        "FACTLOAD_FEEDS",
        "places",
        "include/feeds",
        "The folder of feed files",
        "`include/feeds` in `FACTLOAD_HOME`",
    ),
    TextSetting(
        "FACTLOAD_STAGING",
        "places",
        ".staging",
        "Where staging files lie, the same for all workers: a folder that they share, or a place in an object store, "
        "`s3://bucket/prefix`, `gs://…` or `abfs://…`",
        "`.staging` in `FACTLOAD_HOME`",
    ),
    TextSetting(
        "FACTLOAD_STAGING_CONNECTION",
        "places",
        "",
        "The connection that holds the credentials of that store: `AIRFLOW_CONN_<ID>` in the environment, or one that "
        "Airflow keeps. Without it the store's own variables count, such as `AWS_ACCESS_KEY_ID` and `AWS_ENDPOINT_URL`",
        "none",
    ),
    TextSetting(
        "FACTLOAD_CACHE",
        "places",
        ".staging",
        "The folder of a worker's own files where `FACTLOAD_STAGING` is a store: what it fetched, what it is making; "
        "shared by the processes of one machine, and by no others",
        "`.staging` in `FACTLOAD_HOME`",
    ),
    TextSetting(
        "FACTLOAD_ALLOWED_ROOTS",
        "places",
        "inbox",
        "Folders and URLs that workbooks are read from, between commas: `inbox,s3://reports/in`. Credentials of a "
        "store have variables of their own, such as `AWS_ACCESS_KEY_ID`; a URL with a password is refused",
        "`inbox` in `FACTLOAD_HOME`",
    ),
    TextSetting(
        "FACTLOAD_WORKBOOKS",
        "places",
        "",
        "A place in a store where relative paths of workbooks start: with `s3://bucket` the `inbox/sales.xlsx` of a "
        "feed is `s3://bucket/inbox/sales.xlsx`. That must lie below one of the roots, as any workbook",
        "`FACTLOAD_HOME`",
    ),
    TextSetting(
        "FACTLOAD_RECEIPT_KEY",
        "places",
        "",
        "The secret that `factload verify --receipt` signs receipts with, and that proves them; best 32 random "
        "characters or more",
        "none: receipts have a plain digest, which shows damage, and not who wrote them",
    ),
    TextSetting(
        VERIFY_SCHEDULE,
        "airflow",
        "",
        "When the DAG `verify_feeds` proves that the fact tables still hold what was published: a cron expression in "
        "UTC, such as `0 6 * * *`",
        "none: there is no such DAG",
    ),
)
_NUMBERS = (
    NumberSetting(
        "FACTLOAD_LOCK_TIMEOUT",
        "waits",
        90,
        "Seconds that a transaction waits for a lock",
        unit="seconds",
        most=_DAY,
    ),
    NumberSetting(
        "FACTLOAD_IDLE_TIMEOUT",
        "waits",
        60,
        "Seconds that a worker which does nothing keeps its locks",
        unit="seconds",
        most=_DAY,
    ),
    NumberSetting(
        "FACTLOAD_SILENCE_TIMEOUT",
        "waits",
        60,
        "Seconds after which a database that says nothing is given up, unless it works on the statement",
        unit="seconds",
        most=_DAY,
    ),
    NumberSetting(
        "FACTLOAD_STAGING_DAYS",
        "waits",
        14,
        "Days without a sign of a load after which its staging is removed",
        unit="days",
        most=3_650,
    ),
    NumberSetting(
        "FACTLOAD_CACHE_BYTES",
        "waits",
        2 << 30,
        "Bytes of staging files that a worker keeps of a store; what was not used for longest goes first",
        unit="bytes",
    ),
    _limit("file_bytes", 4 << 30, "Bytes of a workbook that is copied out of a store"),
    _limit("members", 10_000, "Members of the zip archive"),
    _limit("sheet_bytes", 8 << 30, "Bytes of one sheet's XML or of one csv file, inflated"),
    _limit("strings_bytes", 2 << 30, "Bytes of the shared strings' XML"),
    _limit("small_part_bytes", 32 << 20, "Bytes of any other part: styles, the list of sheets"),
    _limit("row_bytes", 32 << 20, "Bytes of one row, of one csv record"),
    _limit("text_chars", 1 << 20, "Characters of one text"),
    _limit("merged_ranges", 2_000_000, "Merged ranges of one sheet"),
    _limit(
        "window_text_bytes",
        1 << 28,
        "Bytes of text that the rows of one window hold together; so do the first 50 rows, in which the header is "
        "looked for",
    ),
    _limit("ratio", 200, "How many times its stored size a part may inflate to"),
    _limit(
        "ratio_from_bytes",
        32 << 20,
        "From how many bytes on the ratio is looked at; of a .csv.gz file from 4 MB on",
    ),
    _limit("cells", 1_048_576 * 40, "Rows × columns of a sheet of an .xls, .xlsb or .ods workbook"),
    _limit(
        "cells_per_byte",
        4,
        "The same for each byte of the file, inflated, if there are more than 1,000,000: a cell in a far corner",
    ),
    _limit("process_bytes", 3 << 30, "Memory of the process that reads such a sheet"),
    _limit("process_seconds", 600, "Its time"),
    _limit(
        "process_seconds_per_mb",
        20,
        "Its processor time in seconds for each MB of the file, inflated, beyond 5 s",
    ),
    NumberSetting(
        "FACTLOAD_WAREHOUSE_SLOTS",
        "airflow",
        16,
        "How many tasks use one warehouse at once: the slots of a pool that Airflow's scheduler makes when a feed "
        "first runs. A pool that exists keeps its slots: they are changed on Airflow's page of pools. The partitions "
        "of one feed fill three of four slots at most",
        unit="slots",
        most=10_000,
        unlimited=-1,
    ),
    NumberSetting(
        "FACTLOAD_UPLOAD_BYTES",
        "airflow",
        256 << 20,
        "Bytes of a workbook that is uploaded on the Loads page",
        unit="bytes",
    ),
)
SETTINGS: Sequence[TextSetting | NumberSetting] = (*_TEXTS, *_NUMBERS)
_TEXT_OF = {setting.name: setting for setting in _TEXTS}
_NUMBER_OF = {setting.name: setting for setting in _NUMBERS}


def text(name: str) -> str:
    """The value of a setting that is a text."""
    return os.environ.get(name) or _TEXT_OF[name].default


def number(name: str) -> int:
    """The value of a setting that is a number; raises ``FeedError`` for one that can't be read as such."""
    setting = _NUMBER_OF[name]
    written = os.environ.get(name, "").strip()
    if not written:
        return setting.default
    value = _whole_number(written)
    if value is not None and (0 < value <= setting.most or value == setting.unlimited):
        return value
    counted = f"number of {setting.unit}" if setting.unit else "whole number above 0"
    raise FeedError(
        "setting_invalid",
        f"the environment's {name} is not a {counted} (found {_shown(written)})",
        expected=f"{setting.values}, such as {setting.default}",
        remedy="Correct it in the environment, or leave it out",
    )


def cron(name: str) -> str | None:
    """The value of a setting that is a cron expression, None where it isn't set; raises ``FeedError`` for any other."""
    written = text(name).strip()
    if not written or is_cron(written):
        return written or None
    raise FeedError(
        "setting_invalid",
        f"the environment's {name} is not a cron expression (found {_shown(written)})",
        expected="five fields, such as 0 6 * * *, or a name such as @daily",
        remedy="Correct it in the environment, or leave it out",
    )


def is_cron(written: str) -> bool:
    """Whether a text is a cron expression of five fields, or one of its nicknames such as ``@daily``."""
    from croniter import croniter  # few processes ask

    return bool(croniter.is_valid(written)) and len(written.split()) in (1, 5)


def default_number(name: str) -> int:
    """The default of a setting that is a number."""
    return _NUMBER_OF[name].default


def _shown(written: str) -> str:
    return repr(written if len(written) <= _SHOWN_CHARS else f"{written[:_SHOWN_CHARS]}…")


def wrong_numbers() -> list[FeedError]:
    """An error for each setting that should be a number and can't be read as one."""
    wrong = []
    for setting in _NUMBERS:
        try:
            number(setting.name)
        except FeedError as error:
            wrong.append(error)
    return wrong


def _whole_number(written: str) -> int | None:
    return int(written) if _WHOLE_NUMBER.fullmatch(written) else None
