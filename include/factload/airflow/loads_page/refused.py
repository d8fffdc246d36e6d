"""What a browser is shown in the place of a page that it is refused: a sentence, and a way on."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template
from urllib.parse import urlencode

from airflow.api_fastapi.app import get_auth_manager
from fastapi import Request
from fastapi.exception_handlers import http_exception_handler, request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from factload.airflow.loads_page.files import VERSION

_template = Template((Path(__file__).parent / "refused.html").read_text(encoding="utf-8"))

_SENTENCES = {
    401: ("Log in first", "This page needs Airflow's login."),
    403: (
        "This is not yours to see",
        "You may not read the runs of this DAG. Ask whoever gives out roles in Airflow.",
    ),
    404: ("There is nothing here", "No page has this address."),
    422: ("This address can't be right", "A day is written as 2026-11-05, from 1900 on."),
}
_OTHERWISE = ("This can't be shown", "Airflow answered with an error. Try again in a minute.")


async def refused(request: Request, error: Exception) -> Response:
    """A page for whoever asks for a page; the plain answer for whoever asks a question."""
    if isinstance(error, RequestValidationError):
        return _page(request, 422) or await request_validation_exception_handler(request, error)
    assert isinstance(error, HTTPException)  # noqa: S101 - these two are what it is registered for
    return _page(request, error.status_code) or await http_exception_handler(request, error)


def _page(request: Request, status: int) -> HTMLResponse | None:
    root = request.scope.get("root_path", "")
    path = request.scope["path"].removeprefix(root)
    if "text/html" not in request.headers.get("accept", "") or path.startswith(("/api/", "/static/")):
        return None
    title, message = _SENTENCES.get(status, _OTHERWISE)
    values = {"base": f"{root}/", "title": title, "message": message, "way": "./", "words": "See all loads"}
    values["where"] = "_self"
    if status == 401:
        # The login is Airflow's own page; in its frame it would be caught.
        back = urlencode({"next": request.scope["path"]})
        values |= {"way": f"{get_auth_manager().get_url_login()}?{back}", "words": "Log in", "where": "_top"}
    # Files need the login too.
    files = "" if status == 401 else _FILES
    escaped = {name: escape(value) for name, value in values.items()}
    return HTMLResponse(_template.substitute(escaped, files=files), status)


_FILES = (
    f'<script src="static/{VERSION}/theme.js"></script>\n'
    f'<link rel="stylesheet" href="static/{VERSION}/loads.css">'
)
