"""From an entry of the trail to a look, or to an alarm that another part of the hub raised."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from audit import Entry
from hub.acting import ERASED, named
from hub.assembly import Hub
from hub.desk.marks import person_mark
from hub.oversight import person_in
from hub.radar import Read, ReadKind
from policies.vocabulary import Role

KINDS: Mapping[str, ReadKind] = {
    "search": ReadKind.SEARCH,
    "disclosure:made": ReadKind.VIEW,
    "disclosure:refused": ReadKind.REFUSED,
    "check": ReadKind.CHECK,
    "break-glass": ReadKind.EMERGENCY,
}
#: Answers to a GP check that say something.
TOLD = frozenset({"YES", "NO"})
#: Who raises the radar's own alarms, which are alerts already.
RADAR = "radar"


@dataclass(frozen=True, slots=True)
class Looked:
    """A look, the persons behind its marks, and how agencies answered."""

    index: int
    read: Read
    persons: Mapping[str, str]
    answers: tuple[tuple[str, str], ...]


def look_of(hub: Hub, entry: Entry) -> Looked | None:
    """The look that an entry tells of; None for any other entry, and for what machines did."""
    kind = KINDS.get(entry.kind)
    if kind is None or "user" not in entry.fields or entry.fields.get("outcome") == "EXTENDED":
        return None
    fields = named(hub, entry).fields
    user = fields["user"]
    if user["role"] not in Role.__members__ or user["subject"] == ERASED:
        return None
    persons = {person_mark(hub, p): p for p in _persons(hub, entry)}
    read = Read(
        eid=entry.eid,
        at=datetime.fromtimestamp(entry.t / 1000, UTC),
        user=user["subject"],
        agency=user["agency"],
        role=Role(user["role"]),
        kind=kind,
        purpose=fields.get("purpose"),
        enquiry=fields.get("enquiry"),
        persons=frozenset(persons),
        shows=_shows(kind, fields),
    )
    answers = tuple((a["agency"], a["state"]) for a in fields.get("answers", ()))
    return Looked(entry.index, read, persons, answers if kind == ReadKind.VIEW else ())


def _persons(hub: Hub, entry: Entry) -> set[str]:
    """Whom it is about; a person whose key is destroyed is nobody here."""
    return {person for person in (person_in(hub, capsule) for capsule in entry.subjects) if person is not None}


def _shows(kind: ReadKind, fields: Mapping[str, Any]) -> bool:
    if kind == ReadKind.CHECK:
        return fields.get("outcome") in TOLD
    return kind != ReadKind.REFUSED and (kind != ReadKind.VIEW or bool(fields.get("data")))
