"""Mutated workbooks for a while: every one is read or refused with a name, in time and in memory.

Not collected by pytest. Run ``python tests/fuzz.py [SECONDS] [SEED]``; a finding is kept beside its traceback in
the folder that is printed.
"""

from __future__ import annotations

import gzip
import os
import random
import resource
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from pathlib import Path

import xlwt

from factload.errors import FactloadError
from factload.feed.left_out import SkippedRows, end_of_data
from factload.feed.unpivot import Unpivot
from factload.sheet.choices import AreaChoice, CellChoices, Merged, RowChoices
from factload.sheet.field import SheetField
from factload.sheet.names import as_seen
from factload.sheet.source import inspect
from tests import expected, sheetxml

SLOW_SECONDS, MAX_MB = 5.0, 600.0  # seconds of processor time: how busy the machine is doesn't count
FIELDS = [
    expected.field("k", "text", key=True),
    expected.field("m", "numeric(18,4)", required=True),
    expected.field("w", "timestamp"),
]
MERGED: list[Merged] = ["reject", "blank", "repeat"]
_CORPUS = Path(
    os.environ.get("FACTLOAD_TEST_CORPUS", Path(__file__).resolve().parents[2] / "shared" / "corpus")
)
_TOKENS = [
    b"<row>", b"</row>", b'<row r="1">', b'<row r="1048576">', b'<row r="99999999"/>', b"<c>", b"</c>", b'<c r="XFD2">',
    b"<v>", b"</v>", b"<v/>", b"<t>", b"</t>", b"<f>", b"<is>", b"</is>", b"<!-- ", b" -->", b"<![CDATA[", b"]]>",
    b"&amp;", b"&#0;", b"&#xD800;", b"&x;", b'"', b"'", b"\0", b"\xff", b"\xfe\xff", b"1e999", b"-", b"NaN", b't="s"',
    b't="e"', b't="d"', b's="9999999"', b"</sheetData>", b"<sheetData>", b"<sheetData/>", b"<!DOCTYPE a>", b"<?x ?>",
    b"9" * 400, b"_xD83D_", b"\xc3", b"\r", b" ", b"xmlns=''",
    b'<!-- <row r="1"> -->', b"<!-- </row> -->", b"<!-- <sheetData/> -->", b"<!-- </sheetData> -->", b"<?a </sheetData>?>",
    b'<mergeCell ref="A1:C1"/>', b'<numFmt numFmtId="165" formatCode="[h"/>', b't="s"><v>0</v></c>', b"<rPh>", b"</rPh>",
]  # fmt: skip
# Repeated very often, each would show work that grows with the square.
_REPEATED = [
    b"[", b"[h", b'"', b"A", b"1", b" ", b"<a>", b"<a/>", b"a<x/>", b"<v>1</v>", b"<f/>", b"</row>", b",", b"\r", b'"a",',
    b'<mergeCell ref="A1:C1"/>', b'<sheet name="a"/>', b"<si><t/></si>",
]  # fmt: skip
_METHODS = [zipfile.ZIP_DEFLATED] * 17 + [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


def seeds(folder: Path) -> list[Path]:
    """Workbooks to start from: a plain one, one with shared strings, and the corpus where there is one."""
    rows = sheetxml.text_row(1, ["k", "m", "w"])
    for number in range(2, 60):
        rows += (
            f'<row r="{number}" spans="1:3"><c r="A{number}" t="inlineStr"><is><t>key {number}</t></is></c>'
            f'<c r="B{number}"><v>{number}.25</v></c><c r="C{number}" s="1"><v>{45000 + number}</v></c></row>'
        )
    table = (
        f'<table xmlns="{sheetxml.TRANSITIONAL}" id="1" name="Orders" displayName="Orders" ref="A1:C59" '
        'totalsRowCount="1"><tableColumns count="3">'
        + "".join(f'<tableColumn id="{i}" name="{name}"/>' for i, name in enumerate("kmw", 1))
        + "</tableColumns></table>"
    )
    shared = rows.replace('t="inlineStr"><is><t>key 2</t></is>', 't="s"><v>0</v>')
    strings = sheetxml.shared(["<t>alpha</t>", "<r><t>be</t></r><r><t>ta</t></r>"])
    plain = sheetxml.write(folder / "plain.xlsx", sheetxml.sheet(rows))
    whole = sheetxml.sheet(rows, tail=sheetxml.TABLE_PART)
    return [
        plain,
        sheetxml.write(folder / "table.xlsx", whole, tables={"Facts": table}),
        sheetxml.write(folder / "shared.xlsx", sheetxml.sheet(shared), strings=strings),
        *_others(folder),
        *_CORPUS.rglob("*.xlsx"),
    ]


def _others(folder: Path) -> list[Path]:
    """A csv file, plain and in gzip, an .xls and an .ods workbook."""
    lines = "".join(f'"key {i}",{i}.25,2026-11-{i % 28 + 1:02d}\r\n' for i in range(1, 60)).encode()
    plain, packed = folder / "seed.csv", folder / "seed.csv.gz"
    plain.write_bytes(b"k,m,w\r\n" + lines)
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    sheet = (workbook := xlwt.Workbook()).add_sheet("Facts")
    for i, name in enumerate("kmw"):
        sheet.write(0, i, name)
        sheet.write(1, i, i)
        sheet.row(2).set_cell_error(i, "#REF!")
    workbook.save(str(folder / "seed.xls"))
    return [plain, packed, folder / "seed.xls", _ods(folder / "seed.ods")]


def _ods(path: Path) -> Path:
    names = "".join(f'<t:table-cell o:value-type="string"><x:p>{name}</x:p></t:table-cell>' for name in "kmw")
    number = '<t:table-cell t:number-columns-repeated="2" o:value-type="float" o:value="1.5"/>'
    gap = '<t:table-row t:number-rows-repeated="3"><t:table-cell/></t:table-row>'
    rows = f"<t:table-row>{names}</t:table-row>{gap}<t:table-row>{number}</t:table-row>"
    tags = f"<o:body><o:spreadsheet><t:table t:name='Facts'>{rows}</t:table></o:spreadsheet></o:body>"
    spaces = {"o": "office", "t": "table", "x": "text"}
    declared = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in spaces.values()
    )
    for short, name in spaces.items():  # calamine knows the usual prefixes alone
        for before in ("<", "</", " "):
            tags = tags.replace(f"{before}{short}:", f"{before}{name}:")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr(
            "content.xml", f"<office:document-content {declared}>{tags}</office:document-content>"
        )
    return path


