"""Programs that need Airflow, each run in a fork of one process that has imported it: importing takes two seconds.

A program is as for ``python -c``, and has a process of its own: what it does there is gone with it. It finds Airflow's
modules there, and none of factload's. Airflow's folder is the same for all; the rest of the environment is each one's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from factload_demo.setup import PROJECT

_PARENT = """
import json, os, sys, traceback
import airflow.dag_processing.dagbag, airflow.plugins_manager
import airflow.sdk.bases.operator, airflow.sdk.definitions.dag
import numpy, pendulum, psycopg2, pyarrow, pydantic, sqlalchemy

def run(program, arguments, environment, printed):
    file = os.open(printed, os.O_WRONLY | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["-c", *arguments]
    try:
        exec(program, {"__name__": "__main__"})
        return 0
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os._exit(run(**json.loads(line)))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@dataclass(frozen=True)
class ForkedAirflow:
    """The process, and its folder."""

    process: subprocess.Popen[str]
    folder: Path

    def run(self, program: str, arguments: Sequence[str], variables: Mapping[str, str]) -> str:
        """What the program prints, with these variables in its environment; it must end well."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        printed = self.folder / "printed"
        printed.unlink(missing_ok=True)
        environment = {**os.environ, **_variables(self.folder), **variables}
        asked = {
            "program": program,
            "arguments": list(arguments),
            "environment": environment,
            "printed": str(printed),
        }
        print(json.dumps(asked), file=self.process.stdin, flush=True)
        status = self.process.stdout.readline()
        said = printed.read_text(encoding="utf-8") if printed.exists() else ""
        assert status == "0\n", said[-3000:]
        return said


def _variables(folder: Path) -> dict[str, str]:
    return {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "CRITICAL",
        "PYTHONPATH": str(PROJECT / "include"),
        "PYTHONWARNINGS": "ignore",
    }


@contextmanager
def forked_airflow(folder: Path) -> Iterator[ForkedAirflow]:
    """The process for the length of a block; ``folder`` is empty."""
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT],
        env={**os.environ, **_variables(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield ForkedAirflow(process, folder)
