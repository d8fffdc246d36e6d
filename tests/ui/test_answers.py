"""The types that the page's JavaScript is checked with are those of what the server answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import requests

from factload_demo.setup import PROJECT
from tests.ui.plant import Plant
from tests.ui.states import DAG_ID, DRY, LARGE, RELEASED, SEVERAL, VERIFIED
from tests.ui.window import TODAY, back

STATIC = PROJECT / "include/factload/airflow/loads_page/static"
_INTERFACE = re.compile(r"^export interface (\w+)(?: extends (\w+))? \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^  (\w+)(\??): (.*);$", re.MULTILINE)
_PLAIN: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "true": (bool,),
    "null": (type(None),),
}
INTERFACES = {
    name: (base, _FIELD.findall(fields))
    for name, base, fields in _INTERFACE.findall((STATIC / "answers.d.ts").read_text(encoding="utf-8"))
}


def misfits(kind: str, value: Any, at: str) -> Iterator[str]:
    """Where ``value`` isn't what the TypeScript type ``kind`` says."""
    kinds = kind.split(" | ")
    if value is None or isinstance(value, str | int | float):
        fits = (
            isinstance(value, _PLAIN[k]) and (k != "number" or value is not True)
            for k in kinds
            if k in _PLAIN
        )
        if not any(fits):
            yield f"{at} is {type(value).__name__}, not {kind}"
    elif kinds[0].endswith("[]"):
        for index, item in enumerate(value):
            yield from misfits(kinds[0].removesuffix("[]"), item, f"{at}[{index}]")
    elif kinds[0] in INTERFACES:
        yield from _misfits_of_fields(kinds[0], value, at)
    elif not kinds[0].startswith(("Record<", "{", "[")):
        yield f"{at} is {type(value).__name__}, not {kind}"


def _misfits_of_fields(name: str, value: dict[str, Any], at: str) -> Iterator[str]:
    base, fields = INTERFACES[name]
    if base:
        yield from _misfits_of_fields(base, value, at)
    for field, optional, kind in fields:
        if field in value:
            yield from misfits(kind, value[field], f"{at}.{field}")
        elif not optional:
            yield f"{at} has no {field}"


def answer(plant: Plant, path: str, **parameters: str) -> Any:
    session = requests.Session()
    session.trust_env = False
    url = f"{plant.site.url}/factload/api/{path}"
    response = session.get(url, headers=plant.bearer("admin"), params=parameters, timeout=60)
    response.raise_for_status()
    return response.json()


def test_a_value_of_another_type_is_told_with_its_place() -> None:
    gap = {"first": "2026-11-05", "last": None, "begins": "…"}
    assert list(misfits("Gap", gap, "gap")) == ["gap.last is NoneType, not string", "gap has no ends"]
    assert list(misfits("Gap[] | null", [gap | {"last": "", "ends": 7}], "gaps")) == [
        "gaps[0].ends is int, not string"
    ]


def test_calendar_and_trend_are_of_their_types(plant: Plant) -> None:
    calendar = answer(plant, "calendar", first=str(back(30)), last=str(TODAY))
    assert {day["state"] for feed in calendar["feeds"] for day in feed["days"]} > {"published", "held"}
    assert list(misfits("Calendar", calendar, "calendar")) == []
    assert list(misfits("Trend", answer(plant, f"dags/{DAG_ID}/trend"), "trend")) == []
    months = answer(plant, f"dags/{DAG_ID}/months")
    assert months
    assert list(misfits("Month[]", months, "months")) == []


@pytest.mark.parametrize("day", [back(days) for days in (DRY, RELEASED, LARGE, SEVERAL, VERIFIED)], ids=str)
def test_a_load_and_its_rejects_are_of_their_types(plant: Plant, day: date) -> None:
    path = f"dags/{DAG_ID}/loads/{day}"
    load = answer(plant, path)
    assert load["load"] or load["runs"]
    assert list(misfits("DayAnswer", load, "load")) == []
    assert list(misfits("Reason[]", answer(plant, f"{path}/reasons"), "reasons")) == []
    assert list(misfits("RejectPage", answer(plant, f"{path}/rejects"), "rejects")) == []
