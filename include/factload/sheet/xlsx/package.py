"""A workbook's container: its parts, and the limits on them.

An .xlsx file is a zip of XML parts tied together by relationships (ECMA-376, part 2). Everything that a
hostile file could make big is bounded before it is allocated, and any DOCTYPE is refused, so no entity is
ever expanded.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from factload.errors import WorkbookError
from factload.sheet.block import Kind
from factload.sheet.dates import Calendar
from factload.sheet.file_errors import damaged, hostile
from factload.sheet.file_kind import refuse_a_broken_zip
from factload.sheet.inflate import BROKEN, Stream, inflated, require_bounded
from factload.sheet.limits import Limits
from factload.sheet.looks import look_of_members
from factload.sheet.relations import folded, relations_in, relations_part
from factload.sheet.sheets import UNKNOWN, SheetPart, SheetState
from factload.sheet.workbook_file import WorkbookFile
from factload.sheet.xlsx.number_formats import date_styles
from factload.sheet.xlsx.xml_parts import STRICT, is_true
from factload.sheet.xml_reader import parse_small


class Package:
    """An open workbook. Made by :func:`open_package`."""

    def __init__(self, archive: zipfile.ZipFile, limits: Limits) -> None:
        self._archive = archive
        self._limits = limits
        self._members = _members(archive, limits)
        self.main_part = main = self._main_part()
        self.calendar = Calendar()
        self.stale = (
            False  # to be calculated anew when it is opened: nobody ever sees the values that are saved
        )
        self.sheets: tuple[SheetPart, ...] = ()
        relations = self.relations(main)
        self._read_workbook(main, relations)
        self.strings_part = self._by_type(relations, "sharedStrings")
        styles = self._by_type(relations, "styles")
        self.date_styles: Mapping[int, Kind] = (
            date_styles(self.small(styles)) if styles and self.has(styles) else {}
        )

    def has(self, part: str) -> bool:
        """Whether the file has this part."""
        return folded(part) in self._members

    @contextmanager
    def open_part(self, part: str, max_bytes: int) -> Iterator[Stream]:
        """The part's inflated bytes as a stream, its declared size and ratio checked first.

        Damage that the stream shows (CRC, broken deflate data) is raised as WorkbookError.
        """
        info = self._members.get(folded(part))
        if info is None:
            raise damaged(f"The workbook names a part {part!r} that isn't in the file")
        require_bounded(info, part, max_bytes, self._field(max_bytes), self._limits)
        if info.flag_bits & 0x1:
            raise WorkbookError(
                "workbook_encrypted",
                "The parts of the file are encrypted",
                remedy="Save it without a password",
            )
        try:
            with inflated(self._archive, info) as stream:
                yield stream
        except BROKEN as error:
            raise damaged(f"{part} can't be inflated ({error})") from error

    def _field(self, max_bytes: int) -> str:
        """Which of the limits on parts this is."""
        names = ("sheet_bytes", "strings_bytes", "small_part_bytes")
        return next((name for name in names if getattr(self._limits, name) == max_bytes), "")

    def small(self, part: str) -> bytes:
        """A part that is small in every real workbook."""
        with self.open_part(part, self._limits.small_part_bytes) as stream:
            return stream.read()

    def _main_part(self) -> str:
        if folded("_rels/.rels") in self._members:
            relations = self.relations("")
            main = self._by_type(relations, "officeDocument")
            if main and folded(main) in self._members:
                if main.lower().endswith(".bin"):
                    raise unsupported("a binary workbook (.xlsb)")
                return main
        if folded("xl/workbook.xml") in self._members:
            return "xl/workbook.xml"
        if "mimetype" in self._members:
            raise unsupported("an OpenDocument file (.ods)")
        look = look_of_members(self._members)
        raise WorkbookError(
            "workbook_not_a_workbook",
            f"The file is {look.what}",
            expected="an .xlsx workbook",
            remedy=look.remedy,
        )

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """Relationship id → (last word of its type, part it leads to) of one part's relationships."""
        rels = relations_part(part)
        return relations_in(self.small(rels), part) if self.has(rels) else {}

    @staticmethod
    def _by_type(relations: dict[str, tuple[str, str]], kind: str) -> str | None:
        return next((path for word, path in relations.values() if word == kind), None)

    def _read_workbook(self, main: str, relations: dict[str, tuple[str, str]]) -> None:
        sheets: list[SheetPart] = []

        def note(tag: str, attributes: dict[str, str]) -> None:
            if tag == "workbookPr":
                self.calendar = replace(self.calendar, date1904=is_true(attributes.get("date1904", "")))
            elif tag == "calcPr":
                self.stale = is_true(attributes.get("fullCalcOnLoad", ""))
            elif tag == "sheet":
                kind, part = relations.get(attributes.get("id", ""), (UNKNOWN, ""))
                state = attributes.get("state", "visible")
                known: SheetState = (
                    "veryHidden" if state == "veryHidden" else "hidden" if state == "hidden" else "visible"
                )
                sheets.append(SheetPart(attributes.get("name", ""), known, part, kind))

        workbook = self.small(main)
        self.calendar = Calendar(strict=STRICT.encode() in workbook)
        parse_small(workbook, note, main)
        self.sheets = tuple(sheets)


@contextmanager
def open_package(file: WorkbookFile, limits: Limits) -> Iterator[Package]:
    """The .xlsx or .xlsm workbook in ``file``, open for reading.

    Raises WorkbookError: ``workbook_encrypted``, ``workbook_truncated``,
    ``workbook_not_a_workbook``, ``workbook_format_unsupported``, ``workbook_damaged``, ``workbook_hostile``.
    """
    refuse_a_broken_zip(file, max_members=limits.members)
    try:
        archive = zipfile.ZipFile(file.stream())
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError) as error:
        raise damaged(f"The zip archive is broken ({error})") from error
    with archive:
        yield Package(archive, limits)


def _members(archive: zipfile.ZipFile, limits: Limits) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > limits.members:
        raise hostile(f"The file holds {len(infos):,} members", f"at most {limits.members:,}", "members")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        if info.header_offset < 0:
            raise damaged("The zip archive's directory points outside the file")
        if members.setdefault(folded(info.filename), info) is not info:
            raise damaged(f"The zip archive holds {info.filename!r} twice: it is unclear which one counts")
    return members


def unsupported(what: str) -> WorkbookError:
    """A workbook of a kind that isn't read."""
    return WorkbookError(
        "workbook_format_unsupported",
        f"The file is {what}",
        expected="an .xlsx or .xlsm workbook",
        remedy="Save it as .xlsx",
    )
