"""Where a staged row came from: its workbook and sheet by its partition, and the letters of its columns by the
partition's file, as long as that lies here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from sqlalchemy.engine import Connection

from factload.fact.staged import slice_key
from factload.feed.model import Feed
from factload.ledger import partitions
from factload.load import Load, PartitionFile
from factload.split.fields import key_fields, value_field
from factload.split.partitions import file_name
from factload.split.places import Places, letter_at
from factload.staging.store import place_of


@dataclass(frozen=True, slots=True)
class Origin:
    """Of one slice: its workbook and sheet, fact column → the field that it is read from, and where the fields are."""

    workbook: str
    sheet: str
    fields: Mapping[str, str]
    noted: Places

    def cells(self, number: int, row: int) -> dict[str, str]:
        """Fact column → its cell in the staged row of this ``number``, which is from this ``row`` of the sheet."""
        return {name: f"{letter_at(self.noted, field, number)}{row}" for name, field in self.fields.items()}


def origins(connection: Connection, load: Load, feed: Feed, slices: Collection[int]) -> dict[int, Origin]:
    """The number of each of these slices → where its rows came from."""
    return {
        number: _origin(row.workbook, row.sheet, feed, _noted(_file_of(load, row.partition_id)))
        for row in partitions.loaded_partitions(connection, load)
        if (number := slice_key(row.partition_id)) in slices
    }


def origin_of(partition: PartitionFile, feed: Feed) -> Origin:
    """Where the rows of a partition came from whose file lies here."""
    return _origin(partition.workbook, partition.sheet, feed, _noted(Path(partition.path)))


def _file_of(load: Load, partition_id: str) -> Path | None:
    """The partition's file, where staging lies in a folder."""
    return next(place_of(load).folder.glob(file_name(partition_id).format(sha256="*")), None)


def _noted(path: Path | None) -> Places:
    if path is None:
        return {}
    try:
        with pa.OSFile(str(path)) as file:
            return pa.ipc.open_file(file).schema.metadata or {}
    except (OSError, pa.ArrowInvalid):
        return {}


def _origin(workbook: str, sheet: str, feed: Feed, noted: Places) -> Origin:
    fields = {
        name: key_fields(feed, source.dimension)[0] if source.dimension else value_field(name)
        for name, source in feed.fact.columns.items()
    }
    there = {name: field for name, field in fields.items() if field.encode() in noted}
    return Origin(workbook, sheet, there, noted)
