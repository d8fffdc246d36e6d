"""A second reader of .xlsx, written apart from the first: a whole tree in memory, one cell at a time.

Tests compare the two. It knows no windows, no vectors and no limits, and shares no code with ``factload``.
"""

from __future__ import annotations

import math
import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format

Tree = ElementTree.Element


@dataclass(frozen=True)
class Value:
    """One cell: ``kind`` is text, number, boolean, date, error, rich, formula (without a value), stale or ambiguous."""

    kind: str
    text: str
    format: str = ""  # of a number: how it is shown, as a date, a time or elapsed time


Sheet = dict[int, dict[int, Value]]  # row → column (A = 1) → value; rows that carry a value only


def tag(element: Tree) -> str:
    return element.tag.rpartition("}")[2]


def attribute(element: Tree, name: str) -> str | None:
    return next((v for k, v in element.attrib.items() if k.rpartition("}")[2] == name), None)


def children(element: Tree, name: str) -> Iterator[Tree]:
    return (child for child in element if isinstance(child.tag, str) and tag(child) == name)


class Workbook:
    def __init__(self, path: Path) -> None:
        archive = zipfile.ZipFile(path)
        self.parts = {name.replace("\\", "/").lower(): archive.read(name) for name in archive.namelist()}
        main = next(t for kind, t in self.relations("").values() if kind == "officeDocument")
        relations = self.relations(main)
        workbook = self.tree(main)
        self.date1904 = any(
            attribute(e, "date1904") in ("1", "true") for e in workbook.iter() if tag(e) == "workbookPr"
        )
        self.sheets = [
            (attribute(e, "name") or "", relations[attribute(e, "id") or ""])
            for e in workbook.iter()
            if tag(e) == "sheet" and relations[attribute(e, "id") or ""][0] == "worksheet"
        ]
        self.stale = any(
            attribute(e, "fullCalcOnLoad") in ("1", "true") for e in workbook.iter() if tag(e) == "calcPr"
        )
        styles = next((t for kind, t in relations.values() if kind == "styles"), None)
        self.formats = date_styles(self.tree(styles)) if styles and styles.lower() in self.parts else {}
        self.strict = "purl.oclc.org/ooxml" in workbook.tag
        strings = next((t for kind, t in relations.values() if kind == "sharedStrings"), None)
        has_strings = strings is not None and strings.lower() in self.parts
        self.strings = (
            [rich(item) for item in children(self.tree(strings or ""), "si")] if has_strings else []
        )

    def tree(self, part: str) -> Tree:
        root = ElementTree.fromstring(self.parts[part.lower()])  # noqa: S314  # our own files
        spread_space(root, "default")
        return root

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        folder, name = posixpath.split(part)
        found = {}
        for relation in self.tree(posixpath.join(folder, "_rels", name + ".rels")):
            target = posixpath.normpath(
                posixpath.join("/" + folder, relation.attrib["Target"].replace("\\", "/"))
            )
            found[relation.attrib["Id"]] = (relation.attrib["Type"].rpartition("/")[2], target.lstrip("/"))
        return found

    def merges(self, position: int = 0) -> list[tuple[int, int, int, int]]:
        """The merged ranges: first row and column, last row and column."""
        tree = self.tree(self.sheets[position][1][1])
        corners = [(e.get("ref") or "").split(":") for e in tree.iter() if tag(e) == "mergeCell"]
        return [(*place(both[0]), *place(both[-1])) for both in corners]

    def sheet(self, position: int = 0) -> Sheet:
        tree = self.tree(self.sheets[position][1][1])
        data = next(children(tree, "sheetData"))
        calculated = next(children(tree, "sheetCalcPr"), None)
        stale = self.stale or (
            calculated is not None and attribute(calculated, "fullCalcOnLoad") in ("1", "true")
        )
        rows: Sheet = {}
        number = 0
        for row in children(data, "row"):
            number = int(row.get("r") or number + 1)
            cells, valued, column = {}, False, 0
            for cell in children(row, "c"):
                reference = cell.get("r")
                column = letters_to_index(reference) if reference else column + 1
                value = self.cell(cell, stale)
                if value is not None:
                    valued = True
                    if value.text or value.kind in ("formula", "stale"):
                        cells[column] = value
            if valued:
                rows[number] = cells
        return rows

    def cell(self, cell: Tree, stale: bool) -> Value | None:
        value = self.saved(cell)
        if next(children(cell, "f"), None) is None or not stale:
            return value
        if value is None:  # an empty text
            return Value("stale", "")
        return value if value.kind in ("formula", "error") else Value("stale", value.text)

    def saved(self, cell: Tree) -> Value | None:
        v = next(children(cell, "v"), None)
        formula = next(children(cell, "f"), None)
        inline = next(children(cell, "is"), None)
        kind = cell.get("t", "n")
        written = (v.text or "") if v is not None else ""
        inner = rich(inline) if inline is not None else ""
        if not written and not (inline is not None and has_text(inline)):
            lacks_value = formula is not None and (v is None or kind != "str")
            return Value("formula", "=" + (formula.text or "")) if lacks_value else None  # type: ignore[union-attr]
        format_ = self.formats.get(int(cell.get("s", "0")), "")
        if kind == "inlineStr":
            return Value("text", inner or shown(v))
        if inner:
            return Value("ambiguous", inner)
        if kind in ("s", "str"):
            return Value("text", self.strings[int(written)] if kind == "s" else shown(v))
        names = {"n": "number", "b": "boolean", "e": "error", "d": "date"}
        name = "rich" if kind == "e" and cell.get("vm") else names[kind]
        return Value(name, written.strip(), format_ if kind == "n" else "")


