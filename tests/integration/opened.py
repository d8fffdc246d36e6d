"""A load whose steps a test carries out one by one."""

from __future__ import annotations

from datetime import date

from factload import steps
from factload.feed.model import Feed
from factload.load import DimensionMap, Load, Split
from tests.integration.place import PERIOD, Place

LOAD = "sales@2026-11-05"


class Opened:
    """A load on its way: opened, extracted and split, nothing loaded yet."""

    def __init__(self, place: Place, feed: Feed, period: date = PERIOD) -> None:
        self.place, self.feed = place, feed
        self.load: Load = steps.open_load(feed, period, database=place.url, reload=True)
        self.maps: list[DimensionMap] = [
            steps.extract_dimension_map(self.load, feed, "product", database=place.url)
        ]
        self.split: Split = steps.split_workbook(self.load, feed, database=place.url)

    def load_partition(self, number: int) -> None:
        steps.load_partition(
            self.load, self.feed, self.split.partitions[number], self.maps, database=self.place.url
        )

    def load_all(self) -> None:
        for number in range(len(self.split.partitions)):
            self.load_partition(number)

    def change_dimension(self) -> None:
        """A new member that no row has: the map is another, the facts stay the same."""
        self.place.execute("INSERT INTO dim_product (primary_synthetic_key, business_key) VALUES (99, 'new')")
        self.maps = [steps.extract_dimension_map(self.load, self.feed, "product", database=self.place.url)]

    def reconcile(self) -> None:
        steps.reconcile_load(self.load, self.feed, database=self.place.url)

    def publish(self) -> int:
        return steps.publish_load(self.load, self.feed, database=self.place.url)

    @property
    def staging(self) -> str:
        return f"factload_staging.{self.load.staging_table}"
