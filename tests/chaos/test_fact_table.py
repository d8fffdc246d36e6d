"""The fact table does something else with the rows than it was told."""

from __future__ import annotations

import pytest

from factload.errors import ReconciliationError, RowsRefused
from tests.chaos.harness import Attempt, Harness, refused
from tests.chaos.reliability import FaultRecord
from tests.feeds import ABSENT

_FUNCTION = "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;"
MEDDLING = [
    # what, the body of the trigger's function, when it acts
    ("a trigger keeps older rows from being deleted", "RETURN NULL;", "TRIGGER meddle BEFORE DELETE ON fact_sales"),
    ("a trigger drops a row", "IF NEW.metric > 9990 THEN RETURN NULL; END IF; RETURN NEW;", "TRIGGER meddle BEFORE INSERT ON fact_sales"),
    ("a trigger moves rows to another load", "NEW.load_id := 'another'; RETURN NEW;", "TRIGGER meddle BEFORE INSERT ON fact_sales"),
    (
        "a trigger changes a row after the INSERT",
        "UPDATE fact_sales SET metric = metric + 1 WHERE id = NEW.id; RETURN NULL;",
        "TRIGGER meddle AFTER INSERT ON fact_sales",
    ),
    (
        "a deferred trigger deletes rows at COMMIT",
        "DELETE FROM fact_sales WHERE id = NEW.id; RETURN NULL;",
        "CONSTRAINT TRIGGER meddle AFTER INSERT ON fact_sales DEFERRABLE INITIALLY DEFERRED",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "when"),
    [
        pytest.param(
            body, when, id=what, marks=pytest.mark.fault(what, by="CREATE TRIGGER on the fact table")
        )
        for what, body, when in MEDDLING
    ],
)
def test_what_triggers_do_is_seen_before_the_commit(
    harness: Harness, record: FaultRecord, body: str, when: str
) -> None:
    harness.execute(f"{_FUNCTION.format(body=body)} CREATE {when} FOR EACH ROW EXECUTE FUNCTION meddle()")
    attempt = Attempt(harness).until("publish")
    error = refused(attempt.call("publish"))
    assert isinstance(error, ReconciliationError)
    assert harness.stands() == "old"
    harness.execute("DROP TRIGGER meddle ON fact_sales")
    Attempt(harness).go_on()
    harness.proves("new")
    record.injected(seen="before", end="nothing is published; exact without the trigger", error=error)


@pytest.mark.fault("older rows can't be deleted", by="RULE ON DELETE DO INSTEAD NOTHING")
def test_a_rule_that_keeps_older_rows_is_seen(harness: Harness, record: FaultRecord) -> None:
    harness.execute("CREATE RULE keep AS ON DELETE TO fact_sales DO INSTEAD NOTHING")
    attempt = Attempt(harness).until("publish")
    error = refused(attempt.call("publish"))
    assert harness.stands() == "old"
    harness.execute("DROP RULE keep ON fact_sales")
    Attempt(harness).go_on()
    harness.proves("new")
    record.injected(seen="before", end="nothing is published; exact without the rule", error=error)


@pytest.mark.fault("the workbook has a header and no rows", by="a published day, no `min_rows` in the feed")
def test_a_header_alone_does_not_replace_a_day(harness: Harness, record: FaultRecord) -> None:
    harness.change_feed({"min_rows": ABSENT})
    harness.put("empty")
    attempt = Attempt(harness).until("reconcile")
    error = refused(attempt.call("reconcile"))
    assert isinstance(error, RowsRefused)
    assert harness.stands() == "old"
    harness.put("new")
    Attempt(harness).go_on()
    harness.proves("new")
    record.injected(seen="before", end="held; the whole workbook is exact", error=error)
