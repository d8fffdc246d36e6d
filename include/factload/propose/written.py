"""A proposal in writing: the feed file, with comments that say what is known and what is open."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from factload.propose.proposal import Proposal, ProposedColumn, ProposedDimension
from factload.sheet.file_kind import is_named_csv

_COMMENT_AT = 44
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_READ_AS_OTHERS = {"y", "n", "yes", "no", "true", "false", "on", "off", "null"}


def feed_text(proposal: Proposal, schema: str) -> str:
    """The feed file, as YAML. ``schema``: where the JSON Schema lies, seen from the file."""
    return "\n".join([f"# yaml-language-server: $schema={schema}", *_lines(proposal)]) + "\n"


def _lines(p: Proposal) -> Iterator[str]:
    yield "# Proposed from the header and the first rows of a workbook. Read it, correct it, then: factload check"
    yield _with(f"feed: {p.feed}", "the name of the loads, such as " + f"{p.feed}@2026-11-05")
    yield _with('# schedule: "0 2 * * *"', "every night at 02:00 UTC, once Airflow runs it")
    yield "workbook:"
    dated = "{period" in p.path
    yield _with(f"  path: {_quoted(p.path)}", "" if dated else "{period} in it is the date of the load")
    if not is_named_csv(p.path):  # a csv file is a sheet itself
        yield _sheet(p)
    if p.dimensions:
        yield "dimensions:"
    for dimension in p.dimensions:
        yield from _dimension(dimension)
    yield "fact:"
    yield _with("  connection: warehouse", "a URL in FACTLOAD_CONN_WAREHOUSE, or an Airflow connection")
    yield _with(f"  table: {_value(p.table)}", "new: see --ddl" if p.new_table else "")
    yield "  columns:"
    for column in p.columns:
        yield _column(column)
    for open_column in p.open_columns:
        must = "may not be null: say what fills it" if open_column.needed else "stays null"
        kind = open_column.type or "text"
        yield _with(f"    # {open_column.name}: {{column: HEADER, type: {_quoted(str(kind))}}}", must)
    for header in p.unused_headers:
        yield f"    # nothing takes the sheet's column {_value(header)}"
    yield _with("  mode: replace", "the rows of this load are replaced, when it runs again")
    new = "new: see --ddl" if p.new_load_column and not p.new_table else "which load a row came with"
    yield _with(f"  load_column: {_value(p.load_column)}", new)
    yield _with("max_rejects: 0.5%", "more rejected rows than this: nothing is published")


def _sheet(p: Proposal) -> str:
    others = f"there are also {', '.join(p.sheet.others)}" if p.sheet.others else ""
    return _with(f"  sheet: {_value(p.sheet.name)}", others)


def _dimension(dimension: ProposedDimension) -> Iterator[str]:
    yield f"  {_value(dimension.name)}:"
    yield _with(f"    table: {_value(dimension.table)}", "new: see --ddl" if dimension.new else "")
    yield f"    business_key: {_value(dimension.business_key)}"
    yield f"    surrogate_key: {_value(dimension.surrogate_key)}"
    yield _with(f"    column: {_value(dimension.header)}", f"the sheet's column: {dimension.why}")
    yield _with("    normalize: [trim]", "the same on both sides")
    if dimension.new:
        yield _with("    unmatched: create", "a key without a member becomes one; or reject, fail")
    else:
        yield _with("    unmatched: reject", "a row whose key has no member; or create, fail")


def _column(column: ProposedColumn) -> str:
    if column.dimension:
        return f"    {_value(column.name)}: {{dimension: {_value(column.dimension)}}}"
    required = ", required: true" if column.required else ""
    source = f"column: {_value(column.header or '')}, type: {_quoted(str(column.type))}{required}"
    return f"    {_value(column.name)}: {{{source}}}"


def _with(text: str, comment: str) -> str:
    return f"{text:<{_COMMENT_AT}}# {comment}" if comment else text


def _value(text: str) -> str:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _READ_AS_OTHERS
    return text if plain else _quoted(text)


def _quoted(text: str) -> str:
    # YAML's double-quoted scalars are JSON's strings: https://yaml.org/spec/1.2.2/#double-quoted-style
    return json.dumps(text, ensure_ascii=False)
