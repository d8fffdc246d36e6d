"""How many rows of a load may be rejected, in all and for a reason; how few it may publish; and by how much it may
differ from what was published before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pydantic import WithJsonSchema

from factload.decimals import EXACT
from factload.errors import did_you_mean
from factload.reasons import REASONS

_SHARE = re.compile(r"0*(?:100(?:\.0+)?|[0-9]{1,2}(?:\.[0-9]+)?)\s*%")  # up to 100%
_EXPECTED = "expected a number of rows such as 100, or a share of them such as 0.5%"
_ONE: dict[str, Any] = {
    "anyOf": [
        {"type": "integer", "minimum": 0},
        {"type": "string", "pattern": rf"^\s*{_SHARE.pattern}\s*$"},
    ]
}
_LEAST_EXPECTED = (
    "expected a number of rows such as 1000, or a share of the rows that are published now, such as 50%"
)
_MANY: dict[str, Any] = {
    "type": "object",
    "properties": {"total": {"anyOf": [*_ONE["anyOf"], {"type": "null"}]}, **dict.fromkeys(REASONS, _ONE)},
    "additionalProperties": False,
    "minProperties": 1,
}
LIMITS_SCHEMA = WithJsonSchema(
    {
        "anyOf": [*_ONE["anyOf"], _MANY],
        "examples": [100, "0.5%", {"total": "0.5%", "unmatched_key": 100}],
    }
)


ROWS = "rows"
_ANY_SHARE = re.compile(r"[0-9]{1,6}(?:\.[0-9]+)?\s*%")
_CHANGE_EXPECTED = (
    "expected shares such as {rows: 20%, amount: 10%}: of the number of rows, and of totals of measures"
)
CHANGE_SCHEMA = WithJsonSchema(
    {
        "type": "object",
        "additionalProperties": {"type": "string", "pattern": rf"^\s*{_ANY_SHARE.pattern}\s*$"},
        "minProperties": 1,
        "examples": [{"rows": "20%"}, {"rows": "20%", "amount": "10%"}],
    }
)

LEAST_SCHEMA = WithJsonSchema({**_ONE, "examples": [1000, "50%"]})

_MOST_PLACES = 6


@dataclass(frozen=True, slots=True)
class LeastRows:
    """How few rows a load may publish: ``count`` rows, or ``share`` (0 to 1) of those that it has published now.
    Neither: one row, where `replace` would leave nothing of those that it has published."""

    count: int | None = None
    share: Decimal | None = None

    def missed(self, rows: int, published: int, *, replaces: bool) -> str:
        """What is too few, in words, when ``rows`` would be published; nothing when they are enough."""
        if self.count is not None:
            least = Decimal(self.count)
        elif self.share is not None:
            least = self.share * published
        else:
            least = Decimal(min(published, 1) if replaces else 0)
        if rows >= least:
            return ""
        now = f", and {published:,} rows of this load are published now" if published else ""
        return f"{rows:,} rows are left to publish{now}"

    def __str__(self) -> str:
        if self.share is not None:
            return f"{_percent(self.share)} of the rows that are published now"
        least = 1 if self.count is None else self.count
        return f"{least:,} row{'' if least == 1 else 's'}"


def least_rows(value: object) -> object:
    """What a feed's `min_rows` says."""
    if isinstance(value, LeastRows):
        return value
    try:
        found = _limit(value)
    except ValueError:
        raise ValueError(_LEAST_EXPECTED) from None
    return LeastRows(found.count, found.share)


@dataclass(frozen=True, slots=True)
class RejectLimit:
    """A number of rows: ``count``, or ``share`` of the source rows (0 to 1)."""

    count: int | None = None
    share: Decimal | None = None

    def exceeded(self, rejected: int, source: int) -> bool:
        """Whether ``rejected`` of ``source`` rows are too many. A limit that is met exactly is kept."""
        allowed = self.count if self.count is not None else (self.share or 0) * source
        return rejected > allowed

    def __str__(self) -> str:
        return f"{self.count:,} rows" if self.count is not None else _percent(self.share or Decimal(0))


