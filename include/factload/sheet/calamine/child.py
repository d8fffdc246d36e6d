"""The process that reads a workbook with calamine: a crash of calamine must not take down the worker.

``python -m factload.sheet.calamine.child``: one JSON request on standard input, the answer on standard output: JSON
about sheets and first rows, an Arrow stream for rows. It bounds its own memory and time before it opens the file.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any

_BATCH, _BATCH_CHARS = 20_000, 16 << 20  # rows, characters of their texts
_ENDED = 3  # exit status: the answer is an error
# Errors as calamine names them and as a person sees them
_SHOWN = {
    "Div0": "#DIV/0!",
    "NA": "#N/A",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "Ref": "#REF!",
    "Value": "#VALUE!",
    "GettingData": "#GETTING_DATA",
}
_ERROR, _NUMBER, _TEXT, _BOOLEAN, _ISO, _TIME, _ELAPSED = 6, 2, 1, 4, 5, 8, 9  # factload.sheet.block.Kind


class _Refused(Exception):
    """The sheet exceeds the limit of this name."""


def main() -> int:
    request: dict[str, Any] = json.load(sys.stdin)
    import python_calamine

    if request["ask"] in ("first", "empty", "rows", "names"):
        _import_what_cells_need(request)
    _bound_process(request)
    try:
        with python_calamine.CalamineWorkbook.from_filelike(_bytes_of(request["path"])) as book:
            if request["ask"] == "sheets":
                _say([[s.name, _word(s.visible), _word(s.typ)] for s in book.sheets_metadata], request)
                return 0
            if request["ask"] == "names":
                _say_names(request)
                return 0
            sheet = book.get_sheet_by_index(request["sheet"])
        _answer(sheet, request)
    except _Refused as error:
        print(f"limit {error}", end="", file=sys.stderr)
        return _ENDED
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        print(type(error).__name__, end="", file=sys.stderr)
        return _ENDED
    sys.stdout.flush()
    return 0


def _import_what_cells_need(request: dict[str, Any]) -> None:
    """Before the process is bounded, so that what they take is not taken out of the file's share."""
    import fastexcel  # noqa: F401
    import olefile

    import factload.sheet.calamine.xls_errors  # noqa: F401

    # Arrow takes a third of a second: fastexcel needs it to tell errors, and is not asked of .xls.
    if request["ask"] == "rows" or not olefile.isOleFile(request["path"]):
        import pyarrow  # noqa: F401


def _bytes_of(path: str) -> io.BytesIO:
    """The workbook without its name: calamine would believe the name's ending, whatever the bytes are."""
    return io.BytesIO(Path(path).read_bytes())


def _bound_process(request: dict[str, Any]) -> None:
    """Limit the process's memory to the file's budget: calamine allocates whole sheets at once."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = min(request["process_bytes"], pages * resource.getpagesize() + request["file_share"])
    seconds = min(request["process_seconds"], request["file_seconds"])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _answer(sheet: Any, request: dict[str, Any]) -> None:
    if request["ask"] == "merged":
        for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
            _say([top + 1, left + 1, bottom + 1, right + 1], request)
        return
    _bound_sheet(sheet, request)
    errors = _errors(request["path"], request["sheet"], sheet.start or (0, 0))
    rows = _rows(sheet)
    if request["ask"] == "first":
        for number, row in takewhile(lambda numbered: numbered[0] <= request["rows"], rows):
            _say(_first(row, number, errors, request["text_chars"]), request)
    elif request["ask"] == "empty":
        _say(not errors and all(row.count("") == len(row) for _, row in rows), request)
    else:
        _stream(rows, request, errors)


def _say(value: Any, request: dict[str, Any]) -> None:
    """Write one value on a line of its own."""
    line = json.dumps(value, ensure_ascii=False).encode() + b"\n"
    if len(line) > request["text_bytes"]:
        raise _Refused("window_text_bytes")
    sys.stdout.buffer.write(line)


def _say_names(request: dict[str, Any]) -> None:
    """Each defined name, and the formula that it stands for: python-calamine doesn't give them."""
    import fastexcel

    for name in fastexcel.read_excel(Path(request["path"]).read_bytes()).defined_names():
        _say([name.name, name.formula], request)


def _bound_sheet(sheet: Any, request: dict[str, Any]) -> None:
    if sheet.start is None:
        return
    area = (sheet.end[0] + 1) * (sheet.end[1] + 1)
    if area > request["cells"]:
        raise _Refused("cells")
    if area > request["file_cells"]:
        raise _Refused("cells_per_byte")


def _word(choice: Any) -> str:
    return str(choice).rpartition(".")[2]


def _rows(sheet: Any) -> Iterator[tuple[int, list[Any]]]:
    """Each row with its number from 1, its first cell in column A."""
    if sheet.start is None:
        return
    # iter_rows gives the rows above the first cell, not the columns left of it
    left_of_it = [""] * sheet.start[1]
    yield from enumerate((left_of_it + row for row in sheet.iter_rows()), 1)


