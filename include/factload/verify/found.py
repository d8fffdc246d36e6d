"""What stands in the fact tables of loads: counted, summed and digested in the database, a scan for many loads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Numeric, Table, cast, func, or_, select
from sqlalchemy.engine import Connection

from factload.fact.load_column import load_column_defect, load_key
from factload.fact.modes.registry import mode_named
from factload.fact.relation import relation_of
from factload.postgres.tables import table_there
from factload.postgres.types import column_type, type_name
from factload.reconcile.read_back import Content, content_of, contents_by_first, hash_probe
from factload.verify.judgement import Found
from factload.verify.published import PublishedColumn, PublishedLoad

_AT_ONCE = 1_000  # loads that one statement names
_ZERO = Decimal(0)
_TO_BE_READ = Content(0, {}, _ZERO)
_NO_DIGEST = (
    "published before digests were kept: a changed value that leaves rows and control totals equal isn't seen"
)
_UNSIGNED = "the digest is an older factload's, which leaves out the sign of decimals: control totals alone prove that"
_OTHER_SERVER = (
    "this server hashes values in another way than the one that published it, so digests can't be compared"
)


@dataclass
class Tables:
    """The fact tables of a database, each looked up once."""

    connection: Connection
    _known: dict[str, Table | None] = field(default_factory=dict)
    _oids: dict[str, int] = field(default_factory=dict)

    def called(self, name: str) -> Table | None:
        """The table; None where there is none."""
        if name not in self._known:
            self._known[name] = table_there(self.connection, name)
        return self._known[name]

    def oid(self, name: str) -> int | None:
        """What the catalog knows it by, however it is spelt."""
        table = self.called(name)
        if table is None:
            return None
        if name not in self._oids:
            self._oids[name] = relation_of(self.connection, table).oid
        return self._oids[name]


def find(connection: Connection, tables: Tables, loads: Sequence[PublishedLoad]) -> dict[str, Found]:
    """Load id → what stands of each load whose rows are found by a load column; of others, why they aren't."""
    forms = digest_forms(connection)
    found: dict[str, Found] = {}
    asked: list[tuple[tuple[Any, ...], PublishedLoad, Found]] = []
    for load in loads:
        seen = _look(tables, load, forms)
        if seen.content is None:
            found[load.load_id] = seen
            continue
        names, totals = _comparable(tables, load)
        key = (load.table, load.load_column, tuple(names), tuple(totals), forms.get(load.probe, True))
        asked.append((key, load, seen))
    asked.sort(key=lambda each: each[0])
    for (table, load_column, names, measures, signed), group in groupby(asked, key=lambda each: each[0]):
        together = list(group)
        there = tables.called(table)
        if there is None:
            raise TypeError(f"{table} was there")
        for start in range(0, len(together), _AT_ONCE):
            some = together[start : start + _AT_ONCE]
            loads_asked = [load for _, load, _ in some]
            contents = _contents(connection, there, load_column, names, measures, loads_asked, signed=signed)
            for _, load, seen in some:
                found[load.load_id] = replace(seen, content=contents[load.load_id])
    return found


def digest_forms(connection: Connection) -> Mapping[str | None, bool]:
    """How digests are taken on this server: the probe of a publication → whether its digest has decimals' signs."""
    signed, unsigned = connection.execute(select(hash_probe(), hash_probe(signed=False))).one()
    return {signed: True, unsigned: False}


def whole_table(
    connection: Connection, table: Table, load: PublishedLoad, forms: Mapping[str | None, bool]
) -> Content:
    """The content of all rows of a table, by the columns and measures of ``load``. ``forms``: ``digest_forms``."""
    names = load.named or list(load.totals) or [next(iter(table.columns)).name]
    measures = list(load.totals)
    rows = select(*_labelled(table, names, measures))
    return content_of(connection, rows, names, measures, signed=forms.get(load.probe, True))


def find_in(connection: Connection, table: Table, load: PublishedLoad) -> Found:
    """What is in a table that has the rows of this load alone."""
    if lost := _lost(table, load, table.name):
        return Found(missing=lost)
    forms = digest_forms(connection)
    return Found(
        whole_table(connection, table, load, forms),
        no_digest=no_digest(table, load, forms),
        less_digest=_less_digest(load, forms),
    )


def strays(connection: Connection, table: Table, load_column: str, load_ids: Sequence[str]) -> int:
    """How many rows of a table carry none of these loads."""
    column = table.c[load_column]
    keys = [load_key(column, load_id) for load_id in load_ids]
    other = or_(column.is_(None), column.not_in(keys))
    return connection.scalar(select(func.count()).select_from(table).where(other)) or 0


