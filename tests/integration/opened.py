"""A load whose steps a test carries out one by one."""

from __future__ import annotations

from datetime import date
from functools import partial

from factload import steps
from factload.feed.model import Feed
from factload.load import PartitionCounts
from tests.driver import SteppedLoad
from tests.integration.place import PERIOD, Place

LOAD = "sales@2026-11-05"


class Opened(SteppedLoad):
    """A load on its way: opened, extracted and split, nothing loaded yet."""

    def __init__(self, place: Place, feed: Feed, period: date = PERIOD) -> None:
        opening = partial(steps.open_load, feed, period, reload=True)
        super().__init__(opening, feed, place.url)
        self.place = place
        self.until("load_partition")

    def load_partition(self, number: int) -> PartitionCounts:
        """``number``: from 0, as in ``split.partitions``."""
        counts = self.run(f"load_partition {number + 1}")
        assert isinstance(counts, PartitionCounts)
        return counts

    def load_all(self) -> None:
        for number in range(len(self.split.partitions)):
            self.load_partition(number)

    def change_dimension(self) -> None:
        """A new member that no row has: the map is another, the facts stay the same."""
        self.place.execute("INSERT INTO dim_product (primary_synthetic_key, business_key) VALUES (99, 'new')")
        self.run("extract_dimension_map")

    def reconcile(self) -> None:
        self.run("reconcile")

    def publish(self) -> int:
        return int(self.run("publish"))

    @property
    def staging(self) -> str:
        return f"factload_staging.{self.load.staging_table}"
