"""PostgreSQL's catalog: the tables of it, and the columns of these, that several modules ask.

https://www.postgresql.org/docs/current/catalogs.html
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, Float, SmallInteger, TableValuedAlias, column, func, table

_SCHEMA = "pg_catalog"

pg_class = table(
    "pg_class",
    column("oid"),
    column("relname"),
    column("relnamespace"),
    column("relowner"),
    column("relkind"),
    column("reltuples", Float),
    column("relpartbound"),
    schema=_SCHEMA,
)
pg_namespace = table("pg_namespace", column("oid"), column("nspname"), schema=_SCHEMA)
pg_rewrite = table("pg_rewrite", column("ev_class"), column("ev_type"), column("ev_enabled"), schema=_SCHEMA)
pg_attribute = table(
    "pg_attribute",
    column("attrelid"),
    column("attnum"),
    column("attname"),
    column("attcollation"),
    schema=_SCHEMA,
)
pg_index = table(
    "pg_index",
    column("indexrelid"),
    column("indrelid"),
    column("indkey", ARRAY(SmallInteger)),  # this one and the next begin at 0
    column("indcollation", ARRAY(SmallInteger)),
    column("indpred"),
    column("indimmediate"),
    column("indisvalid"),
    column("indisready"),
    schema=_SCHEMA,
)


def partition_tree(table: Any) -> TableValuedAlias:
    """The table with this oid, or one that an expression finds, and its partitions at any depth; no row without any."""
    return func.pg_partition_tree(table).table_valued("relid", "parentrelid", "isleaf", "level")
