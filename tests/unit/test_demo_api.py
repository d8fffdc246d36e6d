"""What the demo asks of a web server that is slow, or away for a moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from factload_demo import airflow_api
from factload_demo.airflow_api import AirflowApi
from factload_demo.airflow_site import Site
from factload_demo.errors import ApiError


class Server(ThreadingHTTPServer):
    """A web server whose answers are planned: each of ``faults`` spoils one request, then all is well."""

    faults: list[str]
    asked: list[str]


class Answers(BaseHTTPRequestHandler):
    server: Server

    def _answer(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        fault = self.server.faults.pop(0) if self.server.faults else ""
        if fault == "slow":
            time.sleep(1.0)
        if fault == "closed":
            self.connection.close()
            return
        body = b'{"access_token": "t", "state": "running"}'
        with suppress(BrokenPipeError):  # who asked has gone
            self.send_response(503 if fault == "busy" else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    do_GET = do_POST = _answer  # noqa: N815 - names that the library asks for

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(airflow_api, "_SECONDS_TO_ANSWER", 0.3)
    with Server(("127.0.0.1", 0), Answers) as server:
        server.faults, server.asked = [], []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def site_of(server: Server) -> Site:
    return Site(f"http://127.0.0.1:{server.server_address[1]}", "admin", "p", attached=True, processes={})


@pytest.mark.parametrize("faults", [["slow"], ["busy", "busy"], ["closed"], ["slow", "closed", "busy"]])
def test_a_slow_or_busy_server_is_asked_again(server: Server, faults: list[str]) -> None:
    api = AirflowApi(site_of(server))
    server.faults = list(faults)
    assert api.run_state("load_sales", "r") == "running"
    assert server.asked[1:] == ["GET /api/v2/dags/load_sales/dagRuns/r"] * (len(faults) + 1)


def test_a_login_is_tried_again(server: Server) -> None:
    server.faults = ["slow", "busy"]
    AirflowApi(site_of(server))
    assert server.asked == ["POST /auth/token"] * 3


def test_a_run_is_triggered_once_and_what_went_wrong_is_said_with_what_to_do(server: Server) -> None:
    api = AirflowApi(site_of(server))
    server.faults = ["slow"]
    with pytest.raises(ApiError, match=r"(?s)does not answer POST .*Run the same command again"):
        api.trigger("load_sales", "r", {})
    assert server.asked[1:] == ["POST /api/v2/dags/load_sales/dagRuns"]
