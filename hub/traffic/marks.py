"""Marks that only this hub can make or read: where a list goes on, and who was offered as a candidate.

For: handing something to a client that it gives back unread. Must never say anything to whoever holds it, never be
accepted from another user or for another use, and never be believed when it was altered. AES-256-GCM by the hub's key.
"""

import base64
import json
from datetime import datetime, timedelta
from typing import Any

from hub.assembly import Hub
from hub.errors import FormRefused, KeyRefused
from hub.keys import HUB

#: Longer than any mark of ours.
LONGEST = 2_000


def make(hub: Hub, use: str, user: str, value: dict[str, Any], *, now: datetime) -> str:
    """A mark for this use by this user."""
    text = json.dumps({**value, "t": int(now.timestamp())}).encode()
    return base64.urlsafe_b64encode(hub.keys.seal(HUB, text, _context(use, user))).decode().rstrip("=")


def read(hub: Hub, use: str, user: str, mark: str, *, field: str, now: datetime, within: timedelta) -> dict[str, Any]:
    """What was put into it. Raises FormRefused, naming `field`, for one that is not ours, another's, or too old."""
    nothing = FormRefused({field: "It is not known here, or is too old. Begin again."})
    if len(mark) > LONGEST or not mark.isascii():
        raise nothing
    try:
        sealed = base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4))
        value: dict[str, Any] = json.loads(hub.keys.open(HUB, sealed, _context(use, user)))
    except (KeyRefused, ValueError):
        raise nothing from None
    if now.timestamp() - value.pop("t") > within.total_seconds():
        raise nothing
    return value


def _context(use: str, user: str) -> str:
    return f"mark:{use}:{user}"
