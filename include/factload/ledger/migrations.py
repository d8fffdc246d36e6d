"""The ledger's versions: made on first use, migrated forward by the first load that finds an older one.

``tables`` is what the newest version looks like; ``CHANGES`` is how each version came out of the one
before it, in DDL that is never edited once released. A new ledger is made whole; an older one takes all the
changes that it lacks, in one transaction, one process at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    func,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex, CreateSchema, CreateTable, ExecutableDDLElement

from factload.errors import FeedError
from factload.ledger.tables import LEDGER_SCHEMA, STAGING_SCHEMA, metadata, schema_version
from factload.postgres.ddl import AddColumn

_INSTALL_LOCK = 0x66616374  # any number that every factload agrees on


def _column_of(table: str, column: Column[Any]) -> AddColumn:
    """``ALTER TABLE … ADD COLUMN``, for a table of the ledger."""
    return AddColumn(Table(table, MetaData(schema=LEDGER_SCHEMA), column))


class RenameColumn(ExecutableDDLElement):
    """``ALTER TABLE … RENAME COLUMN``, for a table of the ledger."""

    def __init__(self, table: str, old: str, new: str) -> None:
        self.table = Table(table, MetaData(schema=LEDGER_SCHEMA))
        self.old = old
        self.new = new


@compiles(RenameColumn)
def _rename_column(element: RenameColumn, compiler: Any, **_: Any) -> str:
    table = compiler.preparer.format_table(element.table)
    old, new = map(compiler.preparer.quote, (element.old, element.new))
    return f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}"


class DropColumn(ExecutableDDLElement):
    """``ALTER TABLE … DROP COLUMN``, for a table of the ledger."""

    def __init__(self, table: str, column: str) -> None:
        self.table = Table(table, MetaData(schema=LEDGER_SCHEMA))
        self.column = column


@compiles(DropColumn)
def _drop_column(element: DropColumn, compiler: Any, **_: Any) -> str:
    table = compiler.preparer.format_table(element.table)
    return f"ALTER TABLE {table} DROP COLUMN {compiler.preparer.quote(element.column)}"


class AddIndex(CreateIndex):
    """``CREATE INDEX``, on columns of a table of the ledger, of whatever type."""

    def __init__(self, name: str, table: str, *columns: str) -> None:
        place = Table(table, MetaData(schema=LEDGER_SCHEMA), *(Column(column) for column in columns))
        super().__init__(Index(name, *place.columns))


class AddTable(CreateTable):
    """``CREATE TABLE``, for a table whose rows belong to loads of the ledger."""

    def __init__(self, name: str, *columns: Column[Any]) -> None:
        schema = MetaData(schema=LEDGER_SCHEMA)
        loads = Table("loads", schema, Column("load_id", Text))
        super().__init__(
            Table(
                name, schema, Column("load_id", Text, ForeignKey(loads.c.load_id), primary_key=True), *columns
            )
        )


CHANGES: Mapping[int, Sequence[ExecutableDDLElement]] = {
    2: (
        _column_of("partitions", Column("workbook", Text, nullable=False, server_default="")),
        _column_of("partitions", Column("weighted", JSONB)),
        RenameColumn("partitions", "maps_sha256", "staged_from"),
        _column_of("rejects", Column("workbook", Text, nullable=False, server_default="")),
        AddIndex("rejects_in_order", "rejects", "load_id", "content", "workbook", "sheet", "row"),
        _column_of("attempts", Column("released_by", Text)),
        _column_of("attempts", Column("released_at", DateTime(timezone=True))),
        _column_of("attempts", Column("release_reason", Text)),
        _column_of("attempts", Column("mode", Text, nullable=False, server_default="replace")),
        _column_of("attempts", Column("sources", JSONB, nullable=False, server_default="[]")),
        _column_of("partitions", Column("unknown_rows", JSONB, nullable=False, server_default="{}")),
        _column_of("partitions", Column("created_members", JSONB, nullable=False, server_default="{}")),
    ),
    3: (
        _column_of("attempts", Column("corrections", Text, nullable=False, server_default="")),
        _column_of("rejects", Column("duplicate_of", Text)),
        AddTable(
            "corrections",
            Column("epoch", Integer, primary_key=True, autoincrement=False),
            Column("workbook", Text, primary_key=True),
            Column("sheet", Text, primary_key=True),
            Column("row", Integer, primary_key=True, autoincrement=False),
            Column("workbook_sha256", Text, nullable=False),
            Column("row_sha256", Text, nullable=False),
            Column("cells", Text, nullable=False),
            Column("corrected_in", Text, nullable=False),
            Column("taken_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        ),
    ),
    4: (
        _column_of("attempts", Column("target", Text)),
        _column_of("attempts", Column("load_column", Text)),
    ),
    5: (DropColumn("attempts", "maps"),),  # nothing ever read it
    6: (
        _column_of("attempts", Column("worked_at", DateTime(timezone=True))),
        _column_of("attempts", Column("feed_fingerprint", Text)),
        _column_of("attempts", Column("factload_version", Text)),
        _column_of("attempts", Column("published_digest", Text)),
        _column_of("attempts", Column("published_columns", JSONB)),
        _column_of("attempts", Column("hash_probe", Text)),
        _column_of("attempts", Column("verified_at", DateTime(timezone=True))),
        _column_of("attempts", Column("verified_as", Text)),
        _column_of("attempts", Column("left_out_rows", JSONB, nullable=False, server_default="{}")),
        _column_of("attempts", Column("undoes", Integer)),
        _column_of("attempts", Column("undone_by", Text)),
        _column_of("attempts", Column("undo_reason", Text)),
        _column_of("attempts", Column("witness", JSONB, nullable=False, server_default="[]")),
        _column_of("partitions", Column("left_out_rows", JSONB, nullable=False, server_default="{}")),
        _column_of("partitions", Column("file_sha256", Text)),
        _column_of("partitions", Column("delivered_totals", JSONB, nullable=False, server_default="{}")),
        AddTable(
            "kept",
            Column("epoch", Integer, nullable=False),
            Column("of_epoch", Integer, nullable=False),
            Column("table_name", Text, nullable=False),
            Column("keep_until", DateTime(timezone=True), nullable=False),
        ),
    ),
    7: (_column_of("partitions", Column("worker", Text)),),
    8: (
        _column_of("attempts", Column("member_counts", JSONB, nullable=False, server_default="{}")),
        AddTable(
            "member_changes",
            Column("epoch", Integer, primary_key=True, autoincrement=False),
            Column("dimension", Text, primary_key=True),
            Column("surrogate", Text, primary_key=True),
            Column("table_name", Text, nullable=False),
            Column("before", JSONB, nullable=False),
            Column("after", JSONB, nullable=False),
        ),
    ),
    9: (
        _column_of("member_changes", Column("valid_before", JSONB)),
        _column_of("member_changes", Column("valid_after", JSONB)),
        AddTable(
            "member_versions",
            Column("dimension", Text, primary_key=True),
            Column("surrogate", Text, primary_key=True),
            Column("unsaid", Boolean, nullable=False, server_default="false"),
            Column("began", Text),
        ),
        AddIndex("member_versions_by_member", "member_versions", "dimension", "surrogate"),
    ),
}
VERSION = max(CHANGES)


def installed_version(connection: Connection) -> int | None:
    """The version of the database's ledger; ``None`` when it has none."""
    if not inspect(connection).has_table(schema_version.name, schema=LEDGER_SCHEMA):
        return None
    return connection.scalar(select(schema_version.c.version))