def mutated(data: bytes, chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        at = chance.randrange(len(out) + 1)
        way = chance.randrange(6)
        if way == 0 and at < len(out):
            out[at] = chance.randrange(256)
        elif way == 1:
            out[at:at] = chance.choice(_TOKENS)
        elif way == 2:
            del out[at : at + chance.randrange(1, 60)]
        elif way == 3:
            out[at:at] = out[at : at + chance.randrange(1, 200)]
        elif way == 4:
            out[at:at] = chance.choice(_REPEATED) * chance.choice([10, 100, 1_000, 30_000])
        else:
            out[at : at + len(chance.choice(_TOKENS))] = chance.choice(_TOKENS)
    return bytes(out)


def mutant(seed: Path, folder: Path, chance: random.Random) -> Path:
    """A copy with its bytes mutated, or one of its parts."""
    path = folder / f"mutant{''.join(seed.suffixes[-2:])}"
    if not zipfile.is_zipfile(seed) or chance.random() < 0.25:
        path.write_bytes(mutated(seed.read_bytes(), chance))
        return path
    with zipfile.ZipFile(seed) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        names = source.namelist()
        telling = [
            name
            for name in names
            if any(word in name.lower() for word in ("sheet", "table"))
            or name.lower().endswith(("strings.xml", "content.xml", "workbook.xml"))
        ]
        chosen = chance.choice(telling if telling and chance.random() < 0.8 else names)
        for name in dict.fromkeys(names):
            try:
                part = source.read(name)
            except (zipfile.BadZipFile, NotImplementedError, OSError):
                part = b""
            if name == chosen:
                target.writestr(name, mutated(part, chance), chance.choice(_METHODS))
            else:
                target.writestr(name, part)
    return path


def attempt(path: Path, chance: random.Random) -> str:
    """How reading it ended, whole or in part: the error's code, or "read"."""
    try:
        for sheet in inspect(path)[:3]:
            names = list(sheet.header.names.values())[:6] if sheet.header else []
            fields = [expected.field(name, "text") for name in dict.fromkeys(names)]
            fields = FIELDS if {"k", "m", "w"} <= set(names) else fields or FIELDS
            cells, fields = in_part(fields, sheet.name, chance)
            expected.split(path, fields, sheet=sheet.name if cells.area is None else 0, cells=cells)
    except FactloadError as error:
        return error.code
    return "read"


def in_part(
    fields: list[SheetField], sheet: str, chance: random.Random
) -> tuple[CellChoices, list[SheetField]]:
    """What a feed may ask for: a part of the sheet, without some rows, with all columns but the first as rows."""
    area = chance.choice(
        [
            None,
            None,
            None,
            AreaChoice(table="Orders"),
            AreaChoice(range="Orders"),
            AreaChoice(range=f"{sheet}!A1:C40"),
        ]
    )
    ends = chance.choice([None, None, "blank_row", "totals_row", {"first": "key 30"}])
    skips = chance.choice([(), (SkippedRows(column=fields[0].column, pattern="key 1.*").skip,)])
    unpivot, read = None, fields
    if len(fields) > 1 and chance.random() < 0.4:
        columns = list({as_seen(one.column).casefold(): one.column for one in fields[1:]}.values())
        asked = {
            "columns": columns,
            "name": "a month",
            "value": "an amount",
            "blanks": chance.choice(["skip", "keep"]),
        }
        unpivot = Unpivot.model_validate(asked).choice
        read = [fields[0], expected.field("a month", "text"), expected.field("an amount", "numeric(18,4)")]
    rows = RowChoices(end_of_data(ends), skips)  # type: ignore[arg-type]
    return CellChoices(chance.choice(MERGED), area=area, rows=rows, unpivot=unpivot), read


def processor_seconds() -> float:
    """Of this process and of all its children that have ended."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def keep(path: Path, name: str, said: str) -> None:
    """Set a finding aside, with what is to be said of it."""
    path.with_name(f"{name}.txt").write_text(said)
    path.rename(path.with_name(f"{name}{''.join(path.suffixes)}"))


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600.0
    chance = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns())  # noqa: S311
    ends: Counter[str] = Counter()
    folder = Path(tempfile.mkdtemp(prefix="factload-fuzz-"))
    files, until, slowest = seeds(folder), time.monotonic() + seconds, 0.0
    while time.monotonic() < until:
        path = mutant(chance.choice(files), folder, chance)
        begun = processor_seconds()
        name = f"finding-{sum(ends.values())}"
        try:
            ends[attempt(path, chance)] += 1
        except Exception:  # what we are here for
            ends["FINDING"] += 1
            keep(path, name, traceback.format_exc())
            continue
        took = processor_seconds() - begun
        slowest = max(slowest, took)
        if took > SLOW_SECONDS:
            ends["FINDING"] += 1
            keep(path, name, f"{took:.1f} s of processor time\n")
    peak = (
        max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        / 1024
    )
    for code, count in ends.most_common():
        print(f"{count:8} {code}")
    print(
        f"slowest {slowest:.1f} s of processor time, peak {peak:.0f} MB, findings in {folder}"
        if ends
        else "nothing tried"
    )
    return int(ends["FINDING"] > 0 or peak > MAX_MB)


if __name__ == "__main__":
    sys.exit(main())
