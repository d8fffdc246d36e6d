"""XML parsed as a stream: no document type, no endless token, errors as ``WorkbookError``."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from xml.parsers import expat

from factload.sheet.file_errors import damaged, hostile

_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


_DECLARATION = re.compile(rb"\A(?:\xef\xbb\xbf)?<\?xml([^<>]*)\?>")


_ENCODING = re.compile(rb"""\sencoding\s*=\s*["']([^"']*)["']""")


_MAX_TOKEN = 16 << 20  # bytes: no tag, comment or instruction of a real sheet comes near


class XmlReader:
    """Expat with namespaces (names are "uri local"): no DOCTYPE, no endless token, errors as WorkbookError."""

    def __init__(
        self,
        part: str,
        *,
        start: Callable[[str, dict[str, str]], None] | None = None,
        end: Callable[[str], None] | None = None,
        data: Callable[[str], None] | None = None,
    ) -> None:
        self._part, self._fed = part, 0
        self._start, self._end, self._data = start, end, data
        self._parser = self._parser_of(None)

    def _parser_of(self, encoding: str | None) -> expat.XMLParserType:
        """A parser for this encoding, whatever the part declares; None: for what it does."""
        parser = expat.ParserCreate(encoding, " ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        return parser

    def feed(self, data: bytes, *, final: bool = False) -> None:
        """Parse on. Raises WorkbookError: not well-formed, a DOCTYPE, a token longer than any real one."""
        if not self._fed and is_utf8(data):
            self._parser = self._parser_of("utf-8")  # expat knows it by that name alone
        self._fed += len(data)
        try:
            self._parser.Parse(data, final)
        except expat.ExpatError as error:
            raise damaged(f"{self._part} is not well-formed XML ({error})") from error
        except (LookupError, ValueError) as error:
            if type(error) not in (LookupError, ValueError):  # not expat's about the encoding
                raise
            raise damaged(f"{self._part} is in an encoding that can't be read") from error
        if not final and self._fed - self._parser.CurrentByteIndex > len(data) + _MAX_TOKEN:
            # expat keeps an unfinished token in memory
            raise hostile(f"{self._part} holds a tag without an end", f"at most {_MAX_TOKEN:,} bytes")

    @property
    def position(self) -> int:
        """Where in the bytes that were fed the tag stands that is told of: the end of one that is its own end tag."""
        return self._parser.CurrentByteIndex

    def _refuse(self, *_: object) -> None:
        raise hostile(f"{self._part} holds a DOCTYPE", "no document type, as in every real workbook")


def parse_small(data: bytes, start: Callable[[str, dict[str, str]], None], part: str) -> None:
    """Call ``start(local name, attributes by local name)`` for each element of a small XML part.

    Elements of another vocabulary than the root's are extensions, which may repeat a name with another meaning
    (``x14:workbookPr`` knows nothing of ``date1904``): they are left out. Raises WorkbookError when it is not
    well-formed or has a DOCTYPE.
    """
    root: list[str] = []

    def on_start(name: str, attributes: dict[str, str]) -> None:
        vocabulary, _, local = name.rpartition(" ")
        if not root:
            root.append(vocabulary)
        if vocabulary == root[0]:
            start(local, {key.rpartition(" ")[2]: value for key, value in attributes.items()})

    XmlReader(part, start=on_start).feed(data, final=True)


def is_utf8(head: bytes) -> bool:
    """Whether a part that begins so is in UTF-8: it declares it, by any of the names that it has, or nothing else."""
    if head.startswith(_WIDE) or b"\0" in head[:4]:
        return False
    declaration = _DECLARATION.match(head)
    if declaration is None:
        return not head.removeprefix(codecs.BOM_UTF8).startswith(b"<?xml")
    encoding = _ENCODING.search(declaration[1])
    if encoding is None:
        return b"encoding" not in declaration[1]
    try:
        return codecs.lookup(encoding[1].decode("ascii", "replace")).name == "utf-8"
    except (LookupError, ValueError):
        return False