def is_installed(connection: Connection) -> bool:
    """Whether the database has a ledger that can be read; raises ``FeedError`` when another version made it."""
    found = installed_version(connection)
    if found is not None and found < VERSION:
        raise FeedError(
            "ledger_outdated",
            f"the ledger in schema {LEDGER_SCHEMA} has version {found}",
            expected=f"version {VERSION}",
            remedy="The next load (`factload run`) migrates it, and keeps what is in it",
        )
    _refuse_newer(found)
    return found is not None


def install(connection: Connection) -> None:
    """Make the ledger where there is none, and migrate an older one forward, in the caller's transaction.

    Raises ``FeedError`` when a newer factload made it.
    """
    if installed_version(connection) != VERSION:
        connection.execute(select(func.pg_advisory_xact_lock(_INSTALL_LOCK)))
        found = installed_version(connection)  # by now another process may have done it
        _refuse_newer(found)
        if found is None:
            _create(connection)
        else:
            _migrate(connection, found)


def _refuse_newer(found: int | None) -> None:
    if found is not None and found > VERSION:
        raise FeedError(
            "ledger_version",
            f"the ledger in schema {LEDGER_SCHEMA} has version {found}",
            expected=f"version {VERSION} or older",
            remedy="Use the factload that made it, or a newer one",
        )


def _create(connection: Connection) -> None:
    for schema in (LEDGER_SCHEMA, STAGING_SCHEMA):
        connection.execute(CreateSchema(schema, if_not_exists=True))
    metadata.create_all(connection)
    connection.execute(insert(schema_version).values(version=VERSION))


def _migrate(connection: Connection, found: int) -> None:
    for version in range(found + 1, VERSION + 1):
        for change in CHANGES[version]:
            connection.execute(change)
    connection.execute(update(schema_version).values(version=VERSION))
