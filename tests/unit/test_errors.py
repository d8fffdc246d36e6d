"""Errors say what was seen, what was expected and what to do next, and survive the border between processes."""

from __future__ import annotations

import pickle

import pytest

from factload import errors


def test_a_message_has_all_three_sentences() -> None:
    error = errors.FeedError("x", "there is no table t", expected="one of a, b", remedy="Did you mean a?")
    assert str(error) == "there is no table t. Expected: one of a, b. Did you mean a?"
    assert str(errors.FeedError("x", "it is so")) == "it is so."


@pytest.mark.parametrize(
    ("kind", "exit_status", "retry"),
    [
        (errors.FeedError, 2, False),
        (errors.WorkbookError, 3, False),
        (errors.RowsRefused, 3, False),
        (errors.Superseded, 4, False),
        (errors.ReconciliationError, 4, False),
        (errors.TransientError, 4, True),
    ],
)
def test_what_to_do_next_is_in_the_type(
    kind: type[errors.FactloadError], exit_status: int, retry: bool
) -> None:
    error = pickle.loads(pickle.dumps(kind("code", "seen", expected="expected", remedy="remedy")))  # noqa: S301
    assert type(error) is kind
    assert (error.code, error.exit_status, error.retry) == ("code", exit_status, retry)
    assert str(error) == "seen. Expected: expected. remedy."


def test_several_errors_are_one_that_says_all_of_them() -> None:
    first, second = errors.FeedError("a", "one", remedy="Mend it"), errors.FeedError("b", "two")
    assert errors.FeedError.together([first]) is first
    assert first.parts == (first,)
    both = errors.FeedError.together([first, second])
    assert (both.code, str(both)) == ("a", "2 defects: (1) one. Mend it. (2) two.")
    assert both.parts == (first, second)
    there = pickle.loads(pickle.dumps(errors.FeedError.together([both, first])))  # noqa: S301
    assert [part.code for part in there.parts] == ["a", "b", "a"]
