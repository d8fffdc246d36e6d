"""The bytes that a DAG of the load hands from task to task, and Airflow keeps: of what the tasks return.

The values are made by the functions that the tasks call, of the load as the ledger has it; tests/dags looks at what
Airflow's database holds after a run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from unittest.mock import patch

from benchmarks.contestants import LOAD
from benchmarks.costs.engine import environment
from benchmarks.scale.place import ScalePlace
from benchmarks.warehouse import Warehouse
from factload.airflow.mapped import counted, shares
from factload.ledger.opening import newest_load
from factload.ledger.partitions import counts_of, loaded_partitions
from factload.load import DimensionMap
from factload.split.recorded import recorded_files
from factload.staging.store import place_of


@dataclass(frozen=True)
class HandedOn:
    """``tasks``: task -> bytes of what it returns, all its copies together; ``copies``: of load_partition; ``largest``:
    of what one of these is told and returns; ``workbooks``: bytes of the load's list of workbooks."""

    tasks: dict[str, int]
    partitions: int
    copies: int
    largest: int
    workbooks: int


def handed_on(warehouse: Warehouse, place: ScalePlace, report: Mapping[str, Any], members: int) -> HandedOn:
    """Of the load that has just been published."""
    with patch.dict(os.environ, environment(place.home)), warehouse.connected() as connection:
        load = newest_load(connection, LOAD)
        files = recorded_files(connection, load)
        counts = [counts_of(row, ()) for row in loaded_partitions(connection, load)]
        digest = files[0].sha256
        address = place_of(load).address(f"map_product_{digest[:32]}.arrow")
    told = shares(files)
    returned = [counted(counts[share.first : share.first + share.number]) for share in told]
    tasks: dict[str, list[Any]] = {
        "open_load": [load.to_json()],
        "extract_dimension_map": [asdict(DimensionMap("product", address, digest, members))],
        "split_workbook": [[asdict(share) for share in told]],
        "load_partition": returned,
        "publish": [dict(report)],
    }
    return HandedOn(
        {task: sum(map(_bytes, values)) for task, values in tasks.items()},
        len(files),
        len(told),
        max(_bytes(asdict(share)) + _bytes(sums) for share, sums in zip(told, returned, strict=True)),
        _bytes(load.to_json()["sources"]),
    )


def _bytes(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())
