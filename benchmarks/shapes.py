"""Sheets of other shapes for the readers alone: many columns, gaps, shared strings; the same rows as CSV.

Written as XML directly, the way XlsxWriter writes rows in constant memory: forty million cells would take it minutes.
"""

from __future__ import annotations

import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from factload_demo.sample import MEMBERS, SEED, SHEET

_FORMAT = 2  # part of a cached file's name: raise it when the same parameters give other rows
_KINDS = ("numeric", "integer", "date", "text")
_WORDS = ("north", "south east", "Zürich", "W-4711", "retail", "on-line", "n/a")
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


@dataclass(frozen=True)
class Shape:
    """A sheet of a key, a metric and further columns, `filled` of whose cells hold something.

    `shared`: texts stand in the shared strings part, up to 400,000 distinct ones; else in their cells.
    """

    name: str
    columns: int
    filled: float = 1.0
    shared: bool = False

    def header(self) -> list[str]:
        """The names of the columns; a further column's says of which type it is."""
        more = (f"{_KINDS[(i - 3) % len(_KINDS)]}_{i}" for i in range(3, self.columns + 1))
        return ["business_key", "metric", *more]


INLINE = Shape("inline", 2)
SHARED = Shape("shared", 2, shared=True)
WIDE_10 = Shape("wide_10", 10)
WIDE_40 = Shape("wide_40", 40, filled=2 / 3)


def workbook(cache: Path, shape: Shape, rows: int) -> tuple[Path, float]:
    """The workbook of this shape, made unless the cache folder has it; and the sum of its metrics."""
    path = cache / f"{shape.name}-{rows}-{MEMBERS}-{SEED}-v{_FORMAT}.xlsx"
    note = path.with_suffix(".total")
    if not note.exists():
        cache.mkdir(parents=True, exist_ok=True)
        note.write_text(str(_write(path, shape, rows)))
    return path, float(note.read_text())


def as_csv(cache: Path, rows: int) -> tuple[Path, float]:
    """The rows of the shape `INLINE` as CSV."""
    path = cache / f"{INLINE.name}-{rows}-{MEMBERS}-{SEED}-v{_FORMAT}.csv"
    _, total = workbook(cache, INLINE, rows)
    if not path.exists():
        with path.open("w") as file:
            file.write("business_key,metric\n")
            file.writelines(f"{values[0]},{values[1]}\n" for values in _values(INLINE, rows))
    return path, total


def _values(shape: Shape, rows: int) -> Iterator[list[str]]:
    """Each row's values as a cell would hold them, "" for a blank one."""
    rng = random.Random(SEED)  # noqa: S311 - a sample, not a secret
    draw = rng.random
    for _ in range(rows):
        values = [f"P{int(draw() * MEMBERS):07d}", str((int(draw() * 550_000) - 50_000) / 100)]
        for column in range(shape.columns - 2):
            drawn = draw()
            if drawn >= shape.filled:
                values.append("")
                continue
            drawn /= shape.filled
            kind = column % len(_KINDS)
            if kind == 0:
                values.append(str(int(drawn * 550_000) / 100))
            elif kind == 3:
                values.append(_WORDS[int(drawn * len(_WORDS))])
            else:
                values.append(str(int(drawn * 1000) + (45_000 if kind == 2 else 0)))
        yield values


def _write(path: Path, shape: Shape, rows: int) -> float:
    letters = [_letters(i) for i in range(shape.columns)]
    kinds = ["text", "numeric", *(name.partition("_")[0] for name in shape.header()[2:])]
    strings: dict[str, int] = {}

    def text(at: str, value: str) -> str:
        if shape.shared:
            return f'<c r="{at}" t="s"><v>{strings.setdefault(value, len(strings))}</v></c>'
        return f'<c r="{at}" t="inlineStr"><is><t>{value}</t></is></c>'

    def row(number: int, values: list[str], *, header: bool = False) -> str:
        cells = []
        for column, value in enumerate(values):
            at, kind = f"{letters[column]}{number}", kinds[column]
            if value and (header or kind == "text"):
                cells.append(text(at, value))
            elif value:
                style = ' s="1"' if kind == "date" else ""
                cells.append(f'<c r="{at}"{style}><v>{value}</v></c>')
        return f'<row r="{number}" spans="1:{shape.columns}">{"".join(cells)}</row>'

    total = 0.0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        _write_small_parts(archive, shape)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            part.write(
                f'<worksheet xmlns="{_MAIN}"><dimension ref="A1:{letters[-1]}{rows + 1}"/>'
                f"<sheetData>{row(1, shape.header(), header=True)}".encode()
            )
            numbered = enumerate(_values(shape, rows), start=2)
            while some := list(islice(numbered, 5_000)):
                part.write("".join(row(number, values) for number, values in some).encode())
                total += sum(float(values[1]) for _, values in some)
            part.write(b"</sheetData></worksheet>")
        if shape.shared:
            items = "".join(f"<si><t>{value}</t></si>" for value in strings)
            archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{_MAIN}">{items}</sst>')
    return total


def _write_small_parts(archive: zipfile.ZipFile, shape: Shape) -> None:
    parts = [("workbook", "sheet.main"), ("worksheets/sheet1", "worksheet"), ("styles", "styles")]
    kinds = [("worksheets/sheet1", "worksheet"), ("styles", "styles")]
    if shape.shared:
        parts.append(("sharedStrings", "sharedStrings"))
        kinds.append(("sharedStrings", "sharedStrings"))
    overrides = "".join(
        f'<Override PartName="/xl/{name}.xml" ContentType="{_TYPE}.{kind}+xml"/>' for name, kind in parts
    )
    relations = "".join(
        f'<Relationship Id="rId{i}" Type="{_RELATIONS}/{kind}" Target="{name}.xml"/>'
        for i, (name, kind) in enumerate(kinds, start=1)
    )
    archive.writestr(
        "[Content_Types].xml",
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{overrides}</Types>',
    )
    archive.writestr(
        "_rels/.rels",
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    )
    archive.writestr(
        "xl/_rels/workbook.xml.rels",
        f'<Relationships xmlns="{_PACKAGE}/relationships">{relations}</Relationships>',
    )
    archive.writestr(
        "xl/workbook.xml",
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>'
        f'<sheet name="{SHEET}" sheetId="1" r:id="rId1"/></sheets></workbook>',
    )
    archive.writestr(
        "xl/styles.xml",
        f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts>'
        '<fills count="1"><fill><patternFill patternType="none"/></fill></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2">'
        '<xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
    )


def _letters(index: int) -> str:
    """A for 0, Z for 25, AA for 26."""
    first, last = divmod(index, 26)
    return (chr(ord("A") + first - 1) if first else "") + chr(ord("A") + last)
