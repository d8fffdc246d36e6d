"""README and docs say what the code does: targets, commands, options, files, fields, reasons."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from factload.environment import limit_name
from factload.errors import FactloadError
from factload.feed.file import read_feed_file
from factload.feed.schema import feed_schema
from factload.sheet.limits import Limits
from factload_docs.pages import made_files

PROJECT = Path(__file__).parents[2]
PAGES = sorted(
    [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("benchmarks/*.md")],
    key=str,
)
README = (PROJECT / "README.md").read_text(encoding="utf-8")


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


@pytest.mark.parametrize("path", made_files(), ids=lambda path: path.name)
def test_what_is_made_of_the_code_is_not_stale(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == made_files()[path], "run `make docs`"


def test_every_part_of_a_feed_has_its_table() -> None:
    page = (PROJECT / "docs/feeds.md").read_text(encoding="utf-8")
    parts = {"Feed", *feed_schema()["$defs"]}
    assert set(re.findall(r"<!-- made: fields (\S+) -->", page)) == parts


def test_every_field_says_what_it_is() -> None:
    schema = feed_schema()
    for part in [schema, *schema["$defs"].values()]:
        for name, field in part["properties"].items():
            assert "description" in field or "$ref" in field, f"{name} has no text below it in feed.py"


def test_the_demo_feed_is_valid() -> None:
    try:
        read_feed_file(PROJECT / "include/feeds/sales.yaml")
    except FactloadError as error:
        pytest.fail(str(error))


def test_every_limit_is_documented() -> None:
    page = (PROJECT / "docs/limits.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(FACTLOAD_LIMIT_\w+)`", page, re.MULTILINE)) == {
        limit_name(field.name) for field in fields(Limits)
    }
