"""A workbook that a person uploads for a day: the one route of the page that changes something.

Who may start runs of the feed's DAG may put its workbook into place, and nobody else. Airflow's audit log says who did.
What is done with the workbook then is a run of Airflow's, which the page asks Airflow itself for.
"""

from __future__ import annotations

from typing import Annotated, Any

from airflow.api_fastapi.logging.decorators import action_logging
from anyio import fail_after, to_thread
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from starlette.requests import ClientDisconnect

from factload.airflow.loads_page.access import MAY_TRIGGER
from factload.airflow.loads_page.answered import answered, the_feed
from factload.airflow.loads_page.asked import Day
from factload.airflow.loads_page.same_site import SAME_SITE
from factload.airflow.loads_page.threads import off_the_loop, uploads
from factload.environment import number
from factload.feed.model import Feed
from factload.load import SourceFile
from factload.split.incoming import received_at
from factload.split.incoming.place import Place, place_of, place_of_corrected, there_at
from factload.split.incoming.received import too_long

_SILENCE = 30  # seconds without a byte, after which an upload is given up

Name = Annotated[str, Query(max_length=1_000)]

of_day = APIRouter(prefix="/api/dags/{dag_id}/loads/{period}/workbook", dependencies=[MAY_TRIGGER])


@of_day.get("")
@off_the_loop
def workbook(dag_id: str, period: Day, name: Name = "") -> dict[str, Any]:
    """Where a workbook that is called ``name`` would be put, and what is there already."""
    with answered():
        place = place_of(the_feed(dag_id).at(period), period, name)
        there = there_at(place)
    found = (
        {"sha256": there.sha256, "bytes": there.bytes, "changed": there.changed.isoformat()}
        if there
        else None
    )
    return {"path": place.path, "there": found}


@of_day.put("", dependencies=[SAME_SITE, Depends(action_logging(event="factload_upload"))])
async def upload(
    request: Request,
    dag_id: str,
    period: Day,
    name: Name = "",
    over: Annotated[str, Query(max_length=64)] = "",
    corrected: bool = False,
) -> dict[str, Any]:
    """Put the body into its place, once all of it has come. ``over``: the SHA-256 of the workbook that it replaces.

    ``corrected``: it is a rejects workbook that came back, which a replay reads.
    """
    with answered():
        most = number("FACTLOAD_UPLOAD_BYTES")
        feed = the_feed(dag_id).at(period)
        place = (place_of_corrected if corrected else place_of)(feed, period, name)
        if int(request.headers.get("content-length") or 0) > most:
            raise too_long(most)
        async with uploads.room():
            put = await _received(request, feed, place, most, over)
    return {"path": put.path, "sha256": put.sha256, "bytes": put.bytes}


async def _received(request: Request, feed: Feed, place: Place, most: int, over: str) -> SourceFile:
    try:
        with received_at(place, most) as incoming:
            pieces = request.stream()
            while True:
                with fail_after(_SILENCE):
                    piece = await anext(pieces, b"")
                if not piece:
                    break
                await to_thread.run_sync(incoming.write, piece)
            return await to_thread.run_sync(incoming.put, feed, over)
    except (TimeoutError, ClientDisconnect):
        raise HTTPException(
            408, {"code": "broken_off", "message": "The upload broke off, and nothing was kept. Try again."}
        ) from None
