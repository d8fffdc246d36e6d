"""An .xlsx or .xlsm workbook, copied member by member, with cells marked on some of its sheets."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import IO
from xml.sax.saxutils import quoteattr

from factload.errors import WorkbookError
from factload.reports.annotated.comments import Comment, with_comments
from factload.reports.annotated.edited_part import OTHERWISE, EditedPart, unfit
from factload.reports.annotated.marked_rows import MarkedRows
from factload.reports.annotated.sheet_frame import CHUNK, RELATIONS, SheetFrame, read_frame
from factload.reports.annotated.styles import MarkedStyles
from factload.sheet.file_errors import damaged
from factload.sheet.file_kind import Contents
from factload.sheet.inflate import BROKEN, inflated, require_bounded
from factload.sheet.limits import Limits
from factload.sheet.source import format_of
from factload.sheet.workbook_file import Openable, WorkbookFile, opened
from factload.sheet.xlsx.package import Package, open_package

COMMENTS = 10_000  # of one sheet: each is a shape of its own in the file
_KINDS = "application/vnd.openxmlformats-officedocument.spreadsheetml.{}+xml"
_DRAWING_KIND = "application/vnd.openxmlformats-officedocument.vmlDrawing"
_CONTENT_TYPES = "[Content_Types].xml"
_SIGNATURES = "_xmlsignatures/"
_LARGE = 1 << 30  # from here on a member may come to more than a small header can say
_NO_RELATIONS = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"/>'
)


@dataclass(frozen=True, slots=True)
class Mark:
    """What is wrong with a cell; both numbers count from 1."""

    row: int
    column: int
    words: str


@dataclass(slots=True)
class Annotated:
    """How many cells were marked, and what a person should know besides. ``name``: the workbook's own."""

    name: str
    cells: int = 0
    notes: list[str] = field(default_factory=list)


def annotate(file: IO[bytes], path: Openable, marks: Mapping[str, Iterable[Mark]]) -> Annotated:
    """Write the workbook at ``path`` into ``file``, with ``marks`` by sheets; the rest stays as it was.

    Raises ``WorkbookError``: ``annotated_unfit`` for another kind of file, and for a workbook whose parts are not as
    programs write them; what reading it raises.
    """
    limits = Limits.from_environment()
    with opened(path) as workbook:
        _require_xlsx(workbook, limits)
        with open_package(workbook, limits) as package:
            return _Annotation(package, workbook, limits).write(file, marks)


def _require_xlsx(file: WorkbookFile, limits: Limits) -> None:
    kind = format_of(Contents(file, may_be_csv=True, max_members=limits.members))
    if kind.name != "xlsx":
        raise WorkbookError(
            "annotated_unfit",
            f"{file.name!r} is of the kind {kind.name}, whose cells can't be marked",
            expected="an .xlsx or .xlsm workbook",
            remedy=OTHERWISE,
        )


