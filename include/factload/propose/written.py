"""A proposal as a feed file, with comments that say what is known and what is uncertain."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from factload.propose.column_types import Reading
from factload.propose.left_out import LeftOut
from factload.propose.proposal import Proposal, ProposedColumn, ProposedDimension
from factload.propose.sheet_seen import SeenUnpivot
from factload.propose.tables_seen import TableColumn
from factload.sheet.file_kind import is_named_csv
from factload.sheet.text_format import UNGROUPED, TextFormat

_COMMENT_AT = 44
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_READ_AS_OTHERS = {"y", "n", "yes", "no", "true", "false", "on", "off", "null"}
# What would end a comment, or no YAML file may hold.
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]+")


def feed_text(proposal: Proposal, schema: str | None) -> str:
    """The feed file, as YAML. ``schema``: where the JSON Schema lies, seen from the file; none where there is none."""
    known = [f"# yaml-language-server: $schema={schema}"] if schema else []
    return "\n".join([*known, *_lines(proposal)]) + "\n"


def _lines(p: Proposal) -> Iterator[str]:
    seen = "all rows" if p.sheet.whole else f"the first {p.sheet.rows:,} rows, and tried on all,"
    yield f"# Proposed from the header and {seen} of a workbook. Read it, correct it, then: factload check"
    yield from (f"# {_one_line(note)}" for note in p.notes)
    yield _with(f"feed: {p.feed}", "the name of the loads, such as " + f"{p.feed}@2026-11-05")
    yield _with('# schedule: "0 2 * * *"', "every night at 02:00 UTC, once Airflow runs it")
    yield "workbook:"
    dated = "{period" in p.path.replace("{{", "")
    yield _with(f"  path: {_quoted(p.path)}", "" if dated else "{period} in it is the date of the load")
    if p.sheet.csv is None:  # a csv file is a sheet itself
        yield _sheet(p)
        if p.sheet.merged != "reject":
            yield _with(f"  merged: {p.sheet.merged}", "a label in merged cells stands in each of their rows")
    else:
        yield from _csv(p)
    yield from _left_out(p.sheet.leaves, p.sheet.first_header)
    if p.sheet.unpivot:
        yield _unpivot(p.sheet.unpivot)
    if p.dimensions:
        yield "dimensions:"
    for dimension in p.dimensions:
        yield from _dimension(dimension)
    yield "fact:"
    yield _with("  connection: warehouse", "a URL in FACTLOAD_CONN_WAREHOUSE, or an Airflow connection")
    yield _with(f"  table: {_value(p.table)}", p.why_table)
    yield "  columns:"
    for column in p.columns:
        yield _column(column, p)
    for open_column in p.open_columns:
        yield _open(open_column)
    for header, why in p.unused_headers:
        named = header if why.startswith("it has no name") else f"the sheet's column {_value(header)}"
        yield _one_line(f"    # nothing takes {named}" + (f": {why}" if why else ""))
    if p.partitioned:
        yield _with("  mode: exchange", "the partition of this load is replaced, when it runs again")
    else:
        yield _with("  mode: replace", "the rows of this load are replaced, when it runs again")
    new = "new: see --ddl" if p.new_load_column and not p.new_table else "which load a row came with"
    yield _with(f"  load_column: {_value(p.load_column)}", new)
    yield _with(f"max_rejects: {p.max_rejects}", "more rejected rows than this: nothing is published")
    yield from _witness(p)


def _witness(p: Proposal) -> Iterator[str]:
    """The workbook's own sum of a column, if the column is read as numbers."""
    witness = p.sheet.witness
    if witness and any(c.header == witness.sum and c.reading and c.reading.type.is_number for c in p.columns):
        other = f", column: {_quoted(witness.column)}" if witness.column else ""
        line = f"witness: {{at: {_quoted(witness.at)}, sum: {_quoted(witness.sum)}{other}}}"
        yield _with(line, "the workbook's own sum: a load that comes to another is held")


