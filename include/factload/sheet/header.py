"""The header of a sheet: which row it is, and where each mapped column is."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from factload.errors import WorkbookError
from factload.sheet.block import Kind
from factload.sheet.dates import GREGORIAN, Calendar
from factload.sheet.names import ColumnName, as_seen, spellings
from factload.sheet.references import column_letters
from factload.sheet.rows import Row
from factload.sheet.seen import number_seen, seen_in
from factload.sheet.unstorable import as_escaped

HEADER_WITHIN = 50  # rows: titles and notes above a header are shorter than this
_INVISIBLE = 100  # characters that a name may hold without anybody seeing them
_MERGED_SHOWN = 5
_NAMES, _NAME_CHARS = 30, 60  # that a message shows
_LIKENED = 200  # names, of a header that may have 16,384
_MISSPELT, _SURELY_MISSPELT = 0.6, 0.8  # likeness, from 0 to 1


@dataclass(frozen=True, slots=True)
class Header:
    """The header row's number (1-based) and its names, trimmed, by column index (A = 1)."""

    row: int
    names: dict[int, str]


def find_header(
    rows: Sequence[Row],
    wanted: Sequence[ColumnName],
    sheet: str,
    merged: Callable[[int], list[str]] = lambda _: [],
    *,
    calendar: Calendar = GREGORIAN,
    place: str = "",
) -> Header:
    """The first row that holds every wanted name. ``merged(row)`` tells an error which cells are merged, ``place``
    which rows these are, if not a sheet's first.

    Raises WorkbookError ``header_missing``, and with it ``header_duplicate``. It shows the best row's names if one of
    the wanted ones is among them: of another row nobody knows whether it holds names, or what only its owner may see.
    """
    found = best_header(rows, wanted, calendar)
    missing = [name for name in wanted if found is None or not columns_named(found, name)]
    if found is not None and not missing:
        return found
    refused = WorkbookError(
        "header_missing",
        f"Sheet {sheet!r} has no column {_quoted(missing)} {place or f'in its first {HEADER_WITHIN} rows'}"
        + _seen_there(rows, found, known=len(missing) < len(wanted)),
        expected=f"one row that holds {_quoted(wanted)}" + (_merged_hint(merged(found.row)) if found else ""),
        remedy=_did_you_mean(missing, found, _MISSPELT if len(missing) < len(wanted) else _SURELY_MISSPELT)
        + "Correct the header, or the column names in the feed file",
    )
    raise WorkbookError.together([refused, *(_duplicates(found, wanted, sheet) if found else ())])


def best_header(
    rows: Sequence[Row], wanted: Sequence[ColumnName], calendar: Calendar = GREGORIAN
) -> Header | None:
    """The first row that holds every wanted name, or else the first that holds most of them; None for no row."""
    folded = [{as_seen(name).casefold() for name in spellings(names)} for names in wanted]

    def held(header: Header) -> int:
        there = {as_seen(name).casefold() for name in header.names.values()}
        return sum(not names.isdisjoint(there) for names in folded)

    best = max((_header(row, calendar) for row in rows), key=held, default=None)
    return best if best is not None and best.names else None


def place_columns(header: Header, wanted: Sequence[ColumnName], sheet: str) -> list[int]:
    """For each wanted name the index of its column (A = 1). Raises WorkbookError ``header_duplicate`` for all."""
    if duplicates := _duplicates(header, wanted, sheet):
        raise WorkbookError.together(duplicates)
    return [columns_named(header, name)[0] for name in wanted]


def _duplicates(header: Header, wanted: Sequence[ColumnName], sheet: str) -> list[WorkbookError]:
    found = {name: columns_named(header, name) for name in wanted}
    return [_duplicate(header, name, columns, sheet) for name, columns in found.items() if len(columns) > 1]


