"""Lookups against plain dictionaries, and what happens to keys whose hashes collide."""

from __future__ import annotations

from itertools import count

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factload import lookup
from factload.errors import RowsRefused
from factload.feed import Dimension
from factload.key_hash import _mixed, hash_keys
from factload.lookup import look_up, normalize

DIMENSION = Dimension(table="dim", business_key="key", surrogate_key="id", column="key")
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)


def staged(keys: list[str]) -> pa.Table:
    """The map of ``keys`` to 0, 1, 2 …, as a load task opens it."""
    surrogates = pa.array(range(len(keys)), pa.int64())
    return lookup._ordered(DIMENSION, pa.table({"key": pa.array(keys, pa.string()), "surrogate": surrogates}))


@settings(deadline=None)
@given(st.lists(TEXTS, unique=True, max_size=60), st.lists(st.none() | TEXTS, max_size=60))
def test_a_lookup_is_a_dictionary_s(known: list[str], asked: list[str | None]) -> None:
    asked += known[::2]
    expected = {key: i for i, key in enumerate(known)}
    found = look_up(pa.array(asked, pa.string()), staged(known))
    assert found.to_pylist() == [None if key is None else expected.get(key) for key in asked]


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=20), st.integers(0, 5))
def test_a_hash_depends_on_the_text_alone(texts: list[str], start: int) -> None:
    whole = pa.array(["x", *texts, "y"], pa.string())
    alone = [int(hash_keys(pa.array([text], pa.string()))[0]) for text in texts]
    assert hash_keys(whole.slice(1, len(texts))).tolist() == alone
    assert hash_keys(whole, start).tolist() == hash_keys(whole, start).tolist()


def test_similar_keys_have_different_hashes() -> None:
    keys = (
        [f"P{i:07}" for i in range(50_000)]
        + [f"{i}" for i in range(50_000)]
        + ["", "\0", "\0\0", " ", "a" * 8, "a" * 9]
    )
    assert len(set(hash_keys(pa.array(keys, pa.string())).tolist())) == len(keys)


def colliding_keys() -> list[str]:
    """Two keys of sixteen characters with the same hash: the second halves undo what the first halves did."""

    def after(first: bytes) -> int:
        start = np.array([16], np.uint64) * np.uint64(0xFF51AFD7ED558CCD)
        return int(_mixed(start ^ np.frombuffer(first, "<u8"))[0])

    known = after(b"aaaaaaaa") ^ int.from_bytes(b"aaaaaaaa", "little")
    for number in count():
        first = b"%08d" % number
        second = (known ^ after(first)).to_bytes(8, "little")
        if max(second) < 128:
            return ["aaaaaaaaaaaaaaaa", (first + second).decode("ascii")]
    raise AssertionError


def test_keys_whose_hashes_collide_are_told_apart() -> None:
    keys = colliding_keys()
    assert len(set(hash_keys(pa.array(keys)).tolist())) == 1
    members = staged([*keys, "b"])
    assert members.schema.metadata[b"salt"] != b"0"
    assert look_up(pa.array(["b", *reversed(keys)]), members).to_pylist() == [2, 1, 0]


def test_duplicates_are_named_also_among_colliding_keys() -> None:
    with pytest.raises(
        RowsRefused, match="1 business keys of dim belong to more than one member: 'aaaaaaaaaaaaaaaa'"
    ):
        staged([*colliding_keys(), "aaaaaaaaaaaaaaaa"])


@pytest.mark.parametrize(
    ("steps", "before", "after"),
    [
        ((), [" a ", "A", "", "  ", None], [" a ", "A", None, None, None]),
        (("trim",), ["\u00a0 a\t", "b c "], ["a", "b c"]),
        (("trim", "collapse_spaces"), ["  a \t\n b "], ["a b"]),
        (("upper",), ["strand", "é"], ["STRAND", "É"]),
        (("lower",), ["ÀB"], ["àb"]),
        (("nfc",), ["e\u0301"], ["\u00e9"]),
    ],
)
def test_normalize(steps: tuple[lookup.NormalizeStep, ...], before: list[str], after: list[str]) -> None:
    assert normalize(pa.array(before, pa.string()), steps).to_pylist() == after
