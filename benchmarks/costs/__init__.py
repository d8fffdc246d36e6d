"""The project's own promised figures, each measured by a module of its name; `--only costs` measures all of them.

`figure`           what a figure is, and the table of goals and what was seen
`engine`           the engine as the figures run it
`parsing`          reading the DAG file with 200 feeds
`second_run`       a load that is published already
`protocol`         fence, ledger and reconcile as a share of a load
`ten_dimensions`   ten dimensions against one
`large_dimension`  ten million members
`create_race`      eight processes that make the same members
`airflow`          a run of the DAG against the command line
`loads_page`       the Loads page with 10,000 loads and a million rejects

`parse_dags`, `protocol_run`, `one_step` and `race_run` are the programs that they start.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator

from benchmarks.costs import (
    airflow,
    create_race,
    large_dimension,
    loads_page,
    parsing,
    protocol,
    second_run,
    ten_dimensions,
)
from benchmarks.costs.figure import Figure, Measured, NotHere, Setting, WrongResult, measured
from factload_demo.errors import DemoError

FIGURES = (
    Figure("parsing", parsing.measure),
    Figure("second_run", second_run.measure),
    Figure("protocol", protocol.measure),
    Figure("ten_dimensions", ten_dimensions.measure),
    Figure("large_dimension", large_dimension.measure),
    Figure("create_race", create_race.measure),
    Figure("airflow", airflow.measure),
    Figure("loads_page", loads_page.measure),
)
NAMES = tuple(figure.name for figure in FIGURES)


def measure(names: Collection[str], setting: Setting) -> Iterator[tuple[str, Measured | Exception]]:
    """Each of the figures ``names`` as it is there, or what went wrong; the others are measured all the same."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # where people work, a module is compiled once
    for figure in FIGURES:
        if figure.name in names:
            try:
                yield figure.name, measured(figure, setting)
            except (NotHere, WrongResult, DemoError, RuntimeError) as error:
                yield figure.name, error
