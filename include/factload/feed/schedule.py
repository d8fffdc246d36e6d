"""When a feed's loads run, and under which conditions: what an orchestrator needs of the feed file.

The engine's own steps don't read any of it; ``airflow/dag_options`` hands it to Airflow.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from factload.environment import is_cron
from factload.feed.part import FeedPart, sequence, time_zone

_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_MOST_DAYS = 3_650
_DURATION = re.compile(r" *(?:[0-9]+ *[dhms] *)+")
_HOUR = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str) and _DURATION.fullmatch(value):
        parts = re.findall(r"([0-9]+) *([dhms])", value)
        seconds = sum(int(count) * _SECONDS[unit] for count, unit in parts)
        if seconds > _MOST_DAYS * _SECONDS["d"]:
            raise ValueError(f"expected a length of time of at most {_MOST_DAYS} days")
        if seconds:
            return timedelta(seconds=seconds)
    raise ValueError("expected a length of time such as 6h, 90m or 1d12h")


def _hour(value: object) -> object:
    if isinstance(value, str) and (match := _HOUR.fullmatch(value)):
        return time(int(match[1]), int(match[2]))
    raise ValueError('expected an hour of the day such as "06:00", in quotes')


_HOUR_SCHEMA = WithJsonSchema({"type": "string", "pattern": f"^{_HOUR.pattern}$"})
# Not 0 in all its parts.
_DURATION_TEXT: dict[str, Any] = {"type": "string", "pattern": f"^(?=.*[1-9]){_DURATION.pattern}$"}
_DURATION_SCHEMA = WithJsonSchema({**_DURATION_TEXT, "examples": ["6h", "90m", "1d12h"]})
MISSING_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"enum": ["fail", "skip"]},
            {
                "type": "object",
                "properties": {
                    "wait": {"anyOf": [_DURATION_TEXT, {"type": "null"}]},
                    "then": {"enum": ["fail", "skip"]},
                },
                "additionalProperties": False,
            },
        ],
        "examples": ["fail", "skip", {"wait": "6h"}, {"wait": "6h", "then": "skip"}],
    }
)

Duration = Annotated[timedelta, BeforeValidator(_duration), _DURATION_SCHEMA]
Names = Annotated[tuple[str, ...], BeforeValidator(sequence)]
_ADDRESSES_SCHEMA = WithJsonSchema(
    {
        "type": "array",
        "items": {"type": "string", "pattern": f"^{_ADDRESS.pattern}$"},
        "minItems": 1,
        "examples": [["data@example.com"]],
    }
)


class Missing(FeedPart):
    """What becomes of a scheduled run whose workbook isn't there: it waits, and then fails or is skipped."""

    wait: Duration | None = None
    """How long after the run was due a workbook may come."""
    then: Literal["fail", "skip"] = "fail"
    """What the run does without one."""


def cron(value: object) -> object:
    """A cron expression of five fields, or one of its nicknames such as ``@daily``."""
    if isinstance(value, str) and is_cron(value):
        return value
    raise ValueError('expected a cron expression such as "0 2 * * *", in quotes')


def missing_workbook(value: object) -> Any:
    """``fail``, ``skip``, or a mapping with ``wait`` and ``then``."""
    if value in ("fail", "skip"):
        return {"then": value}
    if isinstance(value, dict | Missing):
        return value
    raise ValueError("expected fail, skip, or {wait: 6h}, also {wait: 6h, then: skip}")


class Notify(FeedPart):
    """Who is told, by mail."""

    email: Annotated[Names, _ADDRESSES_SCHEMA] = Field(min_length=1)
    """The addresses."""
    connection: str = "smtp_default"
    """The Airflow connection, of type smtp, that mails go out through."""

    @field_validator("email")
    @classmethod
    def _addresses(cls, found: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [address for address in found if not _ADDRESS.fullmatch(address)]:
            raise ValueError(f"{wrong[0]!r} is not a mail address")
        return found


class Run(FeedPart):
    """How Airflow runs the feed's loads."""

    timezone: str = Field(default="UTC", examples=["Europe/Berlin"])
    """The time zone of `schedule`, of `deadline`, and of the day that a run is for."""
    start: Annotated[date, WithJsonSchema({"type": "string", "format": "date"})] = date(2020, 1, 1)
    """The first day that the schedule loads, and that `catchup` goes back to. A run by hand, or a backfill, may be for
    an earlier one."""
    catchup: bool = False
    """Whether the days since `start` are loaded as soon as the feed is there."""
    owner: str = "factload"
    """Who is responsible for the feed."""
    tags: Names = ()
    """Further tags of the DAG."""
    pool: str | None = None
    """The Airflow pool of its tasks. Without it: one for all feeds of the same connection, made on first use."""
    priority: int = Field(default=1, ge=1, le=1000)
    """When the pool is full, tasks with a higher number go first."""
    retries: int = Field(default=4, ge=0, le=20)
    """How often a task is retried after a fault that a retry can help."""
    loads_at_once: int = Field(default=4, ge=1, le=64)
    """How many periods may be loaded at the same time, in a backfill or by hand."""
    deadline: Annotated[time, BeforeValidator(_hour), _HOUR_SCHEMA] | None = Field(
        default=None, examples=["06:00"]
    )
    """The hour by which a nightly load has to be published; `notify` is told when it isn't."""
    approval: Duration | None = None
    """How long a held load waits in Airflow for a person to release or refuse it. Without it, its run fails, and a
    run with `release` publishes the load."""
    notify: Notify | None = None
    """Who is told, by mail, of a failed run, of a held load that waits, and of a missed deadline."""

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        time_zone(name)
        return name

    @field_validator("start", mode="before")
    @classmethod
    def _a_date(cls, value: object) -> object:
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        raise ValueError("expected a date such as 2026-01-31")

    @model_validator(mode="after")
    def _somebody_is_told(self) -> Run:
        if self.deadline is not None and self.notify is None:
            raise ValueError("a `deadline` needs `notify`: somebody has to be told when it is missed")
        return self
