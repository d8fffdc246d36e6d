"""What a load reports while it runs. ``cli.progress_bars`` shows it on a terminal."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """What a load tells about itself while it runs. Rows are counts."""

    def rows_read(self, done: int) -> None:
        """So many rows of the sheet have been read."""

    def rows_to_load(self, total: int) -> None:
        """Reading has ended; so many rows are in the partitions."""

    def rows_loaded(self, more: int) -> None:
        """So many more rows are staged or rejected."""

    def step(self, name: str) -> None:
        """The step of this name begins."""


class Quiet:
    """Says nothing."""

    def rows_read(self, done: int) -> None:
        """Nothing."""

    def rows_to_load(self, total: int) -> None:
        """Nothing."""

    def rows_loaded(self, more: int) -> None:
        """Nothing."""

    def step(self, name: str) -> None:
        """Nothing."""


QUIET: Progress = Quiet()
