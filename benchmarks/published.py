"""`docs/benchmarks.json`, measured by a run with `--write-docs`; page and plots are made of it.

python -m benchmarks.published    # page and plots once more, of the file as it is
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from benchmarks import plots
from benchmarks.contestants import PROJECT
from benchmarks.page import PARTS, Document, filled
from benchmarks.reading import Result as ReadingResult
from benchmarks.results import Summary

FILE = PROJECT / "docs" / "benchmarks.json"
PAGE = PROJECT / "docs" / "benchmarks.md"
IMAGES = PROJECT / "docs" / "img"


class Published:
    """The file as it will be: what it has of other sizes stays, unless it was measured with something else."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        known = read() if FILE.exists() else {}
        same = known.get("environment") == dict(environment)
        self._document: Document = known if same else {"environment": dict(environment)}

    def loads(self, rows: int, table: str, results: Mapping[str, Summary]) -> None:
        """One size into one table; contestants that did not take part this time go."""
        of_size = self._document.setdefault("loads", {}).setdefault(str(rows), {})
        of_size[table] = _dated({name: asdict(summary) for name, summary in results.items()})

    def readers(self, rows: int, results: Mapping[str, Summary]) -> None:
        """The readers alone, on the two columns that are loaded."""
        of_size = self._document.setdefault("readers", {})
        of_size[str(rows)] = _dated({name: asdict(summary) for name, summary in results.items()})

    def shapes(self, results: Mapping[str, ReadingResult]) -> None:
        """The readers alone on sheets of other shapes."""
        self._document["shapes"] = _dated({name: asdict(result) for name, result in results.items()})

    def defects(self, seen: Mapping[str, Any]) -> None:
        """What became of workbooks with defects, and of programs that were killed."""
        self._document["defects"] = _dated(dict(seen))

    def write(self) -> None:
        """The file, the page, and the plots."""
        FILE.write_text(a_line_each(self._document), encoding="utf-8")
        write_page()


def a_line_each(document: Document) -> str:
    """As JSON, with the figures of one contestant in one line."""
    text = json.dumps(document, indent=1, ensure_ascii=False)
    return re.sub(r"\{\n\s+([^{}]*?)\n\s+\}", lambda m: "{" + re.sub(r"\n\s+", " ", m[1]) + "}", text) + "\n"


def read() -> Document:
    """The file as it is."""
    document: Document = json.loads(FILE.read_text(encoding="utf-8"))
    return document


def write_page() -> None:
    """The page and the plots of the file."""
    document = read()
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), document, PARTS), encoding="utf-8")
    plots.draw(IMAGES, document)


def _dated(results: dict[str, Any]) -> Document:
    return {"date": datetime.now(UTC).date().isoformat(), "results": results}


if __name__ == "__main__":
    write_page()
