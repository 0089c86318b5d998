"""What a file that somebody attaches really is, told by its content.

For: files that travel with an answer. Must never go by a file's name, and never let through what runs when it is
opened: macros, scripts, embedded files and programs are refused. It is no virus scanner; an agency's own scanner still
looks at what its people open. Formats: PDF (ISO 32000-2), PNG (W3C 2003), JPEG (ISO 10918-1), OOXML (ISO 29500), UTF-8.
"""

import io
import lzma
import re
import zipfile
import zlib
from dataclasses import dataclass
from enum import StrEnum

from connectors import pdf
from connectors.contract import ConnectorError

#: Bytes of one file, files of one answer, and bytes that an Office file may unpack to.
LARGEST_ATTACHMENT = 5_000_000
MOST_ATTACHMENTS = 3
LARGEST_UNPACKED = 100_000_000
#: Entries of an Office file; a document has some dozens.
MOST_ENTRIES = 2_000
LONGEST_NAME = 120


class FileKind(StrEnum):
    """What may be attached."""

    PDF = "PDF"
    PNG = "PNG"
    JPEG = "JPEG"
    DOCX = "DOCX"
    TEXT = "TEXT"


#: What a browser is told of each, and the ending that a name must have.
MEDIA: dict[FileKind, tuple[str, tuple[str, ...]]] = {
    FileKind.PDF: ("application/pdf", (".pdf",)),
    FileKind.PNG: ("image/png", (".png",)),
    FileKind.JPEG: ("image/jpeg", (".jpg", ".jpeg")),
    FileKind.DOCX: ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", (".docx",)),
    FileKind.TEXT: ("text/plain; charset=utf-8", (".txt",)),
}
#: Parts of an Office file that hold programs or other files.
_OFFICE_ACTS = re.compile(r"vbaproject|/embeddings/|/activex/|\.bin$|\.exe$|\.js$", re.IGNORECASE)
#: What unpacking a damaged file raises.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
    EOFError,
)
_OTHER_DOCUMENT = re.compile(
    rb'TargetMode\s*=\s*"External"[^>]*(attachedTemplate|oleObject|frame)|'
    rb'(attachedTemplate|oleObject|frame)"[^>]*TargetMode\s*=\s*"External"'
)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that may travel: its kind, its name made plain, its bytes."""

    kind: FileKind
    name: str
    data: bytes

    @property
    def media_type(self) -> str:
        """What a browser is told."""
        return MEDIA[self.kind][0]

    @property
    def words(self) -> str:
        """How a page names it: name, kind, size."""
        return f"{self.name} ({self.kind}, {max(1, len(self.data) // 1000):,} kB)"


def inspect(name: str, data: bytes) -> Attachment:
    """Returns what the file is. Raises ConnectorError (ATTACHMENT) with a sentence for whoever attached it."""
    if not data:
        raise _refused("is empty")
    if len(data) > LARGEST_ATTACHMENT:
        raise _refused(f"is larger than {LARGEST_ATTACHMENT // 1_000_000} MB")
    kind = _kind_of(data)
    plain = _plain(name)
    if not plain.lower().endswith(MEDIA[kind][1]):
        raise _refused(f"is {kind} by its content, but its name says something else")
    return Attachment(kind, plain, data)


def _kind_of(data: bytes) -> FileKind:
    if data.startswith(b"%PDF-"):
        if reason := pdf.why_not(data):
            raise _refused(reason)
        return FileKind.PDF
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return FileKind.PNG
    if data.startswith(b"\xff\xd8\xff"):
        return FileKind.JPEG
    if data.startswith(b"PK\x03\x04"):
        _require_plain_document(data)
        return FileKind.DOCX
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise _refused("is not PDF, PNG, JPEG, DOCX or plain text") from None
    if any(ord(sign) < 32 and sign not in "\t\r\n\f" for sign in text):
        raise _refused("is not PDF, PNG, JPEG, DOCX or plain text")
    return FileKind.TEXT


def _require_plain_document(data: bytes) -> None:
    """A Word document without macros, embedded files or a template from elsewhere, that does not unpack without end."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            entries = packed.infolist()
            names = {entry.filename for entry in entries}
            if len(entries) > MOST_ENTRIES or sum(entry.file_size for entry in entries) > LARGEST_UNPACKED:
                raise _refused("unpacks to too much")
            if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
                raise _refused("is packed in a way that Word does not pack")
            if not {"[Content_Types].xml", "word/document.xml"} <= names:
                raise _refused("is packed, and no Word document")
            if any(_OFFICE_ACTS.search(name) for name in names):
                raise _refused("has macros or other files in it")
            for name in names:
                if name.endswith(".rels"):
                    with packed.open(name) as part:
                        if _OTHER_DOCUMENT.search(part.read(1_000_000)):
                            raise _refused("brings parts from another place")
            with packed.open("[Content_Types].xml") as part:
                if b"macroEnabled" in part.read(1_000_000):
                    raise _refused("has macros or other files in it")
    except _DAMAGED:
        raise _refused("cannot be read as a Word document") from None


def _plain(name: str) -> str:
    """The last part of a name, of letters, digits, spaces and . _ - ( ) only."""
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join(sign if sign.isalnum() or sign in " ._-()" else "_" for sign in last).strip(" .")
    stem, dot, ending = kept.rpartition(".")
    return f"{stem[: LONGEST_NAME - len(ending) - 1]}{dot}{ending}" or "file"


def _refused(words: str) -> ConnectorError:
    return ConnectorError("ATTACHMENT", f"The file {words}.")