def _sheet(p: Proposal) -> str:
    others = f"there are also {', '.join(p.sheet.others)}" if p.sheet.others else ""
    if p.sheet.table is not None:
        on = f"on sheet {p.sheet.name}" + (f"; {others}" if others else "")
        return _with(f"  table: {_value(p.sheet.table)}", on)
    return _with(f"  sheet: {_value(p.sheet.name)}", others)


def _left_out(leaves: LeftOut, first: str) -> Iterator[str]:
    if leaves.ends:
        column, text = leaves.ends
        other = "" if column == first else f", {_place(column)}"
        yield _with(
            f"  ends: {{first: {_quoted(text)}{other}}}", "this row and what is below it are left out"
        )
    elif leaves.blank_row:
        yield _with("  ends: blank_row", "what is below a blank row is left out")
    skips = [("equals", *label) for label in leaves.skips] + [
        ("pattern", *label) for label in leaves.patterns
    ]
    if skips:
        listed = ", ".join(f"{{{_place(column)}, {how}: {_quoted(text)}}}" for how, column, text in skips)
        yield _with(f"  skip_rows: [{listed}]", "rows that are left out wherever they stand")


def _place(column: str | int) -> str:
    return f"field: {column}" if isinstance(column, int) else f"column: {_quoted(column)}"


def _unpivot(unpivot: SeenUnpivot) -> str:
    which = (
        f"columns: [{', '.join(map(_quoted, unpivot.columns))}]"
        if unpivot.pattern is None
        else f"pattern: {_quoted(unpivot.pattern)}"
    )
    called = f"name: {_value(unpivot.name)}, value: {_value(unpivot.value)}"
    above = f", above: {_value(unpivot.above)}" if unpivot.above else ""
    return _with(f"  unpivot: {{{which}, {called}{above}}}", "these columns become rows, one for each cell")


def _csv(p: Proposal) -> Iterator[str]:
    """How the file is written, as far as it isn't what every feed takes for granted."""
    assert p.sheet.csv is not None  # noqa: S101  # the caller's branch
    dialect, written = p.sheet.csv.dialect, p.text_format
    parts = [
        ("encoding", dialect.encoding, "utf-8", p.sheet.csv.doubt),
        ("delimiter", dialect.delimiter, ",", ""),
        ("quote", dialect.quote, '"', ""),
        ("decimal", written.decimal, ".", "what separates a number's fraction"),
        ("thousands", written.thousands, "", "what groups a number's digits"),
        ("date_format", written.date, "", "how dates are written"),
    ]
    told = [(name, value, why) for name, value, usual, why in parts if value != usual]
    if not told and not is_named_csv(p.path):
        told = [("delimiter", dialect.delimiter, "")]
    if told:
        yield "  csv:"
    for name, value, why in told:
        yield _with(f"    {name}: {_quoted(value)}", why)


def _dimension(dimension: ProposedDimension) -> Iterator[str]:
    yield f"  {_value(dimension.name)}:"
    yield _with(f"    table: {_value(dimension.table)}", "new: see --ddl" if dimension.new else "")
    yield f"    business_key: {_listed(dimension.business_key)}"
    yield f"    surrogate_key: {_value(dimension.surrogate_key)}"
    yield _with(f"    column: {_listed(dimension.headers)}", f"the sheet's column: {dimension.why}")
    if dimension.type == "date":
        yield _with("    type: date", "the cells are dates, and so is the business key")
        if dimension.date_format:
            yield _with(f"    date_format: {_quoted(dimension.date_format)}", "how texts write them")
    elif dimension.type == "integer":
        yield _with("    type: integer", "2, 02 and 2.0 are the same key")
    else:
        yield _with("    normalize: [trim]", "the same on both sides")
    if dimension.history:
        valid_from, valid_to = map(_value, dimension.history)
        if dimension.inclusive:
            valid_to = f"{{inclusive: {valid_to}}}"
        as_of = f"    as_of: {{valid_from: {valid_from}, valid_to: {valid_to}}}"
        yield _with(as_of, "the member that was valid in the load's period; or date: HEADER")
    if dimension.attributes:
        listed = ", ".join(f"{_value(column)}: {_quoted(header)}" for column, header in dimension.attributes)
        said = "what the sheet says of a member that is made"
        yield _with(f"    unmatched: {{create: {{attributes: {{{listed}}}}}}}", said)
    elif dimension.create:
        yield _with("    unmatched: create", "a key without a member becomes one; or reject, fail")
    else:
        yield _with("    unmatched: reject", "a row whose key has no member; or create, fail")


