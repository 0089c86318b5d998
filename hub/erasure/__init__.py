"""Forgetting in a trail that forgets nothing: one key per subject, and a store that can lose a single one of them.

Ruled by docs/audit-format.md (Subject keys) and docs/adr/0004-erasure-cuts-a-key-out.md. The orders that destroy
something, each with its events, are in hub/retention.py.
"""

from hub.erasure.store import MONTH, Hold, KeyStore, month_of
from hub.erasure.subject_keys import SubjectErased, SubjectKeys, handle_of, metadata, staff_subject

__all__ = [
    "MONTH",
    "Hold",
    "KeyStore",
    "SubjectErased",
    "SubjectKeys",
    "handle_of",
    "metadata",
    "month_of",
    "staff_subject",
]
