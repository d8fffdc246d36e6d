"""The table of faults: what was injected, what was seen. ``docs/reliability.md`` is made of it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from factload.errors import FactloadError

PAGE = Path(__file__).parents[2] / "docs/reliability.md"
_BEGIN, _STOP = "<!-- faults: begin -->\n", "<!-- faults: end -->\n"
_HEAD = (
    "| fault | injected by | times | right after, readers see | in the end | message |\n"
    "| --- | --- | --- | --- | --- | --- |\n"
)
_SEEN = {
    "before": "the old rows",
    "after": "the new rows",
    "before after": "the old or the new rows, as the ledger says",
}
# What differs from run to run, or from one injection to the next.
_VARIABLE = (
    (re.compile(r"/[^ ,;]*/a project/"), ""),
    (re.compile(r"(attempt|process|pid|is) \d+\b"), r"\1 N"),
    (re.compile(r"since [-\d]+ [:\d]+ UTC"), "since …"),
    (re.compile(r'"/[^"]*"'), '"…"'),
    (re.compile(r'"(base|pg_tblspc|pg_wal)/[^"]*"'), '"…"'),
    (re.compile(r"\b[\d,.]+ MB\b"), "N MB"),
    (re.compile(r"(did not answer while [^.:]*): [^.]*"), r"\1"),  # the driver's words, when it has some
    (re.compile(r"\b\d{1,3}(,\d{3})+\b"), "N"),  # bytes: another zlib, another number
)
_PLACE = re.compile(r"while [^.;:]*")


@dataclass
class FaultRecord:
    """One row of the table. ``tests`` counts those that inject it; it is complete when all have passed.

    ``over``: for a fault at each of the product's own points, whose number may change: at least so many.
    """

    section: str
    name: str
    by: str
    over: int | None = None
    tests: int = 0
    passed: int = 0
    times: int = 0
    seen: set[str] = field(default_factory=set)
    ends: set[str] = field(default_factory=set)
    messages: set[str] = field(default_factory=set)

    def injected(self, *, seen: str, end: str, error: FactloadError | None = None, times: int = 1) -> None:
        """``seen``: ``before`` or ``after``, whose rows the judge found right after the fault."""
        assert seen in ("before", "after")
        self.times += times
        self.seen.add(seen)
        self.ends.add(end)
        if error is not None:
            message = str(error)
            for pattern, instead in _VARIABLE:
                message = pattern.sub(instead, message)
            self.messages.add(f"`{error.code}` {message}")

    @property
    def complete(self) -> bool:
        return self.tests == self.passed and self.times > (self.over or 0)

    @property
    def line(self) -> str:
        """The row as the page has it."""
        times = str(self.times) if self.over is None else f"each, over {self.over}"
        # One message at many places is shown once, without the place.
        messages = (
            self.messages if len(self.messages) < 4 else {_PLACE.sub("while …", m) for m in self.messages}
        )
        seen = _SEEN[" ".join(sorted(self.seen, reverse=True))]
        cells = (
            self.name,
            self.by,
            times,
            seen,
            "; ".join(sorted(self.ends)),
            "<br>".join(sorted(messages)),
        )
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def committed() -> dict[str, str]:
    """Fault → its row, as the page stands."""
    return {name: line for rows in _sections().values() for name, line in rows.items()}


def rewrite(records: Collection[FaultRecord], *, whole: bool) -> None:
    """Put what this run recorded into the page; a row that could not be tried here stays as it is.

    ``whole``: every test of the suite was called, so that other rows are of faults that nobody injects any more.
    """
    before, _, after = _parts()
    stands = committed()
    sections: dict[str, dict[str, str]] = {} if whole else _sections()
    for section in {record.section: None for record in records}:
        of_section = [record for record in records if record.section == section]
        rows = {
            record.name: record.line if record.complete else stands.get(record.name, "")
            for record in of_section
        }
        sections[section] = {name: line for name, line in rows.items() if line}
    table = "".join(
        f"\n## {section}\n\n{_HEAD}{''.join(rows.values())}" for section, rows in sections.items() if rows
    )
    PAGE.write_text(f"{before}{_BEGIN}{table}\n{_STOP}{after}", encoding="utf-8")


def _sections() -> dict[str, dict[str, str]]:
    sections: dict[str, dict[str, str]] = {}
    for line in _parts()[1].splitlines(keepends=True):
        if line.startswith("## "):
            rows = sections.setdefault(line.removeprefix("## ").strip(), {})
        elif line.startswith("| ") and line not in _HEAD:
            rows[line.split(" | ")[0].removeprefix("| ")] = line
    return sections


def _parts() -> tuple[str, str, str]:
    before, rest = PAGE.read_text(encoding="utf-8").split(_BEGIN)
    table, after = rest.split(_STOP)
    return before, table, after
