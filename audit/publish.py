"""The day's checkpoint, published outside the hub: what closes the one attack that witnesses do not.

For: `python -m audit publish DIR`, once a day, into a place that the hub cannot change afterwards (a public web site, a
newspaper, a partner's archive). Whoever holds the log's key and has a quorum of corrupt witnesses could still rewrite
the past; against somebody who kept yesterday's checkpoint they cannot. It must never publish what does not continue all
that was published before. Ruled by c2sp.org/tlog-checkpoint and, for the time-stamp, RFC 3161 (August 2001).
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from rfc3161_client import TimestampRequestBuilder, VerificationError, VerifierBuilder, decode_timestamp_response
from sqlalchemy import Connection, Engine

from audit.asking import WitnessSilent, exchange
from audit.checkpoint import parse
from audit.cosigned import checkpoint_at, newest_cosigned
from audit.durable import replace_file
from audit.errors import ProofError, StampRefused, TrailCorrupt, TrailUnavailable
from audit.store import Store, read_head

SUFFIX, STAMP_SUFFIX = ".checkpoint", ".tsr"
_NAME = re.compile(r"\d{4}-\d{2}-\d{2}-\d{10}\.checkpoint")
_STAMP_S = 15.0
_GRANTED = 0


@dataclass(frozen=True, slots=True)
class Published:
    """What was published: the file, how many entries it covers, and whether witnesses had cosigned it."""

    file: Path
    size: int
    cosigned: bool


def publish(engine: Engine, directory: Path, *, now: datetime) -> Published:
    """Write the newest cosigned checkpoint (or the newest of all) as DIR/DATE-SIZE.checkpoint.

    Effects: one file; publishing the same again changes nothing.
    Raises: TrailUnavailable; TrailCorrupt, when the trail does not continue what the directory holds.
    """
    with Store(engine, wait_s=2.0).reading() as connection:
        head = read_head(connection)
        if not head.size:
            raise TrailUnavailable("The trail has no entries yet.")
        earlier = _published(directory)
        _require_continued(connection, earlier)
        witnessed = newest_cosigned(connection)
    note = witnessed or head.note
    size = parse(note).size
    if size < max((known for known, _ in earlier), default=0):
        # Witnesses lag behind what was published while they were not there.
        note, size, witnessed = head.note, head.size, None
    path = directory / f"{now.astimezone(UTC):%Y-%m-%d}-{size:010d}{SUFFIX}"
    if not path.exists():
        replace_file(path, note.encode())
    return Published(path, size, witnessed is not None)


def time_stamp(file: Path, url: str, *, roots: list[x509.Certificate] | None = None) -> Path:
    """Have a time-stamping authority say that this file existed now. Returns: the file of its answer.

    Takes: `roots`, certificates that the authority's must lead to; without them the answer is kept as it is, and only
    that it is about this file is checked. Raises: StampRefused.
    """
    data = file.read_bytes()
    request = TimestampRequestBuilder().data(data).nonce(nonce=True).cert_request(cert_request=True).build()
    try:
        status, body = exchange(url, request.as_bytes(), content_type="application/timestamp-query", within_s=_STAMP_S)
        answer = decode_timestamp_response(body)
        if status != 200 or answer.status != _GRANTED:
            raise StampRefused("The time-stamping authority refused.")
        told = answer.tst_info
    except (WitnessSilent, ValueError):
        raise StampRefused("The time-stamping authority gave no answer that can be read.") from None
    if told.nonce != request.nonce or told.message_imprint.message != hashlib.sha512(data).digest():
        raise StampRefused("The time-stamp is about something else.")
    if roots:
        builder = VerifierBuilder.from_request(request)
        for root in roots:
            builder = builder.add_root_certificate(root)
        try:
            builder.build().verify_message(answer, data)
        except (VerificationError, ValueError):
            raise StampRefused("The time-stamp does not verify against the given certificates.") from None
    target = file.with_suffix(STAMP_SUFFIX)
    replace_file(target, body)
    return target


def _published(directory: Path) -> list[tuple[int, bytes]]:
    """Size and root of each checkpoint that the directory holds. Raises: TrailCorrupt, for one that cannot be read."""
    found = []
    for path in sorted(directory.glob(f"*{SUFFIX}")):
        if _NAME.fullmatch(path.name):
            try:
                known = parse(path.read_text(encoding="utf-8"))
            except (ProofError, UnicodeDecodeError):
                raise TrailCorrupt(f"The directory holds {path.name}, which cannot be read.") from None
            found.append((known.size, known.root))
    return found


def _require_continued(connection: Connection, earlier: list[tuple[int, bytes]]) -> None:
    """Every checkpoint that was published must still be one of the trail's own."""
    for size, root in earlier:
        kept = checkpoint_at(connection, size)
        if kept is None or kept.root != root:
            raise TrailCorrupt(f"A checkpoint of {size} entries was published that this trail does not continue.")
