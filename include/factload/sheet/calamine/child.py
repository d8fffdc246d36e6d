"""The process that reads an .xls, .xlsb or .ods workbook: a crash of calamine must not take down the worker.

``python -m factload.sheet.calamine.child``: one JSON request on standard input, the answer on standard output: JSON
about sheets and first rows, an Arrow stream for rows. It bounds its own memory and time before it opens the file.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

from factload.errors import WorkbookError
from factload.sheet.calamine.cell_values import Held, held_in
from factload.sheet.calamine.refused import PasswordError, Refused
from factload.sheet.inflate import BROKEN

_BATCH, _BATCH_CHARS = 20_000, 16 << 20  # rows, characters of their texts
_ENDED = 3  # exit status: the answer is an error
Row = tuple[int, list[Any]]


def main() -> int:
    request: dict[str, Any] = json.load(sys.stdin)
    import python_calamine

    opened = _opener(request)
    _bound_process(request)
    try:
        _answer(opened(), request)
    except Refused as error:
        print(f"limit {error}", end="", file=sys.stderr)
        return _ENDED
    except (
        python_calamine.CalamineError,
        PasswordError,
        WorkbookError,
        *BROKEN,
        OSError,
        ValueError,
    ) as error:
        print(type(error).__name__, end="", file=sys.stderr)
        return _ENDED
    sys.stdout.flush()
    return 0


def _opener(request: dict[str, Any]) -> Callable[[], Any]:
    """What opens the workbook, as an ``OdsTables`` or a ``CalamineBook``.

    All that reading it needs is imported before the process is bounded, and isn't taken out of the file's share.
    """
    path, ask = request["path"], request["ask"]
    for_errors = ask in ("first", "empty", "rows") and path.endswith(".xlsb")
    if ask == "rows" or for_errors:
        import pyarrow  # noqa: F401 - a third of a second: not for every question
    if path.endswith(".ods"):
        from factload.sheet.calamine.ods_tables import OdsTables

        return partial(OdsTables, path, request["text_chars"])
    from factload.sheet.calamine.calamine_book import CalamineBook

    if for_errors or ask == "names":
        import fastexcel  # noqa: F401
    return partial(CalamineBook, path, stale=request["stale"])


def _bound_process(request: dict[str, Any]) -> None:
    """Limit the process's memory to the file's budget: calamine allocates whole sheets at once."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = min(request["process_bytes"], pages * resource.getpagesize() + request["file_share"])
    seconds = min(request["process_seconds"], request["file_seconds"])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _answer(book: Any, request: dict[str, Any]) -> None:
    ask = request["ask"]
    if ask == "sheets":
        _say(list(book.sheets()), request)
    elif ask in ("names", "tables"):
        for value in book.names() if ask == "names" else book.tables():
            _say(value, request)
    elif ask == "merged":
        for value in book.merged(request["sheet"]):
            _say(value, request)
    else:
        rows = book.rows(request["sheet"], request["cells"], request["file_cells"])
        _answer_of_rows(rows, request)


def _answer_of_rows(rows: Iterable[Row], request: dict[str, Any]) -> None:
    if request["ask"] == "first":
        for number, row in takewhile(lambda numbered: numbered[0] <= request["rows"], rows):
            _say(_first(row, number, request["text_chars"]), request)
    elif request["ask"] == "empty":
        _say(all(row.count("") == len(row) for _, row in rows), request)
    else:
        _stream(rows, request)


def _say(value: Any, request: dict[str, Any]) -> None:
    """Write one value on a line of its own."""
    line = json.dumps(value, ensure_ascii=False).encode() + b"\n"
    if len(line) > request["text_bytes"]:
        raise Refused("window_text_bytes")
    sys.stdout.buffer.write(line)


def _first(row: Sequence[Any], number: int, most_chars: int) -> list[Any]:
    cells = [(i, *held_in(value)) for i, value in enumerate(row, 1)]
    _bound_texts([text for _, _, text in cells], most_chars)
    return [number, [cell for cell in cells if cell[1]]]


def _bound_texts(texts: Sequence[str], most_chars: int) -> int:
    """Their total number of characters. Raises Refused."""
    if max(map(len, texts), default=0) > most_chars:
        raise Refused("text_chars")
    return sum(map(len, texts))


def _of(row: Sequence[Any], column: int) -> Held:
    """The cell of a row in a column, counted from 1."""
    return held_in(row[column - 1] if column <= len(row) else "")


def _stream(  # noqa: C901 - one pass over the rows, without a call for each
    rows: Iterable[Row], request: dict[str, Any]
) -> None:
    """Batches of the rows that carry a value: number, and a kind and a text for each column that is asked for.

    ``counted`` is how many of them the file's own values say there are, before any is converted.
    """
    import pyarrow as pa

    columns: Sequence[int] = request["columns"]
    after, through = request["after"], request["through"]
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
            if row.count("") == len(row):
                continue
            counted += 1
            found = [_of(row, column) for column in columns]
            if not any(kind for kind, _ in found) and not any(held_in(value)[0] for value in row):
                continue
            numbers.append(number)
            for i, (kind, text) in enumerate(found):
                cells[2 * i].append(kind)
                cells[2 * i + 1].append(text)
            chars += _bound_texts([text for _, text in found], request["text_chars"])
            if chars > request["text_bytes"]:
                raise Refused("window_text_bytes")
            if len(numbers) == _BATCH or chars > _BATCH_CHARS:
                flush()
        if numbers:
            flush()


if __name__ == "__main__":
    sys.exit(main())
