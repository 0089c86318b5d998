"""Requests for agreement and their answers as they are stored.

For: everybody in this room. Must never open a sealed reason for somebody who was not asked.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.assembly import Hub
from hub.keys import HUB
from hub.tables import approval_answers, approval_asks, staff
from policies.vocabulary import ApprovalKind, Purpose


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: `lines` are what it asks for, each with the hash of the decision it is about."""

    id: str
    kind: ApprovalKind
    enquiry: str
    person: str
    answering: str
    purpose: Purpose
    asked_by: str
    asked_agency: str
    asked_role: str
    sealed_form: bytes
    lines: tuple[Mapping[str, Any], ...]
    bound_to: str
    asked_at: datetime
    remind_at: datetime
    due_at: datetime
    receipt: str

    @staticmethod
    def of(row: Mapping[str, Any]) -> "Ask":
        """From a row of the table."""
        values = {name: row[name] for name in Ask.__slots__}
        return Ask(
            **{
                **values,
                "kind": ApprovalKind(row["kind"]),
                "purpose": Purpose(row["purpose"]),
                "lines": tuple(row["lines"]),
            }
        )

    @property
    def opens(self) -> dict[str, frozenset[str]]:
        """By category, the fields that this agreement would open; whatever else an item holds stays closed."""
        return {line["category"]: frozenset(line["fields"]) for line in self.lines}

    def form(self, hub: Hub) -> dict[str, str]:
        """What the asking worker wrote."""
        plain: dict[str, str] = json.loads(hub.keys.open(HUB, self.sealed_form, "approval:" + self.id))
        return plain


def ask_of(session: Session, ask_id: str) -> Ask | None:
    """The request, or None."""
    row = session.execute(select(approval_asks).where(approval_asks.c.id == ask_id)).mappings().first()
    return None if row is None else Ask.of(dict(row))


def answers_of(session: Session, ask_id: str) -> dict[str, Mapping[str, Any]]:
    """The newest answer to each part of a request; a senior's word follows the refusal it is about."""
    w = approval_answers.c
    rows = session.execute(select(approval_answers).where(w.ask == ask_id).order_by(w.id)).mappings()
    return {row["part"]: dict(row) for row in rows}


def why_of(hub: Hub, ask_id: str, row: Mapping[str, Any]) -> str:
    """The reason given with an answer."""
    if row["sealed_why"] is None:
        return ""
    return hub.keys.open(HUB, row["sealed_why"], f"approval:{ask_id}:{row['part']}").decode()


def name_of(hub: Hub, user: str) -> str:
    """What a user of the hub is called."""
    with hub.db.session() as session:
        sealed = session.scalar(select(staff.c.sealed_name).where(staff.c.user == user))
    return hub.keys.open(HUB, sealed, "staff:" + user).decode() if sealed else "Name not kept"
