"""What was published compared with what stands: pure functions over counts, totals and digests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from factload.decimals import EXACT
from factload.reconcile.read_back import Content
from factload.verify.published import PublishedLoad

State = Literal["stands", "differs", "unproved"]


@dataclass(frozen=True, slots=True)
class Found:
    """What stands of a load. ``content``: None where its rows can't be told from others, for the reason ``unfound``.

    ``missing``: what of the table is gone. ``no_digest``: why the digest can't be compared; ``less_digest``:
    what it leaves out. ``may_have_lost``: how many
    loads were published since that may have taken rows over, as an upsert does; ``may_have_more``: whether rows of the
    load's earlier publications may still be there, which an upsert leaves.
    """

    content: Content | None = None
    unfound: str = ""
    missing: tuple[str, ...] = ()
    no_digest: str = ""
    less_digest: str = ""
    may_have_lost: int = 0
    may_have_more: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a load stands as it was published.

    ``proved_by``: what was compared and is equal: ``rows``, ``totals``, ``digest``. ``differences``: what isn't;
    ``where``: in which partitions, and what is known of the rows; ``notes``: what can't be proved, and why.
    """

    load: PublishedLoad
    state: State
    rows: int | None = None
    totals: dict[str, str] = field(default_factory=dict)
    proved_by: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As a mapping of plain values."""
        return {
            "load_id": self.load.load_id,
            "state": self.state,
            "table": self.load.table,
            "mode": self.load.mode,
            "rows": {"published": self.load.rows, "found": self.rows},
            "totals": {
                name: {"published": f"{total:f}", "found": self.totals.get(name)}
                for name, total in self.load.totals.items()
            },
            "proved_by": list(self.proved_by),
            "differences": list(self.differences),
            "partitions": list(self.partitions),
            "where": list(self.where),
            "notes": list(self.notes),
        }


def judge(load: PublishedLoad, found: Found) -> Verdict:
    """Compare what was published of ``load`` with what was ``found``."""
    if found.content is None:
        if found.missing:
            return Verdict(load, "differs", differences=found.missing)
        return Verdict(load, "unproved", notes=(found.unfound,))
    content = found.content
    totals = {name: f"{total:f}" for name, total in content.totals.items()}
    fewer = load.rows - content.rows
    if not found.missing and (untold := _untold(load, found, content)):
        return Verdict(load, "unproved", content.rows, totals, notes=(untold,))
    differences = list(found.missing)
    if fewer:
        differences.append(
            f"{content.rows:,} of its rows are in {load.table}, and {load.rows:,} were published"
        )
    differences += [
        f"control total of {name} is off by {EXACT.subtract(content.totals[name], total):f}"
        for name, total in load.totals.items()
        if name in content.totals and content.totals[name] != total
    ]
    compared = load.digest is not None and not found.no_digest
    if compared and not differences and content.digest != load.digest:
        differences.append("values are not those that were published, though rows and control totals are")
    notes = tuple(filter(None, (found.no_digest or found.less_digest,)))
    if differences:
        return Verdict(load, "differs", content.rows, totals, differences=tuple(differences), notes=notes)
    proved = ["rows", *(["totals"] if load.totals else []), *(["digest"] if compared else [])]
    return Verdict(load, "stands", content.rows, totals, tuple(proved), notes=notes)


def _untold(load: PublishedLoad, found: Found, content: Content) -> str:
    """Why it can't be proved that an upsert's rows are other than published: other publications may have done it."""
    fewer = load.rows - content.rows
    same = not fewer and all(content.totals.get(name) == total for name, total in load.totals.items())
    same = same and (load.digest is None or bool(found.no_digest) or content.digest == load.digest)
    lost, more = found.may_have_lost, found.may_have_more
    if same or not ((fewer > 0 and lost) or (fewer < 0 and more) or (lost and more)):
        return ""
    others = [
        *([f"{_loads(lost)} published since, and a row is that load's which wrote it last"] if lost else []),
        *(["it had been published before, and rows of then that it no longer has stay"] if more else []),
    ]
    return (
        f"{content.rows:,} rows carry this load, and {load.rows:,} were published in mode {load.mode}: "
        f"{'; '.join(others)}. Whether nothing else has changed them can't be proved"
    )


def judge_together(table: str, together: Sequence[PublishedLoad], content: Content) -> tuple[State, str]:
    """Whether loads whose rows nothing tells apart stand, all of them together: the digest of a table is the sum of
    theirs. ``content``: of the whole table. Returns the state, and why where they don't stand."""
    rows = sum(load.rows for load in together)
    if content.rows < rows:
        return "differs", (
            f"{table} has {content.rows:,} rows, and {rows:,} were published by {_of(together)} without a load "
            "column: nothing says whose are gone"
        )
    if content.rows > rows:
        return "unproved", (
            f"{table} has {content.rows:,} rows, and {rows:,} were published by {_of(together)} without a load "
            "column: nothing tells them from the others"
        )
    if content.digest != sum(load.digest or 0 for load in together):
        return "differs", (
            f"values in {table} are not those that were published by {_of(together)} without a load column: "
            "nothing says whose they are"
        )
    return "stands", ""


def _loads(number: int) -> str:
    return "1 load was" if number == 1 else f"{number:,} loads were"


def _of(together: Sequence[PublishedLoad]) -> str:
    return "1 load" if len(together) == 1 else f"{len(together):,} loads"
