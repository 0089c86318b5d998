"""The trace of a request across systems (W3C Trace Context, 2021, section 3.2).

For: one id that a partner's system, our log lines, the trail and a problem's `trace_id` share. Must never take
anything but the 32 hexadecimal digits of a well-formed header.
"""

import re
import secrets

#: version 00, trace-id, parent-id, flags; the all-zero ids are invalid.
_HEADER = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)


def trace_of(header: str | None) -> str | None:
    """The trace-id of a `traceparent`, or None for a header that is absent or malformed."""
    found = _HEADER.fullmatch(header or "")
    return found[1] if found else None


def traceparent(trace: str) -> str:
    """The header that goes back: the same trace, this hub's own span."""
    return f"00-{trace}-{secrets.token_hex(8)}-01"
