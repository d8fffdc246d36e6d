"""The project folder that the loads of this benchmark run in: a feed, and the workbooks of one load at a time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contestants import PERIOD
from benchmarks.costs.engine import demo_feed, write_feed

FEED = "sales"


@dataclass(frozen=True)
class ScalePlace:
    """`folder`: where the bench keeps its workbooks. The project lies beside them: hard links do not leave a disk."""

    folder: Path

    @property
    def home(self) -> Path:
        """The project's folder."""
        return self.folder / "scale"

    def put(self, workbooks: Sequence[Path], rows_per_partition: int | None = None) -> None:
        """These workbooks alone in the inbox, and the demo's feed for a table that is partitioned by load."""
        shutil.rmtree(self.home, ignore_errors=True)
        inbox = self.home / "inbox" / PERIOD
        inbox.mkdir(parents=True)
        for number, workbook in enumerate(workbooks, start=1):
            os.link(workbook, inbox / f"{number:02d}.xlsx")
        document = demo_feed()
        document["workbook"]["path"] = "inbox/{period}/*.xlsx"
        document["fact"]["mode"] = "exchange"
        document["insert"] = "copy"
        if rows_per_partition is not None:
            document["rows_per_partition"] = rows_per_partition
        write_feed(self.home, FEED, document)

    def remove(self) -> None:
        """All of it; the workbooks themselves stay in the cache."""
        shutil.rmtree(self.home, ignore_errors=True)
