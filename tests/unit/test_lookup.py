"""Lookups against plain dictionaries: keys of one part and of several, with a history, and with hashes that collide."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table, Text

from factload.dimension import extract, map_file
from factload.dimension.inferred import WouldBeMembers
from factload.dimension.key_hash import _mixed, hash_keys
from factload.dimension.lookup import Members, look_up, open_members
from factload.dimension.normalize import join_parts, normalize, shown_key
from factload.errors import RowsRefused, TransientError
from factload.feed.dimensions import Dimension
from factload.staging.folder import FolderPlace

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
KEYS = TEXTS.filter(lambda text: text.translate(dict.fromkeys(map(ord, "\u200b\u2060\ufeff"))).strip() != "")
FOLDER: Path
UNIX = datetime(1970, 1, 1, tzinfo=UTC)
Member = Sequence[object]


def dimension(**changes: Any) -> Dimension:
    fields = {"table": "dim", "business_key": "key", "surrogate_key": "id", "column": "key"}
    return Dimension.model_validate(fields | changes)


PLAIN = dimension()
PAIR = dimension(business_key=["a", "b"], column=["A", "B"])
HISTORY = dimension(as_of={"valid_from": "since", "valid_to": "until"})


@pytest.fixture(scope="module", autouse=True)
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        global FOLDER  # noqa: PLW0603 - examples of one property are not fixtures
        FOLDER = Path(name)
        yield FOLDER


def copied(members: Iterable[Member]) -> bytes:
    """Members as PostgreSQL's COPY writes them: a null is nothing, every text in quotes."""
    lines = (
        ",".join("" if v is None else '"' + str(v).replace('"', '""') + '"' for v in row) for row in members
    )
    return "".join(f"{line}\n" for line in lines).encode()


def staged(members: Iterable[Member], of: Dimension = PLAIN) -> Members:
    """The map of members (parts of the key, surrogate key, interval), written and opened as a load does."""
    spool = io.BytesIO(copied(members))
    return open_members(extract.stage_members(spool, pa.int64(), "dim", of, FolderPlace(FOLDER)))


def numbered(keys: Iterable[str]) -> Members:
    """The map of ``keys`` to 0, 1, 2 …"""
    return staged((key, number) for number, key in enumerate(keys))


def strings(values: Iterable[str | None]) -> pa.Array:
    return pa.array(values, pa.string())


@settings(deadline=None)
@given(st.lists(KEYS, unique=True, max_size=60), st.lists(st.none() | TEXTS, max_size=60))
def test_a_lookup_is_a_dictionary_s(known: list[str], asked: list[str | None]) -> None:
    asked += known[::2]
    expected = {key: i for i, key in enumerate(known)}
    found = look_up(normalize(strings(asked), ()), numbered(known))
    assert found.surrogate.to_pylist() == [None if key is None else expected.get(key) for key in asked]
    assert found.key_known.tolist() == [key in expected for key in asked]


@settings(deadline=None)
@given(st.lists(KEYS, unique=True, max_size=60), st.lists(KEYS, max_size=60))
def test_a_map_of_many_ranges_is_a_dictionary_s_too(known: list[str], asked: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(map_file, "RANGE_BYTES", 64)
        members = numbered(known)
    expected = {key: i for i, key in enumerate(known)}
    asked += known
    assert look_up(strings(asked), members).surrogate.to_pylist() == [expected.get(key) for key in asked]
    assert members.ranges > 1 or len(known) < 8


@settings(deadline=None)
@given(
    st.lists(st.tuples(KEYS, KEYS), unique=True, max_size=30), st.lists(st.tuples(KEYS, KEYS), max_size=30)
)
def test_a_key_of_two_parts_is_a_pair(known: list[tuple[str, str]], asked: list[tuple[str, str]]) -> None:
    expected = {pair: i for i, pair in enumerate(known)}
    members = staged(((*pair, i) for pair, i in expected.items()), PAIR)
    asked += known + [(b, a) for a, b in known]
    joined = join_parts([strings(a for a, _ in asked), strings(b for _, b in asked)])
    assert look_up(joined, members).surrogate.to_pylist() == [expected.get(pair) for pair in asked]


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), unique=True, max_size=20))
def test_different_keys_are_joined_to_different_texts(keys: list[tuple[str, str, str]]) -> None:
    keys += [("a\x1fb", "c", ""), ("a", "b\x1fc", ""), ("a\x1b", "", "\x1b\x1f"), ("a", "\x1f", "\x1b")]
    joined = join_parts([strings(column) for column in zip(*set(keys), strict=True)]).to_pylist()
    assert len(set(joined)) == len(set(keys))
    assert [shown_key(text) for text in joined] == [repr(key) for key in set(keys)]


def test_a_key_with_a_blank_part_has_no_member() -> None:
    members = staged([("a", "", 1), ("", "b", 2), ("a", None, 3), ("a", "b", 4)], PAIR)
    parts = [normalize(strings(part), ()) for part in (["a", " ", "a"], ["", "b", "b"])]
    assert look_up(join_parts(parts), members).surrogate.to_pylist() == [None, None, 4]


DAYS = st.integers(0, 20)
Interval = tuple[int | None, int | None]


@st.composite
def histories(draw: st.DrawFn) -> dict[str, list[Interval]]:
    """For some keys intervals of days that don't overlap, with gaps, open ends and empty ones among them."""
    found: dict[str, list[Interval]] = {}
    for key in draw(st.lists(st.sampled_from("abcdefgh"), unique=True)):
        cuts = sorted(draw(st.lists(DAYS, unique=True, min_size=2, max_size=8)))
        bounds: list[Interval] = [*zip(cuts[::2], cuts[1::2], strict=False)]
        if draw(st.booleans()):
            bounds[0] = (None, bounds[0][1])
        if draw(st.booleans()):
            bounds[-1] = (bounds[-1][0], None)
        if draw(st.booleans()):
            bounds.append((cuts[0], cuts[0]))
        found[key] = draw(st.permutations(bounds))
    return found


