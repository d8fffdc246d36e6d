"""All workbooks and sheets of a load into partition files; a workbook that changes meanwhile is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import PurePath

from factload.errors import FactloadError, WorkbookError
from factload.load import SourceFile, Split
from factload.sheet.choices import USUAL, CellChoices
from factload.sheet.csv.dialect import CsvDialect
from factload.sheet.field import SheetField
from factload.sheet.sheets import SheetChoice
from factload.split.partitions import MAX_PARTITIONS, Origin, TooManyPartitions, after, joined, split_workbook
from factload.split.sources import openable, require_unchanged
from factload.staging.store import Place

_LARGER = 4  # times, whenever there are too many partitions
_LARGEST = 1 << 30  # rows: no sheet has more, so each is one partition


def split_sources(
    sources: Sequence[SourceFile],
    *,
    sheet: SheetChoice,
    fields: Sequence[SheetField],
    place: Place,
    rows_per_partition: int,
    csv: CsvDialect | None = None,
    cells: CellChoices = USUAL,
    progress: Callable[[int], None] | None = None,
) -> Split:
    """Write the rows of all chosen sheets of all workbooks as partition files into ``place``.

    ``sheet``: which sheets are meant; ``fields``: what is read of each row; ``csv``: how csv files are declared;
    ``cells``: how ambiguous cells are read; ``progress(rows)`` is called with the rows done so far.

    At most ``MAX_PARTITIONS`` in all: where ``rows_per_partition`` makes more, they are enlarged, with a warning.
    One workbook is open at a time. Raises what ``split_workbook`` raises, with the workbook's name where there are
    several, and ``workbook_changed`` when one was overwritten since the load was opened.
    """
    size = rows_per_partition
    while True:
        try:
            done = _split_all(sources, sheet, fields, place, size, csv, cells, progress)
        except TooManyPartitions:
            if size > _LARGEST:
                raise _too_many_sheets() from None
            size *= _LARGER
            continue
        if done.defects:
            raise WorkbookError.together(done.defects)
        if size == rows_per_partition:
            return done
        warning = (
            f"partitions hold {size:,} rows instead of {rows_per_partition:,}: "
            f"there would be more than {MAX_PARTITIONS:,} otherwise"
        )
        return replace(done, warnings=(*done.warnings, warning))


def _split_all(
    sources: Sequence[SourceFile],
    sheet: SheetChoice,
    fields: Sequence[SheetField],
    place: Place,
    rows_per_partition: int,
    csv: CsvDialect | None,
    cells: CellChoices,
    progress: Callable[[int], None] | None,
) -> Split:
    done = Split((), ())
    for source, origin in zip(sources, origins(sources), strict=True):
        with unchanged(source), named(origin):
            split = split_workbook(
                openable(source),
                origin,
                sheet=sheet,
                fields=fields,
                place=place,
                rows_per_partition=rows_per_partition,
                most=MAX_PARTITIONS - len(done.partitions),
                csv=csv,
                cells=cells,
                progress=after(done.source, progress),
            )
        defects = tuple(with_name(defect, origin) for defect in split.defects)
        done = joined([done, replace(split, defects=defects)])
    return done


def origins(sources: Sequence[SourceFile]) -> list[Origin]:
    """Where each workbook's rows come from. Labels name the workbook when there are several."""
    names = [PurePath(source.path).name for source in sources]
    distinct = len(set(names)) == len(names)
    labels = names if distinct else [source.path for source in sources]
    return [
        Origin(source.path, source.sha256, label if len(sources) > 1 else "")
        for source, label in zip(sources, labels, strict=True)
    ]


@contextmanager
def unchanged(source: SourceFile) -> Iterator[None]:
    """Raise ``workbook_changed`` if the file changed meanwhile; this takes precedence over any parse error."""
    try:
        yield
    except WorkbookError:
        require_unchanged(source)
        raise
    require_unchanged(source)


@contextmanager
def named(origin: Origin) -> Iterator[None]:
    """Errors of one workbook among several begin with its name."""
    try:
        yield
    except WorkbookError as error:
        if not origin.label:
            raise
        raise WorkbookError.together([with_name(part, origin) for part in error.parts]) from error


def with_name(error: FactloadError, origin: Origin) -> WorkbookError:
    """The same error about ``origin``'s workbook."""
    seen = f"{origin.label}: {error.seen}" if origin.label else error.seen
    return WorkbookError(error.code, seen, expected=error.expected, remedy=error.remedy)


def _too_many_sheets() -> WorkbookError:
    return WorkbookError(
        "sheets_too_many",
        f"the load has more than {MAX_PARTITIONS:,} sheets with rows",
        expected=f"at most {MAX_PARTITIONS:,}: each is a partition at least",
        remedy="Narrow `workbook.path` or `workbook.sheet`",
    )
