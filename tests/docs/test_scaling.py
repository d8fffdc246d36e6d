"""docs/scaling.md says what its run has measured, and the model adds up."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from benchmarks import page as pages
from benchmarks.scale import page
from benchmarks.scale.costs import SteppedRun, costs_of, fitted
from benchmarks.scale.predicted import predictions
from benchmarks.scaling_model import (
    TERMS,
    Costs,
    Site,
    Size,
    night,
    seconds_of_load,
    seconds_of_verify,
    verify_costs_of,
)
from benchmarks.scaling_model import costs_of as costs_in

DOCUMENT = page.read()
PAGE_TEXT = page.PAGE.read_text(encoding="utf-8")


def test_the_page_is_made_of_its_results() -> None:
    made = pages.filled(PAGE_TEXT, DOCUMENT, page.PARTS)
    assert made == PAGE_TEXT, "run `python -m benchmarks.scale.page`"
    assert set(re.findall(r"<!-- measured: (\S+) -->", PAGE_TEXT)) == set(page.PARTS)


def test_a_prediction_that_is_far_off_is_said() -> None:
    costs = costs_in(DOCUMENT)
    doubled = [{**run, "cpu": 2 * predictions(DOCUMENT, costs, run)["cpu"]} for run in DOCUMENT["large"]]
    shown = page.PARTS["predictions"]({**DOCUMENT, "large": doubled})
    assert "**Off by more than 25%**: " in shown
    assert shown.count("CPU s of the client of") == len(doubled)


def test_time_is_judged_on_a_quiet_machine_alone() -> None:
    for others, judged in ((0.0, True), (1.5, False)):
        shown = page.shown(
            {
                **DOCUMENT,
                "small": [{**run, "others": others} for run in DOCUMENT["small"]],
                "large": [{**run, "others": others, "seconds": 1e6} for run in DOCUMENT["large"]],
            }
        )
        assert ("rows a second: **missed**, 0.00; by processor seconds" in shown) == judged
        assert (" seconds of " in shown.split("Off by more than")[-1].split(".")[0]) == judged


def test_what_is_not_exact_is_said() -> None:
    wrong = {
        **DOCUMENT,
        "large": [{**run, "exact": {**run["exact"], "equal": False}} for run in DOCUMENT["large"]],
    }
    assert "**WRONG" not in page.shown(DOCUMENT)
    assert page.shown(wrong).count("**WRONG") == len(DOCUMENT["large"])


def test_costs_are_found_again_and_never_below_nothing() -> None:
    amounts = [[1, 100, 7], [1, 800, 3], [1, 400, 90], [1, 50, 20]]
    wanted = [0.5, 0.02, 0.1]
    taken = [sum(cost * amount for cost, amount in zip(wanted, row, strict=True)) for row in amounts]
    assert fitted(amounts, taken) == pytest.approx(wanted)
    assert min(fitted([[1, 100], [1, 200], [1, 300]], [3.0, 2.0, 1.0])) >= 0


SIZES = [Size(10_000, 10_000, 1_000), Size(80_000, 40_000), Size(80_000, 200_000), Size(10_000, 200_000, 200)]
UNIT = {"load": 0.1, "row": 2e-6, "member": 1e-6, "partition": 0.02, "lookup": 4e-9}


@pytest.fixture
def costs() -> Costs:
    """Of loads whose steps cost ``UNIT``."""
    runs = []
    for size in SIZES:
        steps = {
            step: {
                side: sum(UNIT[term] * size.amount(term) for term in terms) for side, terms in sides.items()
            }
            for step, sides in TERMS.items()
        }
        runs.append(SteppedRun(size, steps, {"rows": 49 * size.rows, "members": 28 * size.members}))
    least = Size(2_000, 40_000)
    return costs_of(runs, least, 1.5 + true(least, "client"))


def true(size: Size, side: str) -> float:
    """What all steps of a load take of a side's processors."""
    return sum(UNIT[term] * size.amount(term) for sides in TERMS.values() for term in sides[side])


def test_the_model_finds_what_a_larger_load_costs(costs: Costs) -> None:
    large = Size(10_000_000, 10_000_000, workbooks=10)
    assert large.partitions == 100
    assert costs.start == pytest.approx(1.5)
    assert costs.total("client", large) == pytest.approx(true(large, "client"))
    assert costs.total("server", large) == pytest.approx(true(large, "server"))
    assert (costs.staged_bytes_a_row, costs.map_bytes_a_member) == (49, 28)


def test_a_load_is_never_quicker_than_its_processors_or_its_longest_step(costs: Costs) -> None:
    size, here = Size(10_000_000, 10_000_000), Site(1, 2, 2, one_machine=True)
    work = costs.start + costs.total("client", size) + costs.total("server", size)
    alone = seconds_of_load(costs, size, here)
    assert work / 2 < alone < work
    assert seconds_of_load(costs, size, replace(here, cores=1, server_cores=1)) == pytest.approx(work)
    many = seconds_of_load(costs, size, Site(1_000, 8, 1_000))
    assert costs.of("split_workbook", "client", size) < many < alone


def test_a_night_is_bound_by_the_scarcest(costs: Costs) -> None:
    size = Size(100_000_000, 10_000_000)
    few, many = night(costs, size, 10, Site(1, 2, 64)), night(costs, size, 10, Site(64, 8, 2))
    slow = night(replace(costs, written_bytes_a_row=300), size, 10, Site(64, 8, 64, disk=1e6))
    bounds = [found.bound_by for found in (few, many, slow)]
    assert bounds == ["workers", "database's processors", "database's disk"]
    assert slow.hours == pytest.approx(300e9 / 1e6 / 3600)
    assert few.hours == few.by_workers > many.by_workers


@pytest.mark.parametrize(
    "size, partitions",
    [(Size(100_000, 1), 1), (Size(100_001, 1), 2), (Size(1_000_000, 1, workbooks=10), 10), (Size(1_000_010, 1, workbooks=10), 20)],
)  # fmt: skip
def test_no_partition_has_rows_of_two_workbooks(size: Size, partitions: int) -> None:
    assert size.partitions == partitions


def test_verifying_takes_a_processor_or_waits_for_the_disk() -> None:
    few = {"rows": 2_000, "cpu": 0.8, "server_cpu": 0.1, "read_bytes": 200_000}
    many = {"rows": 802_000, "cpu": 0.8, "server_cpu": 0.5, "read_bytes": 80_200_000}
    slow = many | {"server_cpu": 9.0}
    costs = verify_costs_of({"verified": {"least": [few], "runs": [many, slow, many]}})
    assert costs.start == pytest.approx(0.9)
    assert costs.server == pytest.approx(0.5e-6)
    assert (costs.client, costs.read_bytes) == (0, 100)
    assert seconds_of_verify(costs, 100_000_000, disk=1e9) == pytest.approx(0.9 + 50)
    assert seconds_of_verify(costs, 100_000_000, disk=1e8) == pytest.approx(0.9 + 100)