def _column(column: ProposedColumn, p: Proposal) -> str:
    notes = "; ".join(column.notes)
    if column.dimension:
        return _with(f"    {_value(column.name)}: {{dimension: {_value(column.dimension)}}}", notes)
    reading = column.reading or Reading(p.sheet.columns[0].reading.type)
    parts = [f"column: {_value(column.header or '')}", f"type: {_quoted(str(reading.type))}"]
    if column.required:
        parts.append("required: true")
    if column.not_allowed:
        parts.append(f"not_allowed: [{', '.join(map(_quoted, column.not_allowed))}]")
    if reading.parse_text and reading.type.kind != "text":
        parts.append("parse_text: true")
    in_file = p.text_format if p.sheet.csv else UNGROUPED
    parts += _written(reading, in_file)
    if reading.nulls and reading.type.kind != "text":
        parts.append(f"nulls: [{', '.join(map(_quoted, reading.nulls))}]")
    return _with(f"    {_value(column.name)}: {{{', '.join(parts)}}}", notes)


def _written(reading: Reading, in_file: TextFormat) -> Iterator[str]:
    """How the column's texts are written, where the file's others are written otherwise."""
    own = reading.written
    if reading.type.is_number and own != UNGROUPED:
        if own.decimal != in_file.decimal:
            yield f"decimal: {_quoted(own.decimal)}"
            yield f"thousands: {_quoted(own.thousands)}"
        elif own.thousands not in ("", in_file.thousands):
            yield f"thousands: {_quoted(own.thousands)}"
        if own.minus or own.negative != "leading":
            dashes = f"{{minus: [{', '.join(map(_quoted, own.minus))}]}}"
            yield f"negative: {dashes if own.minus else own.negative}"
        if own.strip:
            yield f"strip: [{', '.join(map(_quoted, own.strip))}]"
        if own.percent:
            yield "percent: true"
    for name, words in (("true", own.true), ("false", own.false)):
        if words:
            yield f"{name}: [{', '.join(map(_quoted, words))}]"
    if reading.type.kind in ("date", "timestamp") and own.date not in ("", in_file.date):
        yield f"date_format: {_quoted(own.date)}"


def _open(column: TableColumn) -> str:
    must = (
        "may not be null: say what fills it"
        if column.needed
        else "takes its default"
        if column.default
        else "stays null"
    )
    kind = column.type or "text"
    return _with(f"    # {_one_line(column.name)}: {{column: HEADER, type: {_quoted(str(kind))}}}", must)


def _with(text: str, comment: str) -> str:
    return f"{text:<{_COMMENT_AT - 1}} # {_one_line(comment)}" if comment else text


def _one_line(text: str) -> str:
    return _BREAKS.sub(" ", text)


def _listed(names: Sequence[str]) -> str:
    return _value(names[0]) if len(names) == 1 else f"[{', '.join(map(_value, names))}]"


def _value(text: str) -> str:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _READ_AS_OTHERS
    return text if plain else _quoted(text)


def _quoted(text: str) -> str:
    # YAML's double-quoted scalars are JSON's strings: https://yaml.org/spec/1.2.2/#double-quoted-style
    return json.dumps(text, ensure_ascii=any(not c.isprintable() for c in text))
