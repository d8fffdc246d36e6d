"""What is made of the staged rows once the last one is in: indexes, constraints, statistics, as the parent has them.

Each in a transaction of its own, and only what is not there yet: cut short, it goes on where it was. ATTACH then finds
an equal index, primary key and foreign key for each of the parent's, and makes nothing and reads nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg2.sql import SQL, Composable, Identifier
from sqlalchemy import Table, func, select
from sqlalchemy.engine import Connection

from factload.fact.exchange.parent import (
    ForeignKey,
    Parent,
    TableIndex,
    cut,
    foreign_keys_of,
    indexes_of,
)
from factload.fact.exchange.staging import name_of
from factload.fact.relation import relation_of
from factload.load import Load
from factload.postgres.statements import Definition, run

_CONSTRAINTS = {"p": "PRIMARY KEY", "u": "UNIQUE"}


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement that the staging table lacks. ``tablespace``: where what it makes is to lie."""

    template: str
    parts: tuple[Composable, ...]
    tablespace: str = ""

    def carry_out(self, connection: Connection) -> None:
        """In the caller's transaction."""
        connection.execute(select(func.set_config("default_tablespace", self.tablespace, True)))
        run(connection, self.template, *self.parts)


def missing(connection: Connection, parent: Parent, staging: Table, load: Load) -> Iterator[Statement]:
    """What the staging table lacks, in the order in which it is to be made; each is asked for once the last is made."""
    yield from _indexes(connection, parent, staging, load)
    yield from _foreign_keys(connection, parent, staging)


def completion(connection: Connection, parent: Parent, staging: Table, load: Load) -> list[Statement]:
    """The same with ANALYZE, which a plan needs as soon as readers see the rows.

    It comes after the indexes, some of which have statistics of their own, and before the foreign keys: where there are
    any and none is lacking, it was done.
    """
    keys = list(_foreign_keys(connection, parent, staging))
    analyze = [] if foreign_keys_of(connection, parent.oid) and not keys else [_analyze(staging)]
    return [*_indexes(connection, parent, staging, load), *analyze, *keys]


def _analyze(staging: Table) -> Statement:
    return Statement("ANALYZE {}", (name_of(staging),))


def _indexes(connection: Connection, parent: Parent, staging: Table, load: Load) -> Iterator[Statement]:
    oid = relation_of(connection, staging).oid
    name = name_of(staging)
    there = indexes_of(connection, oid)
    for index in indexes_of(connection, parent.oid):
        made = next((each for each in there if each.valid and each.definition == index.definition), None)
        if made is not None:
            there.remove(made)
        called = Identifier(made.name if made else _index_name(parent, load, index))
        if made is None:
            unique = SQL("UNIQUE ") if index.unique else SQL("")
            yield Statement(
                "CREATE {}INDEX {} ON {} {}",
                (unique, called, name, Definition(index.definition)),
                index.tablespace,
            )
        if index.constraint and (made is None or not made.constraint):
            kind = SQL(_CONSTRAINTS[index.constraint])
            yield Statement(
                "ALTER TABLE {} ADD CONSTRAINT {} {} USING INDEX {}{}",
                (name, called, kind, called, SQL(_deferral(index))),
            )


def _foreign_keys(connection: Connection, parent: Parent, staging: Table) -> Iterator[Statement]:
    name = name_of(staging)
    known = {key.definition: key for key in foreign_keys_of(connection, relation_of(connection, staging).oid)}
    for key in foreign_keys_of(connection, parent.oid):
        yield from _foreign_key(name, key, known.get(key.definition))


def _foreign_key(name: Composable, key: ForeignKey, made: ForeignKey | None) -> Iterator[Statement]:
    """Without a look at the rows first, so that the referenced table is locked for a moment alone; then the look."""
    called = Identifier(made.name if made else key.name)
    enforced = "NOT ENFORCED" not in key.definition
    if made is None:
        not_valid = SQL(" NOT VALID") if enforced else SQL("")
        yield Statement(
            "ALTER TABLE {} ADD CONSTRAINT {} {}{}", (name, called, Definition(key.definition), not_valid)
        )
    if key.validated and enforced and not (made and made.validated):
        yield Statement("ALTER TABLE {} VALIDATE CONSTRAINT {}", (name, called))


def _index_name(parent: Parent, load: Load, index: TableIndex) -> str:
    """Another in every attempt, since the one before it stands until the exchange."""
    suffix = index.name.removeprefix(f"{parent.name}_")
    return cut(f"{parent.readable_name(load.feed, load.period_date)}_{load.epoch}_{suffix}")


def _deferral(index: TableIndex) -> str:
    if not index.deferrable:
        return ""
    return " DEFERRABLE INITIALLY DEFERRED" if index.deferred else " DEFERRABLE"
