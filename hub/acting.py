"""Who acted, as the trail has it: the role and agency in words, the person themselves sealed under a key of their own.

For: pages and exports of information governance, and the erasure of somebody who left. Must never keep beside an entry
what leads from it to a member of staff once their keys are destroyed. Ruled by docs/audit-format.md (Subject keys).
"""

import json
from collections.abc import Mapping
from dataclasses import replace

from audit import Entry
from hub.assembly import Hub
from hub.erasure import SubjectErased, handle_of, staff_subject

#: Stands for a member of staff whose key is destroyed, where an id is asked for.
ERASED = "erased"
#: Keys of an event that name a member of staff.
ROLES = ("user", "authoriser")


def named(hub: Hub, entry: Entry) -> Entry:
    """The entry with the issuer and subject of whoever acted, as they were given; erased ones are called so."""
    named_now = {
        role: {**entry.fields[role], **_identity(hub, entry.staff[entry.fields[role]["staff"]])}
        for role in ROLES
        if "staff" in entry.fields.get(role, {})
    }
    return replace(entry, fields={**entry.fields, **named_now})


def user_capsule(entry: Entry) -> bytes | None:
    """The capsule of the acting user; None for an entry of a machine, or from before users were sealed."""
    number = entry.fields.get("user", {}).get("staff")
    return None if number is None else entry.staff[number]


def user_mark(entry: Entry) -> str | None:
    """How the register's index knows the acting user: by the handle of their key, formerly by their id."""
    capsule = user_capsule(entry)
    if capsule is None:
        subject: str | None = entry.fields.get("user", {}).get("subject")
        return subject
    return (handle_of(capsule) or b"").hex()


def user_in(hub: Hub, capsule: bytes) -> str:
    """The id of whoever acted, or ERASED. Raises KeyRefused, when the capsule was altered."""
    return _identity(hub, capsule)["subject"]


def marks_of(hub: Hub, user: str) -> set[str]:
    """Every mark under which the register may know this user."""
    return {user} | {handle.hex() for handle in hub.subject_keys.handles(staff_subject(user)).values()}


def _identity(hub: Hub, capsule: bytes) -> Mapping[str, str]:
    try:
        opened = json.loads(hub.subject_keys.open(capsule))
    except SubjectErased:
        return {"issuer": ERASED, "subject": ERASED}
    return {key: opened[key] for key in ("issuer", "subject") if key in opened}
