"""A workbook that is written for one answer: its file is gone once it is sent, or couldn't be written."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

Headers = Mapping[str, str]


def downloaded(write: Callable[[IO[bytes]], tuple[str, Headers]]) -> FileResponse:
    """What ``write`` puts into a file, under the name and with the headers that it returns."""
    with tempfile.NamedTemporaryFile(prefix="factload-", suffix=".xlsx", delete=False) as file:
        path = Path(file.name)
        try:
            name, headers = write(file)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return FileResponse(
        path, filename=name, headers=headers, background=BackgroundTask(path.unlink, missing_ok=True)
    )
