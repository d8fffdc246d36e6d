"""Workbooks on a web server that may be anybody's: nothing is asked of it, or taken from it, that was not allowed."""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from factload.errors import WorkbookError
from factload.split.sources import find_workbooks, read_sources

SHEET = b"k,m\nx,1\n"
LISTING = b"".join(
    b'<a href="%s">' % name
    for name in (
        b"w.csv",
        b"/in/deep/x.csv",
        b"../secret.csv",
        b"deep/%2e%2e/../../secret.csv",
        b"/secret.csv",
    )
)


class Server(BaseHTTPRequestHandler):
    asked: list[str]

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.asked.append(self.path)
        name = self.path.rpartition("/")[2]
        if name.startswith("moved"):
            self.send_response(int(name[5:8]))
            self.send_header("Location", "/secret.csv")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif name == "endless.csv":
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                for _ in range(2_000 if self.command == "GET" else 0):
                    self.wfile.write(b"x" * 50_000)
        else:
            found = {"in": LISTING, "": LISTING, "w.csv": SHEET, "long.csv": b"x" * 300_000}.get(
                name, b"Alice,123\n"
            )
            self.send_response(200)
            self.send_header("Content-Type", "text/html" if found is LISTING else "text/csv")
            self.send_header("Content-Length", str(len(found)))
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(found if self.command == "GET" else b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The root that is allowed."""
    Server.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}/in"
    monkeypatch.setenv("FACTLOAD_HOME", str(tmp_path))
    monkeypatch.setenv("FACTLOAD_ALLOWED_ROOTS", root)
    monkeypatch.setenv("FACTLOAD_LIMIT_FILE_BYTES", "200_000")
    yield root
    server.shutdown()
    server.server_close()


def refusal(url: str) -> WorkbookError:
    with pytest.raises(WorkbookError) as caught:
        read_sources(url)
    return caught.value


def left(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / ".staging").rglob("*") if path.is_file()]


def test_a_workbook_is_copied_for_this_user_alone(web: str, tmp_path: Path) -> None:
    [source] = read_sources(f"{web}/w.csv")
    assert source.bytes == len(SHEET)
    [copy] = left(tmp_path)
    assert copy.read_bytes() == SHEET
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    folders = [place for place in copy.parents if place.is_relative_to(tmp_path / ".staging")]
    assert {stat.S_IMODE(place.stat().st_mode) for place in folders} == {0o700}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status: int, web: str, tmp_path: Path) -> None:
    error = refusal(f"{web}/moved{status}.csv")
    assert error.code == "workbook_redirected"
    assert {path.rpartition("/")[2] for path in Server.asked} == {f"moved{status}.csv"}
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    "step", [".\t./", ".%09./", "%2e%2e/", ".\n./", "..\\", "%2E\t%2e/", ".\x00./", "\x1b[2J/", "./", "x/../"]
)
def test_no_step_upwards_reaches_the_server(step: str, web: str) -> None:
    error = refusal(f"{web}/{step}secret.csv")
    assert error.code in ("workbook_name", "workbook_not_allowed")
    assert str(error).isprintable()
    assert Server.asked == []


@pytest.mark.parametrize("name", ["endless.csv", "long.csv"])
def test_a_body_is_copied_up_to_the_limit_and_no_further(name: str, web: str, tmp_path: Path) -> None:
    error = refusal(f"{web}/{name}")
    assert (error.code, "FACTLOAD_LIMIT_FILE_BYTES" in error.remedy) == ("workbook_hostile", True)
    assert left(tmp_path) == []


def test_what_a_server_lists_outside_of_the_root_is_not_asked_for(web: str) -> None:
    with suppress(WorkbookError):
        assert all(
            name.startswith(f"{web}/") and ".." not in name for name in find_workbooks(f"{web}/**.csv")
        )
    with suppress(WorkbookError):
        read_sources(f"{web}/*.csv")
    assert not [path for path in Server.asked if "secret" in path]