def _errors(path: str, sheet: int, start: tuple[int, int]) -> dict[tuple[int, int], str]:
    """Cells that show an error, by row and column from 1: python-calamine gives them as empty texts.

    fastexcel, asked of .xlsb, counts from ``start``, the first row and column that hold anything. Of .xls it says
    nothing that can be trusted: it takes the values that a chart saves for cells of the sheet.
    """
    import fastexcel
    import olefile

    from factload.sheet.calamine.xls_errors import error_cells

    if olefile.isOleFile(path):
        return error_cells(path, sheet)
    loaded = fastexcel.read_excel(Path(path).read_bytes()).load_sheet(sheet, header_row=None, dtypes="string")
    _, found = loaded.to_arrow_with_errors()
    return {
        (error.position[0] + start[0] + 1, error.position[1] + start[1] + 1): _shown(error.detail)
        for error in (found.errors if found else ())
        if "Error(" in error.detail
    }


def _shown(detail: str) -> str:
    name = detail.partition("Error(")[2].rstrip("')")
    return _SHOWN.get(name, f"#{name}")


def _cell(value: Any, error: str | None) -> tuple[int, str]:
    """What a cell holds, by its kind (``factload.sheet.block.Kind``) and its text."""
    if error is not None:
        return _ERROR, error
    if value is None or value == "":
        return 0, ""
    if isinstance(value, bool):  # before int, which it is too
        return _BOOLEAN, str(int(value))
    if isinstance(value, int | float):
        whole = isinstance(value, int) or (value.is_integer() and abs(value) < 1e15)
        return _NUMBER, str(int(value)) if whole else repr(value)
    return _other(value)


def _other(value: Any) -> tuple[int, str]:
    if isinstance(value, date):
        return _ISO, value.isoformat()
    if isinstance(value, time):
        return _TIME, repr((datetime.combine(date.min, value) - datetime.min) / timedelta(days=1))
    if isinstance(value, timedelta):
        return _ELAPSED, repr(value / timedelta(days=1))
    return _TEXT, _storable(str(value))


def _storable(text: str) -> str:
    """The text as the readers of other workbooks give it: NUL marked."""
    if "\0" not in text:
        return text
    from factload.sheet.unstorable import marked

    return marked(text)


def _first(row: Sequence[Any], number: int, errors: dict[tuple[int, int], str], most_chars: int) -> list[Any]:
    cells = [(i, *_cell(value, errors.get((number, i)))) for i, value in enumerate(row, 1)]
    _bound_texts([text for _, _, text in cells], most_chars)
    return [number, [cell for cell in cells if cell[1]]]


def _bound_texts(texts: Sequence[str], most_chars: int) -> int:
    """Their total number of characters. Raises _Refused."""
    if max(map(len, texts), default=0) > most_chars:
        raise _Refused("text_chars")
    return sum(map(len, texts))


def _of(row: Sequence[Any], number: int, column: int, errors: dict[tuple[int, int], str]) -> tuple[int, str]:
    """The cell of a row in a column, counted from 1."""
    return _cell(row[column - 1] if column <= len(row) else "", errors.get((number, column)))


def _stream(  # noqa: C901 - one pass over the rows, without a call for each
    rows: Iterator[tuple[int, list[Any]]], request: dict[str, Any], errors: dict[tuple[int, int], str]
) -> None:
    """Batches of the rows that carry a value: number, and a kind and a text for each column that is asked for.

    ``counted`` is how many of them the file's own values say there are, before any is converted.
    """
    import pyarrow as pa

    columns: Sequence[int] = request["columns"]
    after, through = request["after"], request["through"]
    with_errors = {row for row, _ in errors}
    fields = [pa.field("row", pa.int32()), pa.field("counted", pa.int32())]
    for i in range(len(columns)):
        fields += [pa.field(f"kind{i}", pa.uint8()), pa.field(f"text{i}", pa.string())]
    schema = pa.schema(fields)
    with pa.ipc.new_stream(sys.stdout.buffer, schema) as out:
        numbers: list[int] = []
        cells: list[list[Any]] = [[] for _ in range(2 * len(columns))]
        counted = chars = 0

        def flush() -> None:
            nonlocal counted, chars
            data = [pa.array(numbers, pa.int32()), pa.array([counted] * len(numbers), pa.int32())]
            data += [pa.array(c, fields[i + 2].type) for i, c in enumerate(cells)]
            out.write_batch(pa.record_batch(data, schema=schema))
            numbers.clear()
            counted = chars = 0
            for column in cells:
                column.clear()

        for number, row in rows:
            if number <= after:
                continue
            if number > through:
                break
            in_row = number in with_errors
            if not in_row and row.count("") == len(row):
                continue
            counted += 1
            found = [_of(row, number, column, errors if in_row else {}) for column in columns]
            if not any(kind for kind, _ in found) and not any(
                _of(row, number, i, errors)[0] for i in range(1, len(row) + 1)
            ):
                continue
            numbers.append(number)
            for i, (kind, text) in enumerate(found):
                cells[2 * i].append(kind)
                cells[2 * i + 1].append(text)
            chars += _bound_texts([text for _, text in found], request["text_chars"])
            if chars > request["text_bytes"]:
                raise _Refused("window_text_bytes")
            if len(numbers) == _BATCH or chars > _BATCH_CHARS:
                flush()
        if numbers:
            flush()


if __name__ == "__main__":
    sys.exit(main())
