"""The unit tests, on every Python that this machine has and factload runs on, without Airflow.

Each Python gets a small environment of its own in .demo/pythons: the engine, what its unit tests import, and nothing
else, in the versions that the lock names. A minor version is tested once, and that of .venv by `make test`, which has the
same tests among all others.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.versions.side_by_side import PROJECT, UV, SuiteRun, failed_of, installed

_LEAST = (3, 11)
_FOLDER = PROJECT / ".demo/pythons"
_LOCKS = ("requirements.txt", "requirements-demo.txt", "requirements-dev.txt")
# What the unit tests import beside the engine: the last four are used by the demo, which has unit tests too.
_TOOLS = (
    "pytest",
    "pytest-timeout",
    "hypothesis",
    "jsonschema",
    "hatchling",
    "aiohttp",
    "xlwt",
    "XlsxWriter",
    "psutil",
    "requests",
)


def main() -> int:
    """Test each Python, or those that the command line names; returns the exit status."""
    asked = sys.argv[1:]
    found = {name: python for name, python in pythons().items() if not asked or name in asked}
    here = ".".join(map(str, sys.version_info[:2]))
    found.pop(here, None)
    print(f"Python {here} is that of .venv: `make test` runs the unit tests on it.")
    missing = [name for name in asked or supported() if name not in found and name != here]
    if missing:
        print(f"Not on this machine, so not tested: Python {', '.join(missing)}.")
    runs = {name: _run(name) for name, python in found.items() if _environment(name, python)}
    unprepared = found.keys() - runs.keys()
    for name in sorted(unprepared):
        print(f"The packages of the lock can't be installed for Python {name}, so it was not tested.")
    failed = failed_of(list(runs.values()))
    broken = unprepared | {name for name, run in runs.items() if run in failed}
    return 1 if broken & set(supported()) else 0


def supported() -> list[str]:
    """The minor versions of Python that pyproject.toml names."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [
        re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", text) for text in project["classifiers"]
    ]
    return [match[1] for match in named if match]


def pythons() -> dict[str, Path]:
    """Minor version → a Python of it: on PATH, or among pyenv's, which hides those that are not chosen."""
    folders = [Path(folder) for folder in os.get_exec_path()]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders += sorted(pyenv.glob("versions/*/bin"), reverse=True)
    found: dict[str, Path] = {}
    for folder in folders:
        for candidate in sorted(folder.glob("python3.*")):
            if re.fullmatch(r"python3\.\d+", candidate.name) and (name := _version(candidate)):
                found.setdefault(name, candidate)
    return dict(sorted(found.items(), key=lambda item: _numbers(item[0])))


def _version(python: Path) -> str | None:
    """Its minor version, if it runs, can make an environment and is new enough."""
    if _numbers(python.name.removeprefix("python")) < _LEAST:
        return None
    asked = "import sys, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        told = subprocess.run(
            [python, "-c", asked], capture_output=True, text=True, check=True, timeout=60
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None  # pyenv's stand-in for a version that is not chosen
    return told


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _environment(name: str, python: Path) -> bool:
    folder = _FOLDER / name
    key = hashlib.sha256(f"{PROJECT} {python.resolve()} {_TOOLS}".encode())
    for file in (*_LOCKS, "pyproject.toml"):
        key.update((PROJECT / file).read_bytes())
    constraints = [argument for lock in _LOCKS for argument in ("-c", lock)]
    return installed(
        folder,
        key.hexdigest(),
        [UV, "venv", "-q", "--clear", "--python", python, folder],
        [UV, "pip", "install", "-q", "--python", folder / "bin/python", *constraints, "-e", ".", *_TOOLS],
    )


def _run(name: str) -> SuiteRun:
    command: list[str | Path] = [
        _FOLDER / name / "bin/python",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/unit",
    ]
    return SuiteRun(f"Unit tests on Python {name}", command, _FOLDER / f"{name}.log")


if __name__ == "__main__":
    sys.exit(main())
