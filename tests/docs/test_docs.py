"""README and docs say what the code does: targets, commands, options, files, fields, reasons."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from factload.errors import FactloadError
from factload.feed import Dimension, Fact, Feed, WorkbookPart
from factload.feed_file import read_feed_file
from factload.rejects import EXPLANATIONS

PROJECT = Path(__file__).parents[2]
PAGES = sorted(
    [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("benchmarks/*.md")],
    key=str,
)
README = (PROJECT / "README.md").read_text(encoding="utf-8")
COMMANDS = PROJECT / "docs/commands.md"


def help_of(*command: str) -> str:
    result = subprocess.run(
        [Path(sys.executable).with_name("factload"), *command, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "100", "PATH": "/usr/bin:/bin"},
        timeout=60,
    )
    return result.stdout


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)(?=$|`)", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_commands_in_the_readme_are_understood() -> None:
    known = set(re.findall(r"^    ([a-z]+)  ", help_of(), re.MULTILINE))
    for command, rest in re.findall(r"bin/factload ([a-z]+) (.*)$", README, re.MULTILINE):
        assert command in known
        for option in re.findall(r"--[a-z]+", rest):
            assert option in help_of(command)


def test_the_help_texts_in_the_docs_are_the_program_s() -> None:
    page = COMMANDS.read_text(encoding="utf-8")
    for command in ((), ("check",), ("run",), ("status",), ("rejects",)):
        assert help_of(*command) in page, f"docs/commands.md is stale for {command}"


@pytest.mark.parametrize(
    ("model", "prefix"),
    [(Feed, ""), (WorkbookPart, "workbook."), (Dimension, "dimensions.NAME."), (Fact, "fact.")],
)
def test_every_field_of_a_feed_is_documented(model: type, prefix: str) -> None:
    page = (PROJECT / "docs/feeds.md").read_text(encoding="utf-8")
    parts = {"workbook", "dimensions", "fact", "columns", "as_of"}
    for field in set(model.model_fields) - parts:  # type: ignore[attr-defined]
        assert f"`{prefix}{field}`" in page or f"`.{field}`" in page, field


def test_every_reason_is_documented_and_explained() -> None:
    page = (PROJECT / "docs/feeds.md").read_text(encoding="utf-8")
    assert {reason for reason in EXPLANATIONS if f"`{reason}`" not in page} == set()


def test_the_demo_feed_is_valid() -> None:
    try:
        read_feed_file(PROJECT / "include/feeds/sales.yaml")
    except FactloadError as error:
        pytest.fail(str(error))