def moment(day: int | None, open_: str | None) -> str | None:
    return open_ if day is None else (UNIX + timedelta(days=day)).strftime("%Y-%m-%d %H:%M:%S")


@settings(deadline=None)
@given(histories(), st.lists(st.tuples(st.sampled_from("abcdefghi"), DAYS), max_size=60))
def test_the_member_of_a_day_is_the_one_a_loop_finds(
    known: dict[str, list[Interval]], asked: list[tuple[str, int]]
) -> None:
    rows = [(key, interval) for key, intervals in known.items() for interval in intervals]
    members = staged(
        (
            (key, i, moment(since, "-infinity"), moment(until, None))
            for i, (key, (since, until)) in enumerate(rows)
        ),
        HISTORY,
    )

    def member(key: str, day: int) -> int | None:
        for i, (name, (since, until)) in enumerate(rows):
            if name == key and (since is None or since <= day) and (until is None or day < until):
                return i
        return None

    days = np.array([day for _, day in asked], np.int64) * 86_400_000_000
    found = look_up(strings(key for key, _ in asked), members, days)
    assert found.surrogate.to_pylist() == [member(key, day) for key, day in asked]
    assert found.key_known.tolist() == [
        any(name == key and (since is None or since != until) for name, (since, until) in rows)
        for key, _ in asked
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [("a", 1, "2026-01-01", "2026-02-01"), ("a", 2, "2026-01-31", None), ("b", 3, None, None)],
            "1 business keys of dim belong to more than one member at the same time: 'a'",
        ),
        ([("a", 1, None, None), ("a", 2, "2026-01-31", None)], "at the same time: 'a'"),
        (
            [("a", 1, "2026-02-01", "2026-01-01")],
            "1 members of dim are valid to a moment before they are valid",
        ),
        ([("a", 1, "12026-02-01", None)], "a validity date outside of the years 1 to 9999"),
    ],
)
def test_a_history_that_does_not_fit_stops_the_load_and_is_named(rows: list[Member], message: str) -> None:
    with pytest.raises(RowsRefused, match=message):
        staged(rows, HISTORY)


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
    members = numbered([*keys, "b"])
    assert members.salt != 0
    assert look_up(pa.array(["b", *reversed(keys)]), members).surrogate.to_pylist() == [2, 1, 0]


def test_histories_of_keys_whose_hashes_collide_are_told_apart() -> None:
    keys = colliding_keys()
    members = staged([(key, i, None, None) for i, key in enumerate(keys)], HISTORY)
    assert look_up(strings(keys), members, np.zeros(2, np.int64)).surrogate.to_pylist() == [0, 1]


def test_duplicates_are_named_also_among_colliding_keys() -> None:
    with pytest.raises(
        RowsRefused, match="1 business keys of dim belong to more than one member: 'aaaaaaaaaaaaaaaa'"
    ):
        numbered([*colliding_keys(), "aaaaaaaaaaaaaaaa"])


def test_the_first_five_doubled_keys_of_all_ranges_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_file, "RANGE_BYTES", 64)
    doubled = [("k", str(i), i) for i in range(20)] * 2
    with pytest.raises(RowsRefused, match=r"^20 business keys of dim .*: \('k', '\d+'\), .* and 15 more"):
        staged([*doubled, ("k", "once", 1)], PAIR)


def test_a_map_that_was_altered_is_noticed() -> None:
    done = extract.stage_members(io.BytesIO(b"a,1\n"), pa.int64(), "cut", PLAIN, FolderPlace(FOLDER))
    Path(done.path).write_bytes(Path(done.path).read_bytes()[:-1])
    with pytest.raises(TransientError, match=r"map_cut_\w+\.arrow is not what was written"):
        open_members(done)
    Path(done.path).unlink()
    with pytest.raises(TransientError, match=r"map_cut_\w+\.arrow is gone"):
        open_members(done)


def test_surrogate_keys_may_be_text() -> None:
    done = extract.stage_members(
        io.BytesIO(b"a,x-1\nb,x-2\n"), pa.string(), "text", PLAIN, FolderPlace(FOLDER)
    )
    assert look_up(strings(["b", "c"]), open_members(done)).surrogate.to_pylist() == ["x-2", None]


@pytest.mark.parametrize(
    ("kind", "there"),
    [
        (pa.int64(), []),
        (pa.int64(), [-1, -2, 5]),
        (pa.int64(), [-(2**63), 7]),
        (pa.string(), ["-1", "-2", "1"]),
    ],
)
def test_members_that_a_check_would_make_have_keys_that_no_member_has(
    kind: pa.DataType, there: list[Any]
) -> None:
    spool = io.BytesIO(copied((f"key {number}", surrogate) for number, surrogate in enumerate(there)))
    would_be = WouldBeMembers()
    would_be.tables = {"product": Table("dim", MetaData(), Column("key", Text))}
    would_be.members = {
        "product": open_members(extract.stage_members(spool, kind, "dim", PLAIN, FolderPlace(FOLDER)))
    }
    first, again = (
        would_be("product", pa.RecordBatch.from_pydict({"key": keys}), {}).to_pylist()
        for keys in (["a", "b", "c"], ["c", "d"])
    )
    assert len({*first, *again, *there}) == 4 + len(there)
    assert first[2] == again[0]
    assert would_be.created == {"product": 4}