@dataclass(frozen=True, slots=True)
class RejectLimits:
    """``total`` limits all rejects together, ``reasons`` those of one reason. Without ``total``, a reason that has
    no limit of its own allows no rows."""

    total: RejectLimit | None = None
    reasons: Mapping[str, RejectLimit] = field(default_factory=dict)

    def exceeded(self, rejects: Mapping[str, int], source: int) -> tuple[str, ...]:
        """What is too much, in words, of ``rejects`` (reason → rows) among ``source`` rows; empty when nothing is."""
        none = RejectLimit(count=0)
        rejected = sum(rejects.values())
        said = []
        if self.total is not None and self.total.exceeded(rejected, source):
            said.append(f"{rejected:,} of {source:,} rows were rejected")
        for reason, count in rejects.items():
            limit = self.reasons.get(reason, none if self.total is None else None)
            if limit is not None and limit.exceeded(count, source):
                said.append(f"{count:,} of {source:,} rows are {reason}")
        return tuple(said)

    def __str__(self) -> str:
        own = [f"{reason} {limit}" for reason, limit in self.reasons.items()]
        return ", ".join([*([str(self.total)] if self.total is not None else []), *own])


@dataclass(frozen=True, slots=True)
class ChangeLimits:
    """By how much a load may differ from what was published before: shares (0.2 is 20%) of the number of rows, and of
    the control totals of measures. Empty: by any amount."""

    shares: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def measures(self) -> list[str]:
        """The fact columns whose totals are limited."""
        return [name for name in self.shares if name != ROWS]

    def exceeded(self, now: Mapping[str, Decimal], before: Mapping[str, Decimal], of: str) -> tuple[str, ...]:
        """What differs by too much, in words; empty when nothing does. ``now`` and ``before``: ``rows`` and measures →
        amounts; ``of``: what ``before`` is. A limit that is met exactly is kept."""
        said = []
        for name, share in self.shares.items():
            if name not in now or name not in before:
                continue
            changed = EXACT.abs(EXACT.subtract(now[name], before[name]))
            if changed > EXACT.multiply(share, EXACT.abs(before[name])):
                what = "the number of rows is" if name == ROWS else f"the total of {name} is"
                said.append(
                    f"{what} {now[name]:,f}, and {of} it is {before[name]:,f}: "
                    f"a change {_by(changed, EXACT.abs(before[name]), share)}"
                )
        return tuple(said)

    def __str__(self) -> str:
        return ", ".join(f"{name} {_percent(share)}" for name, share in self.shares.items())


def _by(changed: Decimal, before: Decimal, limit: Decimal) -> str:
    """By what share something has changed, with as many places as tell it from the limit that it exceeds."""
    if not before:
        return "from nothing"
    share = changed / before
    for places in range(1, _MOST_PLACES):
        if Decimal(f"{share * 100:.{places}f}") > limit * 100:
            return f"of {share:.{places}%}"
    return f"of more than {_percent(limit)}"


def change_limits(value: object) -> object:
    """The limits that a feed's `max_change` says: a mapping of `rows` and measures to shares."""
    if isinstance(value, ChangeLimits):
        return value
    if not isinstance(value, dict) or not value:
        raise ValueError(_CHANGE_EXPECTED)
    shares = {}
    for name, share in value.items():
        if not isinstance(share, str) or not _ANY_SHARE.fullmatch(share.strip()):
            raise ValueError(f"{name}: {_CHANGE_EXPECTED}")
        shares[str(name)] = _share(share)
    return ChangeLimits(shares)


def reject_limits(value: object) -> object:
    """The limits that a feed's `max_rejects` says: one for all, or a mapping of `total` and reasons."""
    if isinstance(value, RejectLimits):
        return value
    if not isinstance(value, dict) or not value:
        return RejectLimits(total=_limit(value))
    for name in value:
        if name != "total" and name not in REASONS:
            near = did_you_mean(str(name), ["total", *REASONS])
            raise ValueError(
                f"{name!r} is neither total nor a reason why rows are rejected. "
                + (near or f"There are {', '.join(REASONS)}")
            )
    total = value.get("total")
    return RejectLimits(
        total=None if total is None else _limit(total),
        reasons={name: _limit(limit) for name, limit in value.items() if name != "total"},
    )


def _limit(value: object) -> RejectLimit:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return RejectLimit(count=value)
    if isinstance(value, str) and _SHARE.fullmatch(value.strip()):
        return RejectLimit(share=_share(value))
    raise ValueError(_EXPECTED)


def _share(written: str) -> Decimal:
    return Decimal(written.strip().rstrip("%").rstrip()).scaleb(-2)


def _percent(share: Decimal) -> str:
    percent = f"{share * 100:f}"
    return f"{percent.rstrip('0').rstrip('.') if '.' in percent else percent}%"
