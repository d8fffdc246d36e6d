"""The page's web application: its pages, its files, and the headers that keep both safe.

Every route needs Airflow's login, and those below a DAG the right to read its runs. One changes something, ``upload``,
and needs the right to start them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from string import Template

from airflow.api_fastapi.common.db.common import SessionDep
from airflow.models.dagrun import DagRun
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from sqlalchemy import select
from starlette.exceptions import HTTPException

from factload.airflow.loads_page.access import LOGGED_IN, MAY_SEE_RUNS
from factload.airflow.loads_page.annotated import router as annotated
from factload.airflow.loads_page.api import of_dag, router
from factload.airflow.loads_page.asked import Day, holds_nul
from factload.airflow.loads_page.comparison import router as comparison
from factload.airflow.loads_page.feeds import feed_of, zone_of
from factload.airflow.loads_page.files import VERSION, Files, scripts_of
from factload.airflow.loads_page.refused import refused
from factload.airflow.loads_page.upload import of_day
from factload.airflow.period import period_of
from factload.errors import FeedError

_HERE = Path(__file__).parent
_page = Template((_HERE / "page.html").read_text(encoding="utf-8"))
_files = Files()

# Scripts, styles and answers come from this address alone, and only Airflow may show the page in a frame.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'self'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)

app = FastAPI(
    title="factload: the Loads page",
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
    redirect_slashes=False,  # a redirect would go to whatever host the request names
    dependencies=[LOGGED_IN],
)
app.add_exception_handler(HTTPException, refused)
app.add_exception_handler(RequestValidationError, refused)
app.include_router(router)
app.include_router(of_dag)
app.include_router(annotated)
app.include_router(comparison)
app.include_router(of_day)


@app.middleware("http")
async def _safe_headers(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    if holds_nul(request.scope["path"], request.scope["query_string"]):
        response: Response = JSONResponse({"detail": "The address holds a NUL character."}, 422)
    else:
        response = await answer(request)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers.setdefault("Cache-Control", "no-store")  # what a user may see is for that user
    return response


@app.get("/")
def calendar_page(request: Request) -> HTMLResponse:
    """Feeds × days."""
    return _html(request, "calendar", "Loads")


@app.get("/dags/{dag_id}", dependencies=[MAY_SEE_RUNS])
def feed_page(request: Request, dag_id: str) -> HTMLResponse:
    """One feed: its days and its trend."""
    return _html(request, "feed", f"Loads of {dag_id}", dag_id=dag_id)


@app.get("/dags/{dag_id}/loads/{period}", dependencies=[MAY_SEE_RUNS])
def load_page(request: Request, dag_id: str, period: Day) -> HTMLResponse:
    """One load."""
    return _html(request, "load", f"{dag_id}, {period}", dag_id=dag_id, period=period.isoformat())


@app.get("/dags/{dag_id}/runs/{run_id}", dependencies=[MAY_SEE_RUNS])
def run_page(request: Request, session: SessionDep, dag_id: str, run_id: str) -> Response:
    """The load that a run of the DAG is for."""
    run = session.scalar(select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
    try:
        feed = feed_of(dag_id)
        if run is None or feed is None:
            return _html(request, "nothing", "No load", dag_id=dag_id)
        period = period_of(run, run.conf or {}, zone_of(feed))
    except FeedError:
        return _html(request, "nothing", "No load", dag_id=dag_id)
    return RedirectResponse(f"{_base(request)}dags/{dag_id}/loads/{period}", status_code=303)


@app.get("/static/{name:path}")
async def files(request: Request, name: str) -> Response:
    """Scripts and styles."""
    return await _files.answer(name, request.scope)


def _base(request: Request) -> str:
    return f"{request.scope.get('root_path', '')}/"


def _html(request: Request, page: str, title: str, dag_id: str = "", period: str = "") -> HTMLResponse:
    values = {
        "base": _base(request),
        "page": page,
        "title": title,
        "dag_id": dag_id,
        "period": period,
        "files": f"static/{VERSION}",
    }
    modules = (f'<link rel="modulepreload" href="static/{VERSION}/{name}">' for name in scripts_of(page))
    escaped = {name: escape(value) for name, value in values.items()}
    return HTMLResponse(_page.substitute(escaped, preload="\n".join(modules)))
