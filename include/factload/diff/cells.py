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
from factload.load import Load
from factload.split.fields import key_fields, value_field
from factload.split.partitions import file_name
from factload.staging.store import place_of


@dataclass(frozen=True, slots=True)
class Origin:
    """Of one slice: its workbook and sheet, and fact column → the letters of the sheet's column."""

    workbook: str
    sheet: str
    letters: Mapping[str, str]

    def cells(self, row: int) -> dict[str, str]:
        """Fact column → its cell in this row."""
        return {name: f"{letters}{row}" for name, letters in self.letters.items()}


def origins(connection: Connection, load: Load, feed: Feed, slices: Collection[int]) -> dict[int, Origin]:
    """The number of each of these slices → where its rows came from."""
    return {
        number: Origin(row.workbook, row.sheet, _letters(_file_of(load, row.partition_id), feed))
        for row in partitions.loaded_partitions(connection, load)
        if (number := slice_key(row.partition_id)) in slices
    }


def _file_of(load: Load, partition_id: str) -> Path | None:
    """The partition's file, where staging lies in a folder."""
    return next(place_of(load).folder.glob(file_name(partition_id).format(sha256="*")), None)


def _letters(path: Path | None, feed: Feed) -> dict[str, str]:
    if path is None:
        return {}
    try:
        with pa.OSFile(str(path)) as file:
            said = pa.ipc.open_file(file).schema.metadata or {}
    except (OSError, pa.ArrowInvalid):
        return {}
    found = {}
    for name, source in feed.fact.columns.items():
        field = key_fields(feed, source.dimension)[0] if source.dimension else value_field(name)
        if letters := said.get(field.encode()):
            found[name] = letters.decode()
    return found
