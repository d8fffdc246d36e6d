"""What each contestant does with a workbook that has a defect, and what a kill leaves: run, and written down as seen.

Each defect is one row of a small workbook whose other rows are good. Expected rows are known by construction, so that a
row that is missing, or is there with another value, shows in count, exact sum and key sum.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter
from sqlalchemy import create_engine, insert, literal, select
from sqlalchemy.pool import NullPool

from benchmarks.contestants import ALL, PROJECT, Contestant
from benchmarks.data import keys_of, sample, write_ready_rows
from benchmarks.tables import BARE, PARTITIONED
from benchmarks.warehouse import Warehouse
from factload_demo.sample import HEADER, SHEET, dim_product, fact_sales

_MEMBERS = 2_000
_ROWS = 2_000
_AT = 1_200  # the row with the defect: after the thousand that some readers take to guess types
_ROWS_TO_KILL = 20_000
_WORKBOOKS_TO_KILL = 10
_KILLED_AT = (0.4, 0.6, 0.8)  # shares of the time that the whole load takes
_SECONDS_AT_MOST = 300
_SECONDS_BETWEEN_LOOKS = 0.002
_ZEROS, _NO_ZEROS = "0012345", "12345"  # two members, whom only the zeros tell apart

# The last line of a traceback begins with the error's class.
_ERROR = re.compile(r"^(?:\w+\.)*([A-Z]\w*(?:Error|Exception)|(?<=\.)[A-Z]\w+)(?::|$)", re.MULTILINE)

Facts = tuple[int, Decimal, int]


@dataclass(frozen=True)
class Defect:
    """`write` puts the row with the defect into a sheet; `member` is the key it shows, "" for one without a member."""

    name: str
    title: str
    write: Callable[[Any, Any], None]
    member: str = ""
    metric: Decimal | None = Decimal("1.5")


def _unmatched(sheet: Any, _: Any) -> None:
    sheet.write_string(_AT, 0, "X9999999")
    sheet.write_number(_AT, 1, 1.5)


def _error_cell(sheet: Any, _: Any) -> None:
    sheet.write_string(_AT, 0, "P0000007")
    sheet.write_formula(_AT, 1, "=NA()", None, "#N/A")


def _zeros_in_text(sheet: Any, _: Any) -> None:
    sheet.write_string(_AT, 0, _ZEROS)
    sheet.write_number(_AT, 1, 1.5)


def _zeros_by_format(sheet: Any, workbook: Any) -> None:
    sheet.write_number(_AT, 0, int(_ZEROS), workbook.add_format({"num_format": "0000000"}))
    sheet.write_number(_AT, 1, 1.5)


DEFECTS = (
    Defect("unmatched_key", "a key without a member", _unmatched),
    Defect("error_cell", "`#N/A` in a measure", _error_cell, "P0000007", None),
    Defect("zeros_in_text", "the text `0012345` as a key", _zeros_in_text, _ZEROS),
    Defect("zeros_by_format", "12345, shown as `0012345`, as a key", _zeros_by_format, _ZEROS),
)
KILLED = {
    "killed": "killed at work on one workbook",
    "killed_in_ten": "killed at work on ten workbooks",
}


@dataclass(frozen=True)
class Seen:
    """What became of one load: its exit status, the rows there are, and a sentence that says so."""

    status: int
    rows: int
    sentence: str


class Trial:
    """A small database of the benchmark's server, and the folder where workbooks lie and contestants work."""

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.warehouse = warehouse.database("defects", _MEMBERS)
        self.folder = folder
        self._add(_ZEROS, _NO_ZEROS)
        self.keys = keys_of(self.warehouse.sqlalchemy_url)

    def _add(self, *members: str) -> None:
        engine = create_engine(self.warehouse.sqlalchemy_url)
        with engine.begin() as connection:
            connection.execute(insert(dim_product), [{"business_key": key} for key in members])
        engine.dispose()

    def renew(self, contestant: Contestant) -> None:
        """An empty fact table of the kind that the contestant loads."""
        table = PARTITIONED if contestant.makes_partitions else BARE
        self.warehouse.renew(table, partition=not contestant.makes_partitions)

    def started(self, contestant: Contestant, workbooks: Sequence[Path]) -> subprocess.Popen[str]:
        """Its process, in a group of its own."""
        pattern = str(workbooks[0] if len(workbooks) == 1 else workbooks[0].parent / "*.xlsx")
        return subprocess.Popen(
            contestant.command(workbooks, pattern, Path(), self.warehouse.url),
            cwd=PROJECT,
            env={**os.environ, **contestant.environment(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def finished(self, contestant: Contestant, workbooks: Sequence[Path]) -> tuple[int, str, str]:
        """Its exit status, and what it printed to both."""
        process = self.started(contestant, workbooks)
        try:
            out, err = process.communicate(timeout=_SECONDS_AT_MOST)
        except subprocess.TimeoutExpired:
            _kill(process)
            raise
        self.warehouse.wait_until_left()
        return process.returncode, out, err

    def wait_for_rows(self, process: subprocess.Popen[str]) -> None:
        """Until another session sees a fact row, or the process has ended."""
        engine = create_engine(
            self.warehouse.sqlalchemy_url, poolclass=NullPool, isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            rows = select(literal(1)).select_from(fact_sales).limit(1)
            while process.poll() is None and connection.scalar(rows) is None:
                time.sleep(_SECONDS_BETWEEN_LOOKS)


def try_all(
    names: Iterable[str], warehouse: Warehouse, folder: Path
) -> Iterator[tuple[str, dict[str, dict[str, Any]]]]:
    """Each contestant of these names that loads workbooks: defect → what was seen."""
    trial = Trial(warehouse, folder)
    chosen = [c for c in ALL if c.name in set(names) and c.kind in ("load", "factload")]
    for contestant in chosen:
        seen = {defect.name: _with_defect(trial, contestant, defect) for defect in DEFECTS}
        seen["killed"] = _killed(trial, contestant, 1)
        seen["killed_in_ten"] = _killed(trial, contestant, _WORKBOOKS_TO_KILL)
        yield contestant.name, {name: asdict(one) for name, one in seen.items()}


def _with_defect(trial: Trial, contestant: Contestant, defect: Defect) -> Seen:
    path, good = _workbook(trial, defect)
    trial.renew(contestant)
    status, out, err = trial.finished(contestant, [path])
    facts = trial.warehouse.facts()
    said = _said(contestant, status, out, err)
    return Seen(status, facts[0], sentence_of(defect, trial.keys, good, facts, said))


def _workbook(trial: Trial, defect: Defect) -> tuple[Path, Facts]:
    """The workbook with this defect, and what its good rows come to."""
    path = trial.folder / f"defect-{defect.name}.xlsx"
    workbook = xlsxwriter.Workbook(str(path))
    sheet = workbook.add_worksheet(SHEET)
    sheet.write_row(0, 0, HEADER[:2])
    total = keys = 0
    for index in range(1, _ROWS + 1):
        if index == _AT:
            defect.write(sheet, workbook)
            continue
        key, cents = f"P{index % _MEMBERS:07d}", index * 37 % 10_000
        sheet.write_string(index, 0, key)
        sheet.write_number(index, 1, cents / 100)
        total += cents
        keys += trial.keys[key]
    workbook.close()
    return path, (_ROWS - 1, Decimal(total).scaleb(-2), keys)


def _said(contestant: Contestant, status: int, out: str, err: str) -> str:
    """By what name the contestant spoke of it: the reject's reason, or the error's; "" if it said nothing."""
    if contestant.kind == "factload":
        rejects = json.loads(out).get("rejects", {}) if out.strip() else {}
        return ", ".join(rejects) or (f"exit status {status}" if status else "")
    if status == 0:
        return ""
    errors = _ERROR.findall(err)
    return str(errors[-1]) if errors else f"exit status {status}"


def sentence_of(defect: Defect, keys: Mapping[str, int], good: Facts, facts: Facts, said: str) -> str:
    """What became of the row with the defect: ``good`` is what the others come to, ``facts`` what there is.

    ``keys``: business key → surrogate key; ``said``: by what name the contestant spoke of it.
    """
    rows, total, sum_of_keys = facts
    if rows == 0:
        return f"stops with `{said}`; nothing is loaded" if said else "**loads nothing, without a word**"
    if facts == good:
        return f"handed back as `{said}`; the others are loaded" if said else "**left out without a word**"
    if rows == good[0] + 1 and not said:
        return _the_row(defect, keys, total - good[1], sum_of_keys - good[2])
    spoken = f"stops with `{said}`" if said else "ends without a word"
    return f"{spoken}; **{rows:,} of {good[0] + 1:,} rows are in the table**"


def _the_row(defect: Defect, keys: Mapping[str, int], metric: Decimal, surrogate: int) -> str:
    """The row is there; its key and its metric are what is left when the others are taken away."""
    members = {key: member for member, key in keys.items()}
    if metric != defect.metric:
        return f"**loaded with {metric.normalize():f} as its measure**"
    if surrogate == keys.get(defect.member):
        return "loaded as shown"
    return (
        f"loaded as `{members[surrogate]}`"
        if surrogate in members
        else "**loaded with a key that there isn't**"
    )


def _killed(trial: Trial, contestant: Contestant, workbooks: int) -> Seen:
    """SIGKILL to the whole program at several moments, and as soon as its rows are seen; then once more, to its end."""
    made = sample(trial.folder, _ROWS_TO_KILL, members=_MEMBERS, workbooks=workbooks)
    ready = trial.folder / "ready-of-kills.csv"
    whole = (made.rows, made.total, write_ready_rows(ready, made, trial.keys, _MEMBERS))
    trial.renew(contestant)
    began = time.monotonic()
    status, _, err = trial.finished(contestant, made.workbooks)
    took = time.monotonic() - began
    if trial.warehouse.facts() != whole:
        return Seen(status, trial.warehouse.facts()[0], f"could not be tried: {err.strip()[-200:]}")
    left: list[int] = []
    again: Facts | None = None
    for moment in (*_KILLED_AT, None):
        trial.renew(contestant)
        process = trial.started(contestant, made.workbooks)
        if moment is None:
            trial.wait_for_rows(process)
        else:
            time.sleep(took * moment)
        _kill(process)
        trial.warehouse.wait_until_left()
        facts = trial.warehouse.facts()
        if facts == whole:  # it was over already, or its rows came all at once
            continue
        left.append(facts[0])
        if facts[0] or again is None:
            trial.finished(contestant, made.workbooks)
            again = trial.warehouse.facts()
        if facts[0]:
            break
    return Seen(status, max(left, default=0), _of_kills(left, again, whole))


def _of_kills(left: Sequence[int], again: Facts | None, whole: Facts) -> str:
    if again is None:
        return "over before every kill"
    kills = "1 kill" if len(left) == 1 else f"{len(left)} kills"
    first = f"**{max(left):,} of {whole[0]:,} rows stay**" if any(left) else f"nothing stays ({kills})"
    return f"{first}; " + ("run again: whole" if again == whole else f"**run again: {again[0]:,} rows**")


def _kill(process: subprocess.Popen[str]) -> None:
    """The program and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def table(results: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """A Markdown table: a line a contestant, a column a defect."""
    columns = {defect.name: defect.title for defect in DEFECTS} | KILLED
    lines = ["| | " + " | ".join(columns.values()) + " |", "| --- |" + " --- |" * len(columns)]
    for name, seen in results.items():
        lines.append(f"| {name} | " + " | ".join(seen[column]["sentence"] for column in columns) + " |")
    return "\n".join(lines)
