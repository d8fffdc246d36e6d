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
        (errors.ConnectionLost, 4, True),
        (errors.NotConnected, 4, True),
        (errors.Conflict, 4, True),
        (errors.Unforeseen, 4, True),
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


def test_no_sentence_is_longer_than_a_page() -> None:
    error = errors.WorkbookError("a", "x" * 30_000_000, expected="é" * 20_000, remedy="y" * errors.MOST_CHARS)
    assert (len(error.seen), len(error.expected), len(error.remedy)) == (errors.MOST_CHARS,) * 3
    assert error.seen.endswith("x…")
    assert error.remedy.endswith("y")
    assert len(str(error)) < 3 * errors.MOST_CHARS + 50
    assert pickle.loads(pickle.dumps(error)).seen == error.seen  # noqa: S301


def test_of_very_many_errors_the_first_are_said_whole_and_the_others_counted() -> None:
    many = [errors.FeedError("a", f"column {i} is wrong", remedy="Mend it") for i in range(5_000)]
    together = errors.FeedError.together(many)
    assert len(str(together)) <= errors.MOST_CHARS
    said = str(together)
    assert said.startswith("5,000 defects: (1) column 0 is wrong. Mend it. (2) column 1 is wrong. Mend it. ")
    left = int(said.rpartition("and ")[2].split()[0].replace(",", ""))
    assert said.count("is wrong") + left == 5_000
    assert len(together.parts) == 5_000
