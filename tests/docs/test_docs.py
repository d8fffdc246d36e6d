"""README and docs say what the code does: targets, commands, options, files, fields, reasons."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from factload.environment import SETTINGS, limit_name
from factload.errors import FactloadError
from factload.feed.file import read_feed_file
from factload.feed.schema import feed_schema
from factload.sheet.limits import Limits
from factload_demo.postgres_programs import VERSION
from factload_docs.pages import made_files
from tests.versions.postgresql import LOCKS
from tests.versions.pythons import supported

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
    targets = set(
        re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)(?=$|`)", page.read_text(encoding="utf-8"), re.MULTILINE))
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


SETTINGS_PAGE = (PROJECT / "docs/settings.md").read_text(encoding="utf-8")
COMPOSE = (PROJECT / "docker-compose.yaml").read_text(encoding="utf-8")
# Not read by the product: the name of the image that compose builds, and where tests look for more workbooks.
NOT_THE_ENGINE_S = {"FACTLOAD_TAG", "FACTLOAD_TEST_CORPUS"}
CONNECTION = re.compile(r"FACTLOAD_CONN_")


def setting_names(text: str) -> set[str]:
    """Every whole name of a setting; a connection's is none, nor is what ends in an underscore, a prefix."""
    names = re.findall(r"\bFACTLOAD_[A-Z0-9_]*[A-Z0-9]\b", text)
    return {name for name in names if not CONNECTION.match(name) and name != "FACTLOAD_CONN"}


def test_every_setting_in_the_sources_is_in_the_table_and_on_the_page() -> None:
    sources = [
        path
        for folder in ("include", "plugins", "dags", "benchmarks")
        for path in PROJECT.glob(f"{folder}/**/*")
        if path.suffix in {".py", ".sh", ".js", ".html", ".yaml"}
    ]
    sources += [PROJECT / name for name in ("docker-compose.yaml", "Dockerfile", "Makefile")]
    named = set().union(*(setting_names(path.read_text(encoding="utf-8")) for path in sources))
    known = {setting.name for setting in SETTINGS}
    limits = {limit_name(field.name) for field in fields(Limits)}  # named by the field alone
    assert (named | limits) - NOT_THE_ENGINE_S == known
    assert {"FACTLOAD_HOME", "FACTLOAD_FEEDS"} < known
    assert setting_names(SETTINGS_PAGE) == known | {"FACTLOAD_TAG"}
    assert "`FACTLOAD_CONN_<ID>`" in SETTINGS_PAGE


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_no_setting_that_there_is_not(page: Path) -> None:
    known = {setting.name for setting in SETTINGS} | NOT_THE_ENGINE_S | {"FACTLOAD_LIMIT"}
    assert setting_names(page.read_text(encoding="utf-8")) <= known


def test_only_the_loader_reads_the_engine_s_settings() -> None:
    readers = [
        path.name
        for path in PROJECT.glob("include/factload/**/*.py")
        if re.search(r"environ(\.get\(|\[)|getenv\(", path.read_text(encoding="utf-8"))
    ]
    # settings.py looks up connections; a worker process is told how to find modules.
    assert sorted(readers) == ["environment.py", "processes.py", "settings.py"]


def test_every_variable_of_the_compose_file_is_on_the_page_of_settings() -> None:
    variables = dict(re.findall(r"\$\{([A-Z_]+)(?::-([^}]*))?", COMPOSE))
    assert "FACTLOAD_TAG" in variables
    for name, default in variables.items():
        lines = [line for line in SETTINGS_PAGE.splitlines() if f"`{name}`" in line]
        assert lines, name
        assert any(default in line for line in lines), (name, default)


def test_every_limit_is_documented() -> None:
    page = (PROJECT / "docs/limits.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(FACTLOAD_LIMIT_\w+)`", page, re.MULTILINE)) == {
        limit_name(field.name) for field in fields(Limits)
    }


def test_every_decision_has_its_number_its_date_and_a_line_in_the_list() -> None:
    pages = sorted((PROJECT / "docs/adr").glob("0*.md"))
    listed = (PROJECT / "docs/adr/README.md").read_text(encoding="utf-8")
    for page in pages:
        title, _, dated, *_ = page.read_text(encoding="utf-8").splitlines()
        number, _, name = title.removeprefix("# ").partition(". ")
        assert int(number) == int(page.name[:4])
        assert re.fullmatch(r"Date: 20\d\d-\d\d-\d\d", dated), page.name
        assert f"{number}. [{name}]({page.name})" in listed


def test_the_page_of_versions_names_those_that_are_tested() -> None:
    page = (PROJECT / "docs/compatibility.md").read_text(encoding="utf-8")
    tested = dict(
        re.findall(r"^\| ?(Python|Airflow|PostgreSQL|) \| ([\d., ]+?)(?:,? the .*)? \|", page, re.MULTILINE)
    )
    lock = (PROJECT / "requirements.txt").read_text(encoding="utf-8")
    assert tested["Python"].split(", ") == supported()
    assert f"apache-airflow=={tested['Airflow']} " in lock
    assert tested["PostgreSQL"] == str(VERSION)
    assert tested[""].split(", ") == sorted(path.stem[-2:] for path in LOCKS)
