"""Why the fact table as a whole can't take the rows of a load: its kind, its rules, its row-level security."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import Table, column, func, select, table
from sqlalchemy.engine import Connection

from factload.errors import FeedError
from factload.fact.modes.mode import ForbiddenRules
from factload.fact.modes.registry import mode_of
from factload.fact.relation import Relation, relation_of
from factload.feed.fact import Fact
from factload.postgres.catalog import pg_attribute, pg_rewrite

_TABLES = ("r", "p")  # pg_class.relkind
_OTHERS = {"m": "a materialized view", "f": "a foreign table", "S": "a sequence", "c": "a composite type"}
# https://www.postgresql.org/docs/current/functions-info.html: pg_relation_is_updatable, a bit for each command
_COMMANDS = {"UPDATE": 1 << 2, "INSERT": 1 << 3, "DELETE": 1 << 4}
# pg_rewrite.ev_type
_RULES = {"2": "UPDATE", "3": "INSERT"}

_policies = table(
    "pg_policies",
    column("schemaname"),
    column("tablename"),
    column("permissive"),
    column("roles"),
    column("cmd"),
    column("qual"),
    schema="pg_catalog",
)


def relation_defects(connection: Connection, table: Table, fact: Fact) -> Iterator[FeedError]:
    """Why the relation as a whole can't take the rows of a load, or would not show them."""
    found = relation_of(connection, table)
    if found.kind not in _TABLES and not found.is_view:
        yield FeedError(
            "fact_not_a_table",
            f"{fact.table} is {_OTHERS.get(found.kind, 'no table')}",
            expected="a table, or a view that rows can be written through",
            remedy="Name the table that its rows come from",
        )
        return
    if found.is_view:
        yield from _view_defects(connection, found, fact)
    elif forbidden := mode_of(fact).forbidden_rules(fact):
        yield from _rule_defects(connection, found, fact, forbidden)
    if connection.scalar(select(func.row_security_active(found.oid))) and not _sees_all(connection, found):
        yield FeedError(
            "row_security",
            f"row security may hide rows of {fact.table} from the connection's user, and so from the proof",
            expected="a user that sees every row",
            remedy="ALTER ROLE ... BYPASSRLS for this user, or give it a policy FOR SELECT USING (true)",
        )


def _view_defects(connection: Connection, found: Relation, fact: Fact) -> Iterator[FeedError]:
    as_it_is, by_triggers = connection.execute(
        select(
            func.pg_relation_is_updatable(found.oid, False), func.pg_relation_is_updatable(found.oid, True)
        )
    ).one()
    wanted = mode_of(fact).commands
    lacking = [name for name in wanted if not by_triggers & _COMMANDS[name]]
    fixed: list[str] = []
    if as_it_is & _COMMANDS["INSERT"]:
        updatable = func.pg_column_is_updatable(found.oid, pg_attribute.c.attnum, False)
        filled = [*fact.columns, *([fact.load_column] if fact.load_column else [])]
        fixed = list(
            connection.scalars(
                select(pg_attribute.c.attname).where(
                    pg_attribute.c.attrelid == found.oid, pg_attribute.c.attname.in_(filled), ~updatable
                )
            )
        )
    if lacking or fixed:
        what = f"no {' and no '.join(lacking)}" if lacking else f"no values for {', '.join(sorted(fixed))}"
        yield FeedError(
            "view_not_updatable",
            f"{fact.table} is a view that takes {what}",
            expected=f"{' and '.join(wanted)} on every column that the feed fills, as mode "
            f"{fact.mode.kind} needs them",
            remedy="Name the table below it, or give the view INSTEAD OF triggers",
        )


def _rule_defects(
    connection: Connection, found: Relation, fact: Fact, forbidden: ForbiddenRules
) -> Iterator[FeedError]:
    kinds = connection.scalars(
        select(pg_rewrite.c.ev_type).where(
            pg_rewrite.c.ev_class == found.oid,
            pg_rewrite.c.ev_type.in_(_RULES),
            pg_rewrite.c.ev_enabled != "D",
        )
    ).all()
    named = sorted({_RULES[kind] for kind in kinds if _RULES[kind] in forbidden.commands})
    if named:
        yield FeedError(
            "fact_rules",
            f"{fact.table} has a rule ON {' and ON '.join(named)}, and PostgreSQL allows mode {fact.mode.kind} "
            f"{forbidden.allowed}",
            remedy="Drop the rule (a trigger may take its place), name the table that it writes to, or use mode "
            "`replace` with a load column",
        )


def _sees_all(connection: Connection, found: Relation) -> bool:
    """Whether the policies show this user every row: one that says so, and none that restricts it."""
    policies = [
        policy
        for policy in connection.execute(
            select(_policies).where(
                _policies.c.schemaname == found.schema,
                _policies.c.tablename == found.name,
                _policies.c.cmd.in_(["SELECT", "ALL"]),
            )
        )
        if _is_for_this_user(connection, policy.roles)
    ]
    restricted = any(policy.permissive != "PERMISSIVE" and policy.qual != "true" for policy in policies)
    return not restricted and any(
        policy.permissive == "PERMISSIVE" and policy.qual == "true" for policy in policies
    )


def _is_for_this_user(connection: Connection, roles: Collection[str]) -> bool:
    return "public" in roles or any(
        connection.scalar(select(func.pg_has_role(role, "USAGE"))) for role in roles
    )
