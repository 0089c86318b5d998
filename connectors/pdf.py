"""Whether a PDF does something by itself or carries other files, told by its bytes.

For: files that travel with an answer. Must never trust what a file says of its own parts: whatever inflates is looked
through, and what cannot be looked through (object streams in other filters, encryption) is refused. It draws nothing
and follows no reference. ISO 32000-2:2020, sections 7.3.5 (names), 7.4 (filters), 7.5.7 (object streams) and 12.6
(actions).
"""

import re
import zlib
from collections.abc import Iterator

#: Bytes that the streams of one file may be read and unpack to, altogether.
LARGEST_INFLATED = 50_000_000
#: Streams of one file; thousands are many.
MOST_STREAMS = 20_000
#: How far the words of an object stream may reach to either side of its type.
_NEARBY = 2_000
_CHUNK = 512
_GAP = rb"(?:[\s\x00]|%[^\r\n]{0,200}[\r\n])*"
_REFERENCE = rb"\d{1,10}\s+\d{1,5}\s+R\b"
#: What may stand at /OpenAction: a destination, or an action that only goes to one.
_GOES_TO = rb"/Type" + _GAP + rb"/Action\b|/S" + _GAP + rb"/GoTo\b|/D" + _GAP + rb"\[[^\]<>]{0,200}\]"
_PLAIN = rb"(?:\[|<<(?:" + _GAP + rb"(?:" + _GOES_TO + rb"))*" + _GAP + rb">>)"
#: Names that act by themselves or carry other files; short ones with what must follow, as pictures hold any bytes.
_ACTS = re.compile(
    rb"/(?:JavaScript|Launch|EmbeddedFiles?|RichMedia|XFA)\b"
    rb"|/JS" + _GAP + rb"(?:[(<]|" + _REFERENCE + rb")"
    rb"|/AA" + _GAP + rb"(?:<<|" + _REFERENCE + rb")"
    rb"|/OpenAction\b(?!" + _GAP + _PLAIN + rb")"
)
_ENCRYPTED = re.compile(rb"/Encrypt\b")
_OBJECT_STREAM = re.compile(rb"/ObjStm\b")
_FILTER = re.compile(rb"/(?:Filter|DecodeParms)\b" + _GAP + rb"(\[[^\]]{0,200}\]|/\w+|)")
_FLATE = re.compile(rb"\[?\s*/FlateDecode\s*\]?")
_STREAM = re.compile(rb"(?<!end)stream[ \t]*(?:\r\n|\n|\r)")
#: `#` and two digits can stand for any letter of a name.
_HEX_NAME = re.compile(rb"#([0-9A-Fa-f]{2})")


def why_not(data: bytes) -> str | None:
    """Why the file may not travel, as the end of a sentence about it; None when nothing was found."""
    text = _plain_names(data)
    if _ENCRYPTED.search(text):
        return "is a PDF that is encrypted, so that nobody can tell what is in it"
    if not _are_readable(text):
        return "is a PDF with parts that cannot be looked through"
    if _ACTS.search(text):
        return "is a PDF with a script, a program or another file in it"
    room = LARGEST_INFLATED
    for number, (read, inflated) in enumerate(_streams(data), 1):
        room -= read + len(inflated)
        if room < 0 or number > MOST_STREAMS:
            return "unpacks to too much"
        if _ACTS.search(_plain_names(inflated)):
            return "is a PDF with a script, a program or another file in it"
    return None


def _plain_names(data: bytes) -> bytes:
    return _HEX_NAME.sub(lambda found: bytes([int(found[1], 16)]), data)


def _are_readable(text: bytes) -> bool:
    """Whether every object stream says once that it is deflated, and nothing else is done to it."""
    after = 0
    while found := _OBJECT_STREAM.search(text, after):
        at = found.start()
        begins, ends = text.rfind(b"obj", max(at - _NEARBY, 0), at), _STREAM.search(text, at, at + _NEARBY)
        if begins < 0 or ends is None:
            return False
        filters = [each[1] for each in _FILTER.finditer(text, begins, ends.start())]
        if len(filters) != 1 or not _FLATE.fullmatch(filters[0]):
            return False
        after = ends.end()
    return True


def _streams(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each stream: how many bytes of it were read, and what they inflate to; nothing for what is not deflated."""
    for found in _STREAM.finditer(data):
        yield _inflated(data, found.end())


def _inflated(data: bytes, start: int) -> tuple[int, bytes]:
    """As far as it inflates; a reader shows what comes before damage, so that is looked through too."""
    flow, found, at = zlib.decompressobj(), bytearray(), start
    before = flow
    try:
        while at < len(data) and not flow.eof and len(found) <= LARGEST_INFLATED:
            before = flow.copy()
            found += flow.decompress(data[at : at + _CHUNK])
            at += _CHUNK
    except zlib.error:
        try:
            for one in range(at, at + _CHUNK):
                found += before.decompress(data[one : one + 1])
        except zlib.error:
            pass
    return at - start, bytes(found)