def _look(tables: Tables, load: PublishedLoad, forms: Mapping[str | None, bool]) -> Found:
    """What can be said before a row is read; ``content`` is a stand-in where rows are to be read."""
    table = tables.called(load.table)
    if table is None:
        return Found(missing=(f"there is no table {load.table} any more",))
    if load.load_column is None:
        return Found(unfound=_unfound(load))
    if load.load_column not in table.c:
        return Found(
            missing=(f"{load.table} has no column {load.load_column} any more: its rows can't be found",)
        )
    if load_column_defect(table.c[load.load_column]):
        kind = type_name(table.c[load.load_column].type)
        return Found(missing=(f"{load.load_column} of {load.table} is {kind} now: its rows can't be found",))
    missing = _lost(table, load, load.table)
    return Found(
        _TO_BE_READ,
        missing=missing,
        no_digest=no_digest(table, load, forms),
        less_digest=_less_digest(load, forms),
    )


def _lost(table: Table, load: PublishedLoad, called: str) -> tuple[str, ...]:
    """What a table hasn't any more of the columns of the digest, and of the measures."""
    gone = [name for name in dict.fromkeys((*load.named, *load.totals)) if name not in table.c]
    return (
        *(f"{called} has no column {name} any more" for name in gone),
        *(
            f"{name} of {called} is {type_name(table.c[name].type)} now: its control total can't be taken"
            for name in load.totals
            if name in table.c and not _has_a_sum(table.c[name])
        ),
    )


def measures_there(table: Table, load: PublishedLoad) -> list[str]:
    """The measures whose control totals can still be taken."""
    return [name for name in load.totals if name in table.c and _has_a_sum(table.c[name])]


def _has_a_sum(column: ColumnElement[Any]) -> bool:
    return column_type(column.type).family in ("integer", "numeric", "double")


def summed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A measure as it is summed: what has binary fractions by now, as decimals, which have one sum in any order."""
    return cast(column, Numeric) if column_type(column.type).family == "double" else column


def _unfound(load: PublishedLoad) -> str:
    if not mode_named(load.mode).replaces:
        return f"mode {load.mode} without a load column: nothing in a row says which load it came from"
    return "it was published before the ledger kept the load column: run the load again with --reload to have it proved"


def _less_digest(load: PublishedLoad, forms: Mapping[str | None, bool]) -> str:
    """What a digest leaves out; nothing where it has everything."""
    decimals = any(column.type.startswith("numeric") for column in load.columns)
    return "" if forms.get(load.probe, True) or not decimals else _UNSIGNED


def no_digest(table: Table, load: PublishedLoad, forms: Mapping[str | None, bool]) -> str:
    """Why the digest of a load can't be compared with one of the table as it is now; nothing where it can."""
    if load.digest is None:
        return _NO_DIGEST
    if load.probe not in forms:
        return _OTHER_SERVER
    for column in load.columns:
        if column.name not in table.c:
            return f"without the column {column.name} digests can't be compared"
    for column in retyped(table, load):
        now = type_name(table.c[column.name].type)
        return f"{column.name} was {column.type} and is {now} now, so digests can't be compared"
    return ""


def retyped(table: Table, load: PublishedLoad) -> list[PublishedColumn]:
    """The columns that have another type than they had when the load was published."""
    return [
        column
        for column in load.columns
        if column.name in table.c and type_name(table.c[column.name].type) != column.type
    ]


def _comparable(tables: Tables, load: PublishedLoad) -> tuple[list[str], list[str]]:
    """The columns of the digest and the measures that the table still has."""
    table = tables.called(load.table)
    if table is None:
        return [], []
    measures = measures_there(table, load)
    named = [name for name in load.named if name in table.c]
    return named or measures, measures


def _contents(
    connection: Connection,
    table: Table,
    load_column: str,
    names: Sequence[str],
    measures: Sequence[str],
    loads: Sequence[PublishedLoad],
    *,
    signed: bool,
) -> dict[str, Content]:
    column = table.c[load_column]
    keys = {load.load_id: load_key(column, load.load_id) for load in loads}
    rows = select(column, *_labelled(table, names or [load_column], measures)).where(
        column.in_(keys.values())
    )
    by_key = contents_by_first(connection, rows, names or [load_column], measures, signed=signed)
    none = Content(0, dict.fromkeys(measures, _ZERO), _ZERO)
    return {load_id: by_key.get(key, none) for load_id, key in keys.items()}


def _labelled(table: Table, names: Sequence[str], measures: Sequence[str]) -> Iterator[Any]:
    for number, name in enumerate(names):
        column = summed(table.c[name]) if name in measures else table.c[name]
        yield column.label(f"column_{number}")
