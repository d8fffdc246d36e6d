"""The fact table as PostgreSQL's catalog describes it: its kind, its rules and triggers, its row-level security."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import Boolean, Table, column, func, select, table
from sqlalchemy.engine import Connection

from factload.errors import FeedError
from factload.feed.model import Fact

# pg_class.relkind
_TABLES = ("r", "p")
_VIEW = "v"
_OTHERS = {"m": "a materialized view", "f": "a foreign table", "S": "a sequence", "c": "a composite type"}
# https://www.postgresql.org/docs/current/functions-info.html: pg_relation_is_updatable, a bit for each command
_COMMANDS = {"UPDATE": 1 << 2, "INSERT": 1 << 3, "DELETE": 1 << 4}
_WANTED = {
    "replace": ("INSERT", "DELETE"),
    "append_once": ("INSERT",),
    "upsert": ("INSERT", "UPDATE"),
}
# pg_trigger.tgtype, as bits
_BEFORE, _ON_INSERT, _INSTEAD = 1 << 1, 1 << 2, 1 << 6
# pg_rewrite.ev_type
_RULES = {"2": "UPDATE", "3": "INSERT"}

_class = table("pg_class", column("oid"), column("relkind"), column("relnamespace"), column("relname"),
               schema="pg_catalog")  # fmt: skip
_namespace = table("pg_namespace", column("oid"), column("nspname"), schema="pg_catalog")
_attribute = table(
    "pg_attribute", column("attrelid"), column("attnum"), column("attname"), schema="pg_catalog"
)
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
_rules = table("pg_rewrite", column("ev_class"), column("ev_type"), column("ev_enabled"), schema="pg_catalog")
_triggers = table(
    "pg_trigger",
    column("tgrelid"),
    column("tgtype"),
    column("tgisinternal", Boolean),
    column("tgenabled"),
    schema="pg_catalog",
)


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view as the catalog knows it."""

    oid: int
    kind: str
    schema: str
    name: str

    @property
    def is_view(self) -> bool:
        """Whether its rows are those of other tables."""
        return self.kind == _VIEW


def sql_name(connection: Connection, fact: Table) -> str:
    """The table's name as SQL has it: quoted where it must be."""
    # As in a statement, where a percent sign stands twice.
    return connection.dialect.identifier_preparer.format_table(fact) % ()


def relation_of(connection: Connection, fact: Table) -> Relation:
    """The catalog's entry of a table that is there."""
    found = connection.execute(
        select(_class.c.oid, _class.c.relkind, _namespace.c.nspname, _class.c.relname)
        .join(_namespace, _namespace.c.oid == _class.c.relnamespace)
        .where(_class.c.oid == func.to_regclass(sql_name(connection, fact)))
    ).one()
    return Relation(*found)


def relation_defects(connection: Connection, table: Table, fact: Fact) -> Iterator[FeedError]:
    """Why the relation as a whole can't take the rows of a load, or would not show them."""
    found = relation_of(connection, table)
    if found.kind not in (*_TABLES, _VIEW):
        yield FeedError(
            "fact_not_a_table",
            f"{fact.table} is {_OTHERS.get(found.kind, 'no table')}",
            expected="a table, or a view that rows can be written through",
            remedy="Name the table that its rows come from",
        )
        return
    if found.is_view:
        yield from _view_defects(connection, found, fact)
    elif fact.mode.kind == "upsert" or (fact.mode.kind == "append_once" and fact.load_column is None):
        yield from _rule_defects(connection, found, fact)
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
    lacking = [name for name in _WANTED[fact.mode.kind] if not by_triggers & _COMMANDS[name]]
    fixed: list[str] = []
    if as_it_is & _COMMANDS["INSERT"]:
        updatable = func.pg_column_is_updatable(found.oid, _attribute.c.attnum, False)
        filled = [*fact.columns, *([fact.load_column] if fact.load_column else [])]
        fixed = list(
            connection.scalars(
                select(_attribute.c.attname).where(
                    _attribute.c.attrelid == found.oid, _attribute.c.attname.in_(filled), ~updatable
                )
            )
        )
    if lacking or fixed:
        what = f"no {' and no '.join(lacking)}" if lacking else f"no values for {', '.join(sorted(fixed))}"
        yield FeedError(
            "view_not_updatable",
            f"{fact.table} is a view that takes {what}",
            expected=f"{' and '.join(_WANTED[fact.mode.kind])} on every column that the feed fills, as mode "
            f"{fact.mode.kind} needs them",
            remedy="Name the table below it, or give the view INSTEAD OF triggers",
        )


def _rule_defects(connection: Connection, found: Relation, fact: Fact) -> Iterator[FeedError]:
    kinds = connection.scalars(
        select(_rules.c.ev_type).where(
            _rules.c.ev_class == found.oid, _rules.c.ev_type.in_(_RULES), _rules.c.ev_enabled != "D"
        )
    ).all()
    named = sorted({_RULES[kind] for kind in kinds if fact.mode.kind == "upsert" or _RULES[kind] == "INSERT"})
    if named:
        yield FeedError(
            "fact_rules",
            f"{fact.table} has a rule ON {' and ON '.join(named)}, and PostgreSQL allows mode {fact.mode.kind} "
            + ("no such rule" if fact.mode.kind == "upsert" else "none without a load column"),
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


def acts_after_an_insert(connection: Connection, found: Relation) -> bool:
    """Whether the table, or a partition of it, has a trigger that acts once a row is inserted, at once or deferred."""
    tree = func.pg_partition_tree(found.oid).table_valued("relid", "parentrelid", "isleaf", "level")
    kind = _triggers.c.tgtype
    number = connection.scalar(
        select(func.count())
        .select_from(_triggers)
        .where(
            (_triggers.c.tgrelid == found.oid) | _triggers.c.tgrelid.in_(select(tree.c.relid)),
            ~_triggers.c.tgisinternal,
            _triggers.c.tgenabled != "D",
            kind.op("&")(_ON_INSERT) != 0,
            kind.op("&")(_BEFORE | _INSTEAD) == 0,
        )
    )
    return bool(number)
