"""One question to one witness over HTTP: bounded in size and in time, whatever the witness does.

For: `audit.cosigners`. It must never follow a redirect, wait longer than it was told, or read more than an answer may
hold. What is sent is public: hashes and counts.
"""

import http.client
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from audit.errors import AuditError

#: An answer is a few lines of signatures, or a checkpoint.
LARGEST_ANSWER_BYTES = 64 * 1024


class WitnessSilent(AuditError):
    """A witness did not answer, or not in a way that can be read."""

    code = "witness-silent"


@dataclass(frozen=True, slots=True)
class Said:
    """The status and text of an answer."""

    status: int
    text: str


def ask(url: str, body: bytes | None, *, within_s: float) -> Said:
    """POST a body, or GET without one. Raises: WitnessSilent."""
    status, data = exchange(url, body, content_type="text/plain; charset=utf-8", within_s=within_s)
    try:
        return Said(status, data.decode("utf-8"))
    except UnicodeDecodeError:
        raise WitnessSilent("The answer is no text.") from None


def exchange(url: str, body: bytes | None, *, content_type: str, within_s: float) -> tuple[int, bytes]:
    """The status and the bytes of one answer, within a time and a size. Raises: WitnessSilent."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    cut: threading.Timer | None = None
    connection = None
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=within_s)
        connection.connect()
        # A timeout of the socket starts anew with each byte; who drips is cut off by the clock.
        cut = threading.Timer(within_s, _cut, [connection.sock])
        cut.daemon = True
        cut.start()
        headers = {"User-Agent": "kith", "Content-Type": content_type}
        connection.request("GET" if body is None else "POST", parts.path or "/", body, headers)
        response = connection.getresponse()
        data = response.read(LARGEST_ANSWER_BYTES + 1)
        if len(data) > LARGEST_ANSWER_BYTES:
            raise WitnessSilent("The answer is too long.")
        return response.status, data
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise WitnessSilent(f"There was no answer ({type(error).__name__}).") from None
    finally:
        if cut is not None:
            cut.cancel()
        if connection is not None:
            connection.close()


def _cut(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
