"""The wheel: what is in it, what it tells pip and Airflow, and what is said where Airflow is missing or too old."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from configparser import ConfigParser
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import factload
from factload import version

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "include/factload"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    [built] = folder.glob("*.whl")
    assert built.name == f"factload-{version.__version__}-py3-none-any.whl"
    return zipfile.ZipFile(built)


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    files = {
        str(path.relative_to(PACKAGE.parent))
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    information = f"factload-{version.__version__}.dist-info/"
    assert {name for name in wheel.namelist() if not name.startswith(information)} == files
    assert {"factload/airflow/loads_page/page.html", "factload/py.typed"} <= files
    suffixes = {Path(name).suffix for name in files if name.startswith("factload/airflow/loads_page/static/")}
    assert {".js", ".css", ".svg"} <= suffixes


def test_airflow_s_side_brings_only_what_it_imports(wheel: zipfile.ZipFile) -> None:
    metadata = wheel.read(f"factload-{version.__version__}.dist-info/METADATA").decode()
    needed = [
        line.removeprefix("Requires-Dist: ") for line in metadata.splitlines() if "extra == 'airflow'" in line
    ]
    assert [name.split(";")[0] for name in needed] == [
        "apache-airflow-providers-smtp>=2.3.1",
        "apache-airflow-providers-standard>=1.9",
        "apache-airflow<4,>=3.2",
    ]


def test_airflow_finds_plugin_and_provider_by_entry_points(wheel: zipfile.ZipFile) -> None:
    points = ConfigParser()
    points.read_string(wheel.read(f"factload-{version.__version__}.dist-info/entry_points.txt").decode())
    assert {group: dict(points[group]) for group in points.sections()} == {
        "console_scripts": {"factload": "factload.__main__:main"},
        "airflow.plugins": {"factload": "factload.airflow.plugin:FactloadPlugin"},
        "apache_airflow_provider": {"provider_info": "factload.provider_info:get_provider_info"},
    }


def test_this_environment_has_the_entry_points_of_this_checkout() -> None:
    """An environment that was made before they changed hides the Loads page: `make demo` makes it anew."""
    assert [p.value for p in entry_points(group="airflow.plugins", name="factload")] == [
        "factload.airflow.plugin:FactloadPlugin"
    ]


def test_no_plugin_lies_in_the_plugins_folder_too() -> None:
    """Airflow would take the second of one name for an error, and say so on its page."""
    assert list((PROJECT / "plugins").rglob("*.py")) == []


def imported(tmp_path: Path, *modules: str) -> subprocess.CompletedProcess[str]:
    """The modules imported, one after the other, by a Python that has the standard library and `tmp_path` alone."""
    lines = [f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(PACKAGE.parent)!r}]"]
    lines += [
        f"try:\n    import {module}\nexcept ImportError as error:\n    print(error)" for module in modules
    ]
    command = [sys.executable, "-I", "-S", "-c", "\n".join(lines)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_without_airflow_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    done = imported(tmp_path, "factload", "factload.airflow", "factload.airflow.plugin")
    told = (
        "factload.airflow needs Airflow, which is not installed here. "
        'Install both: pip install "factload[airflow]"'
    )
    assert (done.stdout.splitlines(), done.stderr) == ([told, told], "")


@pytest.mark.parametrize(
    ("package", "installed"),
    [
        ("apache_airflow", "2.11.0"),
        ("apache_airflow_core", "3.0.6"),
        ("apache_airflow_core", "3.1.8"),
        ("apache_airflow_core", "3.1.0rc1"),
    ],
)
def test_an_airflow_that_is_too_old_is_named_beside_the_one_that_is_needed(
    tmp_path: Path, package: str, installed: str
) -> None:
    information = tmp_path / f"{package}-{installed}.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {installed}\n")
    done = imported(tmp_path, "factload.airflow", "factload.airflow.plugin")
    told = (
        f"factload needs Airflow 3.2 or newer, and here is Airflow {installed}. "
        "Upgrade Airflow, with the constraints of its new version."
    )
    assert (done.stdout.splitlines(), done.stderr) == ([told, told], "")


@pytest.mark.parametrize("installed", ["3.2.0", "3.2.0rc2", "3.2.1+astro.1", "3.10.0", "4.0.0"])
def test_an_airflow_that_is_new_enough_is_let_in(tmp_path: Path, installed: str) -> None:
    information = tmp_path / f"apache_airflow_core-{installed}.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: apache-airflow-core\nVersion: {installed}\n"
    )
    done = imported(tmp_path, "factload.airflow")
    assert (done.stdout, done.stderr) == ("", "")


def test_every_error_is_public() -> None:
    from factload import errors

    defined = {name for name, value in vars(errors).items() if isinstance(value, type)}
    exceptions = {name for name in defined if issubclass(getattr(errors, name), Exception)}
    assert exceptions <= set(factload.__all__)


def test_importing_the_package_imports_nothing_that_takes_time(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import factload, sys; print(*sorted(sys.modules))"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, cwd=tmp_path)
    loaded = set(done.stdout.split())
    assert not loaded & {"numpy", "pyarrow", "sqlalchemy", "pydantic", "yaml", "factload.errors", "airflow"}


def test_every_public_name_is_there_and_no_other() -> None:
    assert all(getattr(factload, name) is not None for name in factload.__all__)
    with pytest.raises(AttributeError, match="has no attribute nonsense"):
        _ = factload.nonsense
