"""The worked examples: pages that show a sheet, a feed and the fact rows, and that a test carries out."""

from __future__ import annotations

from pathlib import Path


def list_of_examples(folder: Path) -> str:
    """A line an example: its title, linked, and the first paragraph below it."""
    return "\n".join(_line(page) for page in sorted(folder.glob("*.md")))


def _line(page: Path) -> str:
    title, paragraph, *_ = page.read_text(encoding="utf-8").split("\n\n")
    return f"- [{title.removeprefix('# ')}](examples/{page.name}): {' '.join(paragraph.split())}"