def spread_space(element: Tree, inherited: str) -> None:
    """Write ``xml:space`` into every element that inherits it."""
    name = "{http://www.w3.org/XML/1998/namespace}space"
    element.set(name, element.get(name, inherited))
    for child in element:
        spread_space(child, element.get(name, inherited))


def date_styles(styles: Tree) -> dict[int, str]:
    """Style → date, time or elapsed, of those that show a number so; by openpyxl's reading of the formats."""
    own = {int(e.attrib["numFmtId"]): e.attrib["formatCode"] for e in styles.iter() if tag(e) == "numFmt"}
    table = [xf for e in styles if tag(e) == "cellXfs" for xf in e]
    ids = [int(xf.get("numFmtId", "0")) for xf in table]
    found = {i: shown_by(own.get(id_) or BUILTIN_FORMATS.get(id_, ""), id_) for i, id_ in enumerate(ids)}
    return {i: kind for i, kind in found.items() if kind}


def shown_by(code: str, id_: int) -> str:
    # Excel's editions for Asia and Thailand have more built-in formats; openpyxl doesn't list them.
    if not code and (id_ in (*range(27, 37), *range(50, 59), *range(71, 82))):
        return "elapsed" if id_ == 79 else "time" if id_ in (32, 33, 75, 76, 78, 80) else "date"
    if not is_date_format(code):
        return ""
    if is_timedelta_format(code):
        return "elapsed"
    bare = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]', "", code.split(";", maxsplit=1)[0]).lower()
    return "time" if not set("dy") & set(bare) and "mmm" not in bare and set("hs") & set(bare) else "date"


def rich(item: Tree) -> str:
    """An item's own text and its runs', without the phonetic ones."""
    whole = [shown(t) for t in children(item, "t")]
    return "".join(whole + [shown(t) for run in children(item, "r") for t in children(run, "t")])


def has_text(item: Tree) -> bool:
    runs = [item, *children(item, "r")]
    return any(t.text for run in runs for t in children(run, "t"))


def shown(element: Tree | None) -> str:
    if element is None:
        return ""
    text = element.text or ""
    if attribute(element, "space") != "preserve":
        text = text.strip(" \t\r\n")
    units = re.sub("_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), text)
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def place(reference: str) -> tuple[int, int]:
    """Row and column of a cell."""
    return int("".join(filter(str.isdecimal, reference))), letters_to_index(reference)


def letters_to_index(reference: str) -> int:
    index = 0
    for letter in reference.upper():
        if letter.isalpha():
            index = 26 * index + ord(letter) - 64
    return index


def quantized(digits: str | Decimal, scale: int) -> Decimal:
    with localcontext() as context:
        context.prec = 1000
        return Decimal(digits).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_EVEN)


