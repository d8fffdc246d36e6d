"""The page's own files: which version they are, and which scripts a page needs."""

from __future__ import annotations

import hashlib
import posixpath
import re
from functools import lru_cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "static"

_IMPORT = re.compile(r"""^import (?:[^"']* from )?["']([^"']+)["'];""", re.MULTILINE)
_YEAR = 365 * 24 * 60 * 60


def _digest() -> str:
    found = hashlib.sha256()
    for path in sorted(path for path in FOLDER.rglob("*") if path.is_file()):
        found.update(path.relative_to(FOLDER).as_posix().encode() + path.read_bytes())
    return found.hexdigest()[:12]


# Part of the files' address: a browser that has them never asks again, and other files have another address.
VERSION = _digest()


@lru_cache(maxsize=16)
def scripts_of(page: str) -> tuple[str, ...]:
    """All scripts that a page's own script imports, and it: asked for at once, not as each names the next."""
    found: list[str] = []
    waiting = [f"pages/{page}.js"]
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found.append(name)
            folder = posixpath.dirname(name)
            waiting += [
                posixpath.normpath(posixpath.join(folder, other))
                for other in _IMPORT.findall((FOLDER / name).read_text())
            ]
    return tuple(found)


class Files:
    """Answers for the files: those asked for by this version may be kept, others are asked for anew each time."""

    def __init__(self) -> None:
        self._files = StaticFiles(directory=FOLDER)

    async def answer(self, name: str, scope: Scope) -> Response:
        """The file called ``name``, with or without the version before it."""
        kept = name.startswith(f"{VERSION}/")
        response = await self._files.get_response(name.removeprefix(f"{VERSION}/"), scope)
        response.headers["Cache-Control"] = f"private, max-age={_YEAR}, immutable" if kept else "no-cache"
        return response
