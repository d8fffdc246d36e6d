"""docs/extending.md names files that there are."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs/extending.md").read_text(encoding="utf-8")
# `NAME` stands for what whoever follows the page chooses.
_PATH = re.compile(
    r"`((?:(?:include|tests|docs|dags|plugins|benchmarks)/[\w./-]*[\w/]|[\w.-]+\.(?:md|toml)))`"
)


def missing(page: str) -> list[str]:
    """The paths of the repository that a page names and that don't exist."""
    named = (path.partition("NAME")[0] for path in _PATH.findall(page))
    return [path for path in named if not (PROJECT / path).exists()]


def test_every_file_that_the_page_names_exists() -> None:
    assert len(_PATH.findall(PAGE)) > 5
    assert missing(PAGE) == []


def test_a_file_that_is_gone_is_told() -> None:
    assert missing("`include/factload/rules/NAME.py`, `tests/gone.py`, `include/gone/NAME.py`") == [
        "tests/gone.py",
        "include/gone/",
    ]


def test_every_section_says_how_to_add_something() -> None:
    sections = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    assert sections
    assert [title for title in sections if not title.startswith("How to add ")] == []
