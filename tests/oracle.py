"""A second reader of .xlsx, written apart from the first: a whole tree in memory, one cell at a time.

Tests compare the two. It knows no windows, no vectors and no limits, and shares no code with ``factload``.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from pathlib import Path
from xml.etree import ElementTree

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format

Tree = ElementTree.Element


@dataclass(frozen=True)
class Value:
    """One cell: ``kind`` is text, number, boolean, date, error, rich, formula (without a value), stale or ambiguous."""

    kind: str
    text: str
    dated: bool = False  # a number in a date's format


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
        book = self.tree(main)
        self.date1904 = any(
            attribute(e, "date1904") in ("1", "true") for e in book.iter() if tag(e) == "workbookPr"
        )
        self.sheets = [
            (attribute(e, "name") or "", relations[attribute(e, "id") or ""])
            for e in book.iter()
            if tag(e) == "sheet" and relations[attribute(e, "id") or ""][0] == "worksheet"
        ]
        self.stale = any(
            attribute(e, "fullCalcOnLoad") in ("1", "true") for e in book.iter() if tag(e) == "calcPr"
        )
        styles = next((t for kind, t in relations.values() if kind == "styles"), None)
        self.dated = date_styles(self.tree(styles)) if styles and styles.lower() in self.parts else set()
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
        dated = int(cell.get("s", "0")) in self.dated
        if kind == "inlineStr":
            return Value("text", inner or shown(v))
        if inner:
            return Value("ambiguous", inner)
        if kind in ("s", "str"):
            return Value("text", self.strings[int(written)] if kind == "s" else shown(v))
        names = {"n": "number", "b": "boolean", "e": "error", "d": "date"}
        name = "rich" if kind == "e" and cell.get("vm") else names[kind]
        return Value(name, written.strip(), dated and kind == "n")


def spread_space(element: Tree, inherited: str) -> None:
    """Write ``xml:space`` into every element that inherits it."""
    name = "{http://www.w3.org/XML/1998/namespace}space"
    element.set(name, element.get(name, inherited))
    for child in element:
        spread_space(child, element.get(name, inherited))


def date_styles(styles: Tree) -> set[int]:
    """By openpyxl's reading of the formats."""
    own = {int(e.attrib["numFmtId"]): e.attrib["formatCode"] for e in styles.iter() if tag(e) == "numFmt"}
    table = next((e for e in styles if tag(e) == "cellXfs"), [])
    codes = [(int(xf.get("numFmtId", "0"))) for xf in table]
    shown_as = [own.get(code) or BUILTIN_FORMATS.get(code, "") for code in codes]
    # Asian editions of Excel have more built-in dates; openpyxl doesn't list them.
    return {
        i
        for i, code in enumerate(shown_as)
        if is_date_format(code) or codes[i] in (*range(27, 37), *range(50, 59))
    }


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


def quantized(digits: str, scale: int) -> Decimal:
    with localcontext() as context:
        context.prec = 1000
        return Decimal(digits).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_EVEN)


def without_exponent(digits: str) -> str:
    number = Decimal(digits)
    if number == 0:
        return "0"
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


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