def _duplicate(header: Header, name: ColumnName, columns: Sequence[int], sheet: str) -> WorkbookError:
    places = " and ".join(f"{column_letters(index)}{header.row}" for index in columns[:_NAMES])
    there = [spelling for spelling in spellings(name) if columns_named(header, spelling)]
    if len(there) > 1:
        return WorkbookError(
            "header_duplicate",
            f"Sheet {sheet!r} has {_quoted(there, ' and ')} ({places}), which the feed takes for names of one column",
            expected="one of them",
            remedy="Delete the other column, or take its name out of the list in the feed file",
        )
    return WorkbookError(
        "header_duplicate",
        f"Sheet {sheet!r} has the column {there[0]!r} {len(columns):,} times: {places}",
        expected="every mapped name once",
        remedy="Rename or delete the other",
    )


def columns_named(header: Header, name: ColumnName) -> list[int]:
    """Indices of the columns called ``name``: exactly, or else as a person sees it, or else in another case. Of several
    names those that any of them has."""
    if isinstance(name, str):
        return _columns_named(header, name)
    return sorted({index for spelling in name for index in _columns_named(header, spelling)})


def _columns_named(header: Header, name: str) -> list[int]:
    wanted = name.strip()
    if exact := [index for index, there in header.names.items() if there == wanted]:
        return exact
    # No character has more than three in another case, and none is made of more than four.
    near = {
        i: as_seen(there) for i, there in header.names.items() if len(there) <= 12 * len(wanted) + _INVISIBLE
    }
    seen = as_seen(wanted)
    same = [index for index, there in near.items() if there == seen]
    return same or [index for index, there in near.items() if there.casefold() == seen.casefold()]


def names_of(row: Row, calendar: Calendar) -> dict[int, str]:
    """The texts of a row as a person reads them, by column (A = 1): those of a header."""
    return _header(row, calendar).names


def _header(row: Row, calendar: Calendar) -> Header:
    """The row's texts as a person reads them: a year is ``2024`` however its digits stand in the file."""
    texts = {
        index: as_escaped(_name_in(kind, text, calendar)).strip()
        for index, (kind, text) in sorted(row.cells.items())
        if kind not in (Kind.NO_VALUE, Kind.STALE)
    }
    return Header(row.number, {index: text for index, text in texts.items() if text})


def _name_in(kind: Kind, text: str, calendar: Calendar) -> str:
    return number_seen(text) if kind == Kind.NUMBER else seen_in(kind, text, calendar)


def likely_header(rows: Sequence[Row], calendar: Calendar = GREGORIAN) -> Header | None:
    """The row that most looks like a header: the first with two or more texts."""
    texts = [row for row in rows if sum(kind == Kind.TEXT for kind, _ in row.cells.values()) >= 2]
    first = texts[0] if texts else next((row for row in rows if row.cells), None)
    return None if first is None else _header(first, calendar)


def _merged_hint(ranges: list[str]) -> str:
    return f", each in a cell of its own; merged there: {', '.join(ranges[:_MERGED_SHOWN])}" if ranges else ""


def _seen_there(rows: Sequence[Row], found: Header | None, *, known: bool) -> str:
    if found is None:
        return "; they are empty"
    if not known:
        return "; no row holds any of them"
    kinds = next(row.cells for row in rows if row.number == found.row)
    texts = [name for index, name in found.names.items() if kinds[index][0] == Kind.TEXT]
    others = len(found.names) - len(texts)
    return f"; row {found.row} holds {_quoted(texts)}" + (
        f", and {others:,} cells without text" if others else ""
    )


def _quoted(names: Sequence[ColumnName], between: str = ", ") -> str:
    shown = between.join(" or ".join(map(_shortened, spellings(name))) for name in names[:_NAMES])
    return shown + (f" and {len(names) - _NAMES:,} more" if len(names) > _NAMES else "")


def _shortened(name: str) -> str:
    return repr(name if len(name) <= _NAME_CHARS else name[:_NAME_CHARS] + "…")


def _did_you_mean(missing: Sequence[ColumnName], found: Header | None, likeness: float) -> str:
    if found is None:
        return ""
    there = {
        name.casefold(): name for name in list(found.names.values())[:_LIKENED] if len(name) <= _NAME_CHARS
    }
    asked = [name for names in missing[:_NAMES] for name in spellings(names)]
    close = (difflib.get_close_matches(name.casefold(), there, 1, likeness) for name in asked)
    near = list(dict.fromkeys(there[names[0]] for names in close if names))
    return f"Did you mean {_quoted(near)}? " if near else ""
