"""Questions to a warehouse that doesn't answer take their few threads, and nothing else of the web server."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import anyio
import pytest
from fastapi import HTTPException

from factload.airflow.loads_page.threads import Threads


def test_the_loop_goes_on_and_whoever_finds_no_thread_is_told_so() -> None:
    answered = threading.Event()
    eight = Threads(8, 0.3, "busy")
    ask = eight(lambda: answered.wait(30))
    turns: list[float] = []

    async def one_too_many() -> None:
        await anyio.sleep(0.1)  # all others have begun
        with pytest.raises(HTTPException) as refused:
            await ask()
        assert refused.value.status_code == 503
        answered.set()

    async def the_loop_turns() -> None:
        while not answered.is_set():
            turns.append(time.monotonic())
            await anyio.sleep(0.01)

    async def everybody() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(eight.at_once):
                group.start_soon(ask)
            group.start_soon(one_too_many)
            group.start_soon(the_loop_turns)
        assert await ask() is True  # the threads are free again

    with ThreadPoolExecutor(1) as apart:  # from the loop that drives the browser
        apart.submit(anyio.run, everybody).result()
    assert max(after - before for before, after in pairwise(turns)) < 0.25


def test_whoever_may_not_wait_is_told_at_once_and_takes_nothing_of_the_others() -> None:
    written = threading.Event()
    download = Threads(2, 0, "other workbooks are being written")(lambda: written.wait(30))
    ask = Threads(1, 5, "busy")(lambda: "answered")

    async def everybody() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(download)
            await anyio.sleep(0.1)
            began = time.monotonic()
            with pytest.raises(HTTPException) as refused:
                await download()
            assert time.monotonic() - began < 1
            answer: tuple[int, object] = (refused.value.status_code, refused.value.detail)
            assert answer == (503, {"code": "busy", "message": "other workbooks are being written"})
            assert await ask() == "answered"
            written.set()
        assert await download() is True

    with ThreadPoolExecutor(1) as apart:
        apart.submit(anyio.run, everybody).result()