def without_exponent(number: Decimal) -> str:
    if number == 0:
        return "0"
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def as_excel_shows(digits: str) -> Decimal:
    """15 digits of a fraction that is written as a double is."""
    number, double = Decimal(digits), float(digits)
    count = len("".join(map(str, number.as_tuple().digits)).strip("0"))
    if number == number.to_integral_value() or not 15 < count <= 17:
        return number
    unit = Fraction(10) ** (number.adjusted() - 16)
    own = abs(Fraction(number) - Fraction(double)) <= unit * Fraction(3, 2) or number == Decimal(str(double))
    return Context(prec=15).create_decimal_from_float(double) if own else number


def loses_digits(digits: str) -> bool:
    """Whether what Excel shows is further away than a calculation in doubles errs."""
    double = float(digits)
    return abs(Fraction(float(as_excel_shows(digits))) - Fraction(double)) > 4 * Fraction(math.ulp(double))


def for_column(digits: str, scale: int) -> Decimal:
    """The number that is rounded to an exact column's scale."""
    number, shown_number = Decimal(digits), as_excel_shows(digits)
    if loses_digits(digits):
        return number
    by_excel = Context(prec=17).create_decimal_from_float(float(digits)) == number
    half = Fraction(shown_number) * 10**scale * 2
    is_half = half.denominator == 1 and half.numerator % 2 == 1
    return shown_number if by_excel or is_half else number


def may_be_cut(number: Decimal) -> bool:
    """Whether Excel, or a double, may have left a whole number of others."""
    if number != number.to_integral_value() or abs(number) < 10**15:
        return False
    digits = len(str(abs(int(number))).rstrip("0"))
    return digits <= 15 or (digits <= 17 and abs(number) > 2**53)


def day(serial: int, date1904: bool) -> date | None:
    if date1904:
        return date(1904, 1, 1) + timedelta(days=serial)
    if serial == 60 or serial < 1:
        return None
    return date(1899, 12, 31) + timedelta(days=serial - (serial > 60))


def moment(digits: str, date1904: bool) -> datetime | None:
    serial = Decimal(digits)
    millis = int(((serial % 1) * 86_400_000).to_integral_value(ROUND_HALF_EVEN))
    base = day(int(serial), date1904)
    return (
        None if base is None else datetime(base.year, base.month, base.day) + timedelta(milliseconds=millis)
    )


def iso_moment(text: str, strict: bool) -> datetime | None:
    """A date, with a time or without; in a Strict workbook as Excel shows it."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)(?:T(\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?)?", text)
    if match is None:
        return None
    found = datetime.fromisoformat(match[1]) + seconds(match[2] or "0", match[3] or "0", match[4] or "0")
    if not strict or found >= datetime(1900, 3, 1) or found < datetime(1899, 12, 30):
        return found
    day_number = (found - datetime(1899, 12, 30)).days
    return None if day_number in (0, 60) else found + timedelta(days=1)


def iso_time(text: str) -> timedelta | None:
    if match := re.fullmatch(r"(\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?", text):
        return seconds(match[1], match[2], match[3] or "0")
    if match := re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?", text):
        return seconds(*(group or "0" for group in match.groups()))
    return None


def seconds(hours: str, minutes: str, second: str) -> timedelta:
    """Of more than six digits of a second only milliseconds count."""
    places = 3 if len(second.partition(".")[2]) > 6 else 6
    micros = int(quantized(second, places) * 1_000_000)
    return timedelta(hours=int(hours), minutes=int(minutes), microseconds=micros)


def clock(time: timedelta) -> str:
    whole, micros = divmod(round(time / timedelta(microseconds=1)), 1_000_000)
    text = f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{text}.{micros:06}".removesuffix(".000000").removesuffix("000") if micros else text
