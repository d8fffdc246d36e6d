"""Makes the environment in .venv out of the locked requirements: `install.py demo`, and `install.py dev` on top of it.

Run by the Python that the machine has, so the standard library is all there is. uv installs in seconds what takes pip
minutes; where it can't be had, or can't reach a registry that pip reaches, pip does the same.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin/python"
# What each kind installs, and the file that says it is done: there, and made in this very folder.
KINDS = {
    "demo": (("requirements.txt", "requirements-demo.txt"), VENV / ".ready"),
    "dev": (("requirements.txt", "requirements-demo.txt", "requirements-dev.txt"), VENV / ".dev"),
}
_SECONDS_BETWEEN_SIGNS = 10
_NO_VENV = """This Python has no module `ensurepip`, so it can't make an environment.
On Debian and Ubuntu: apt-get install python3-venv. Or name another Python: make PYTHON=/path/to/python3.12 ..."""


def main(arguments: Sequence[str]) -> int:
    """Install one kind; returns the exit status."""
    files, done = KINDS[arguments[0]]
    done.unlink(missing_ok=True)
    try:
        if not _usable():
            make_environment()
        with signs_of_life(f"Installing {' and '.join(files)} into .venv"):
            install(files)
    except subprocess.CalledProcessError as error:
        print(f"The environment could not be installed: `{_shown(error.cmd)}` ended with {error.returncode}.")
        print("What it said stands above. Once that is mended, run the same command again.")
        return 1
    done.write_text(f"{PROJECT}\n")
    return 0


def _usable() -> bool:
    """Whether .venv was made in this folder and works: one that was moved or copied has paths that lead elsewhere."""
    try:
        found = subprocess.run(
            [PYTHON, "-m", "pip", "--version"], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return str(VENV) in found.stdout


def make_environment() -> None:
    """An empty environment; raises ``CalledProcessError``."""
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        print(_NO_VENV, file=sys.stderr)
        raise SystemExit(1) from None
    with signs_of_life("Making .venv"):
        _run([sys.executable, "-m", "venv", "--clear", VENV])


def install(files: Sequence[str]) -> None:
    """Install the locked requirements, and this project as it stands here; raises ``CalledProcessError``."""
    requirements = [argument for name in files for argument in ("-r", name)]
    project = ["--no-deps", "-e", "."]
    try:
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as locked:
            locked.write(_locked("uv"))
            locked.flush()
            _run([PYTHON, "-m", "pip", "install", "-q", "--no-deps", "-r", locked.name])
        # Compiled here once: Airflow starts a process a task, and none should have to do it again.
        uv = [VENV / "bin/uv", "pip", "install", "-q", "--compile-bytecode", "--python", PYTHON]
        environment = {**os.environ, **as_pip_is_set_up(os.environ, pip_setting)}
        _run([*uv, *requirements], environment)
        _run([*uv, *project], environment)
    except subprocess.CalledProcessError:
        print("uv could not install it; pip takes a few minutes ...", flush=True)
        pip = [PYTHON, "-m", "pip", "install", "-q"]
        _run([*pip, *requirements])
        _run([*pip, *project])
    # This project is not copied, so neither has compiled it.
    _run([PYTHON, "-m", "compileall", "-q", "include"])


def as_pip_is_set_up(environment: Mapping[str, str], setting: Callable[[str], str]) -> dict[str, str]:
    """uv's variables for what pip's configuration says of registries and certificates: uv doesn't read it.

    ``setting``: the value of one of pip's settings, or an empty text. What the environment says of uv stays.
    """
    wanted = {
        "UV_SYSTEM_CERTS": "1",  # a proxy's certificate is in the machine's store, not among uv's own
        "UV_HTTP_TIMEOUT": "180",
        "SSL_CERT_FILE": setting("global.cert"),
        "UV_DEFAULT_INDEX": "" if "UV_INDEX_URL" in environment else setting("global.index-url"),
        "UV_INDEX": " ".join(
            url
            for url in setting("global.extra-index-url").split()
            if url.startswith(("http://", "https://"))
        ),
    }
    return {name: value for name, value in wanted.items() if value and name not in environment}


def pip_setting(name: str) -> str:
    found = subprocess.run(
        [PYTHON, "-m", "pip", "config", "get", name], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() if found.returncode == 0 else ""


def _locked(package: str) -> str:
    """The lines of the lock that name a package: its version, and the hashes of its files."""
    lock = (PROJECT / "requirements-demo.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{package}==(?:.*\\\n)*.*\n", lock, re.MULTILINE)
    if found is None:
        raise LookupError(f"the lock does not name {package}")
    return found[0]


@contextmanager
def signs_of_life(doing: str) -> Iterator[None]:
    """Say what is done, and every ten seconds that it still is, with how much of it is there."""
    began, over = time.monotonic(), threading.Event()

    def tell() -> None:
        while not over.wait(_SECONDS_BETWEEN_SIGNS):
            print(f"  {time.monotonic() - began:4.0f} s, {_megabytes(VENV):,} MB so far", flush=True)

    print(f"{doing} ...", flush=True)
    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def _megabytes(folder: Path) -> int:
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            try:
                total += (Path(place) / name).lstat().st_size
            except OSError:
                continue  # an installer's temporary file that is gone again
    return total // 1_000_000


def _run(command: Sequence[object], environment: Mapping[str, str] | None = None) -> None:
    subprocess.run(list(map(str, command)), check=True, cwd=PROJECT, env=environment)


def _shown(command: object) -> str:
    return " ".join(map(str, command)) if isinstance(command, list) else str(command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
