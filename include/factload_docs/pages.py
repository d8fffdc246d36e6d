"""The pages of docs/ with their made blocks filled in.

A block stands between ``<!-- made: KIND ARGUMENT -->`` and ``<!-- end -->``; whatever surrounds it is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from factload.feed.schema import schema_text
from factload_docs.commands import command_help
from factload_docs.fields import field_table
from factload_docs.reasons import reason_table
from factload_docs.settings import setting_table
from factload_docs.worked import list_of_examples

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = DOCS / "feed.schema.json"

_BLOCK = re.compile(r"(<!-- made: (\S+) ?(\S*) -->\n).*?(<!-- end -->)", re.DOTALL)
_KINDS: Mapping[str, Callable[[str], str]] = {
    "fields": field_table,
    "reasons": reason_table,
    "settings": setting_table,
    "examples": lambda _: list_of_examples(DOCS / "examples"),
    "commands": command_help,
}


def made_files() -> dict[Path, str]:
    """Each file of docs/ that is made, or has a made block → what it should hold."""
    pages = {page: page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*.md"))}
    made = {page: filled(text) for page, text in pages.items() if _BLOCK.search(text)}
    return {SCHEMA: schema_text()} | made


def filled(page: str) -> str:
    """The text of a page with every block made anew; raises ``KeyError`` for a kind that there isn't."""
    return _BLOCK.sub(lambda found: f"{found[1]}{_KINDS[found[2]](found[3])}\n{found[4]}", page)