class _Annotation:
    """A workbook while it is written anew: its changed parts, by their names in the archive."""

    def __init__(self, package: Package, workbook: WorkbookFile, limits: Limits) -> None:
        if package.calendar.strict:
            raise unfit("it is saved as Strict Open XML")
        self._package, self._workbook, self._limits = package, workbook, limits
        self._changed: dict[str, bytes] = {}
        self._rows: dict[str, tuple[SheetFrame, MarkedRows, bytes]] = {}
        self._kinds: dict[str, str] = {}
        self._done = Annotated(workbook.name)

    def write(self, file: IO[bytes], marks: Mapping[str, Iterable[Mark]]) -> Annotated:
        """Write the whole workbook."""
        styles = self._styles()
        parts = {sheet.name: sheet.part for sheet in self._package.sheets}
        for name, its in marks.items():
            if name not in parts:
                raise unfit(f"it has no sheet {name!r}")
            self._sheet(parts[name], name, list(its), styles)
        self._content_types()
        with zipfile.ZipFile(self._workbook.stream()) as archive:
            if any(name.lower().startswith(_SIGNATURES) for name in archive.namelist()):
                self._done.notes.append(
                    "the workbook's digital signature no longer holds: its cells were marked"
                )
            self._copy(archive, file)
        return self._done

    def _styles(self) -> MarkedStyles:
        main = self._package.main_part
        relations = self._package.relations(main)
        part = next((path for kind, path in relations.values() if kind == "styles"), None)
        there = part is not None and self._package.has(part)
        part = part or posixpath.join(posixpath.dirname(main), "styles.xml")
        styles = MarkedStyles(self._package.small(part) if there else None, part)
        self._changed[part] = styles.result
        if not there:
            self._relate(main, "styles", part)
            self._kinds[part] = _KINDS.format("styles")
        return styles

    def _sheet(self, part: str, name: str, marks: list[Mark], styles: MarkedStyles) -> None:
        with self._package.open_part(part, self._limits.sheet_bytes) as stream:
            frame = read_frame(stream, part)
        shown = frame.shown((mark.row, mark.column) for mark in marks)
        said: dict[tuple[int, int], list[str]] = {}
        for mark in marks:
            said.setdefault(shown.get((mark.row, mark.column), (mark.row, mark.column)), []).append(
                mark.words
            )
        wanted: dict[int, list[int]] = {}
        for row, column in said:
            wanted.setdefault(row, []).append(column)
        comments = [
            Comment(row, column, "\n".join(dict.fromkeys(its))) for (row, column), its in said.items()
        ]
        tail = self._commented(part, name, sorted(comments, key=lambda one: (one.row, one.column)), frame)
        self._rows[part] = frame, MarkedRows(frame, wanted, styles.marked, self._limits), tail
        self._done.cells += len(said)

    def _commented(self, part: str, name: str, said: list[Comment], frame: SheetFrame) -> bytes:
        """The sheet's tail, once its comments are written."""
        if len(said) > COMMENTS:
            self._done.notes.append(
                f"sheet {name}: {len(said):,} cells are marked, and the first {COMMENTS:,} have a comment"
            )
        relations = self._package.relations(part)
        comments = next((path for kind, path in relations.values() if kind == "comments"), None)
        drawing = relations.get(frame.drawing, ("", None))[1] if frame.drawing else None
        if frame.drawing and not (drawing and self._package.has(drawing)):
            raise unfit(f"the drawing of {part} is missing")
        folder = posixpath.dirname(posixpath.dirname(part)) or "xl"
        new_comments = comments or self._new(f"{folder}/comments{{}}.xml")
        new_drawing = drawing or self._new(f"{folder}/drawings/vmlDrawing{{}}.vml")
        made = with_comments(
            said[:COMMENTS],
            self._package.small(comments) if comments else None,
            self._package.small(drawing) if drawing else None,
            new_comments,
        )
        self._changed[new_comments], self._changed[new_drawing] = made.comments, made.drawing
        if made.threads:
            self._done.notes.append(
                f"sheet {name}: {made.threads:,} marked cells have a thread of comments, which hides the reason"
            )
        if not comments:
            self._kinds[new_comments] = _KINDS.format("comments")
            self._relate(part, "comments", new_comments)
        if drawing:
            return frame.tail
        self._kinds[new_drawing] = _DRAWING_KIND
        return frame.with_drawing(self._relate(part, "vmlDrawing", new_drawing))

    def _new(self, pattern: str) -> str:
        """A name that no part has."""
        names = (pattern.format(f"Factload{number}") for number in range(1, 1 << 20))
        return next(name for name in names if not self._package.has(name) and name not in self._changed)

    def _relate(self, part: str, kind: str, target: str) -> str:
        """Note that a part leads to another; returns the relationship's id."""
        folder, name = posixpath.split(part)
        relations = posixpath.join(folder, "_rels", f"{name}.rels")
        before = self._changed.get(relations) or (
            self._package.small(relations) if self._package.has(relations) else _NO_RELATIONS
        )
        edited = EditedPart(before, relations)
        taken = {element.attributes.get("Id") for element in edited.elements}
        own = next(
            f"rIdFactload{number}" for number in range(1, 1 << 20) if f"rIdFactload{number}" not in taken
        )
        edited.append(
            edited.root,
            b'<%b Id="%b" Type="%b/%b" Target="/%b"/>'
            % (
                edited.qualified("Relationship"),
                own.encode(),
                RELATIONS.encode(),
                kind.encode(),
                target.encode(),
            ),
        )
        self._changed[relations] = edited.result()
        return own

    def _content_types(self) -> None:
        if not self._kinds:
            return
        edited = EditedPart(self._package.small(_CONTENT_TYPES), _CONTENT_TYPES)
        override = edited.qualified("Override").decode()
        edited.append(
            edited.root,
            "".join(
                f"<{override} PartName={quoteattr('/' + part)} ContentType={quoteattr(kind)}/>"
                for part, kind in self._kinds.items()
            ).encode(),
        )
        self._changed[_CONTENT_TYPES] = edited.result()

    def _copy(self, archive: zipfile.ZipFile, file: IO[bytes]) -> None:
        """Every member in its order, changed or as it is; then those that are new."""
        rows = {_fold(part): its for part, its in self._rows.items()}
        changed = {_fold(part): data for part, data in self._changed.items()}
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as written:
            for info in archive.infolist():
                place = _fold(info.filename)
                if place in rows:
                    self._write_sheet(archive, info, written, *rows[place])
                elif place in changed:
                    written.writestr(_like(info), changed.pop(place))
                else:
                    require_bounded(
                        info, info.filename, self._limits.sheet_bytes, "sheet_bytes", self._limits
                    )
                    self._write(written, _like(info), _pieces(archive, info))
            for part, data in self._changed.items():
                if _fold(part) in changed:
                    written.writestr(part, data)

    def _write_sheet(
        self,
        archive: zipfile.ZipFile,
        info: zipfile.ZipInfo,
        written: zipfile.ZipFile,
        frame: SheetFrame,
        rows: MarkedRows,
        tail: bytes,
    ) -> None:
        with inflated(archive, info) as stream:
            self._write(written, _like(info), chain(rows.pieces(stream), [tail]))

    def _write(self, written: zipfile.ZipFile, info: zipfile.ZipInfo, pieces: Iterable[bytes]) -> None:
        with written.open(info, "w", force_zip64=info.file_size > _LARGE) as member:
            for piece in pieces:
                member.write(piece)


def _like(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """A member of the same name, time and kind."""
    like = zipfile.ZipInfo(info.filename, info.date_time)
    like.compress_type, like.external_attr, like.create_system = (
        info.compress_type,
        info.external_attr,
        info.create_system,
    )
    like.file_size = info.file_size
    return like


def _pieces(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterable[bytes]:
    try:
        with inflated(archive, info) as stream:
            while piece := stream.read(CHUNK):
                yield piece
    except BROKEN as error:
        raise damaged(f"{info.filename} can't be inflated ({error})") from error


def _fold(part: str) -> str:
    return part.replace("\\", "/").lstrip("/").lower()
