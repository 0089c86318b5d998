"""What is on record about a person follows when matching joins two persons, or takes one apart.

For: the hub, after linking. Rows are added, never changed: what is carried over follows the row it came from. Must
never let a yes reach somebody it may not have been about: when records of two people were taken apart, only what holds
sharing back goes along, and a yes stays where most of the records stay.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from consent.records import current_records, record_consent
from consent.standing import assessments_of, record_assessment, record_standing, standing_facts_of
from consent.tables import consent_assessments, consent_records, consent_standings
from policies.vocabulary import ConsentState

#: Answers that hold sharing back.
RESTRICTING = frozenset({ConsentState.REFUSED, ConsentState.WITHDRAWN, ConsentState.DISPUTED})

#: Seals an assessment's reasons anew for another person: (sealed, old person, new person) -> sealed.
Reseal = Callable[[bytes, str, str], bytes]


def is_on_record(session: Session, person: str) -> bool:
    """Whether anything is recorded about a person, or given or held by them."""
    c, a, s = consent_records.c, consent_assessments.c, consent_standings.c
    asked = (
        select(c.id).where(or_(c.subject == person, c.giver == person)),
        select(a.id).where(a.subject == person),
        select(s.id).where(or_(s.subject == person, s.holder == person)),
    )
    return any(session.execute(query.limit(1)).first() for query in asked)


def follow_join(session: Session, old: str, new: str, *, reseal: Reseal, by: str, now: datetime) -> int:
    """All that is on record about `old`, or given or held by `old`, stands for `new` from now on. Returns how much did.

    Raises ConsentError when somebody followed one of the rows at the same moment; it is done again at the next linking.
    """
    c = consent_records.c
    named = select(c.subject).where(or_(c.subject == old, c.giver == old)).distinct()
    carried = 0
    for record in current_records(session, list(session.scalars(named)), now=now):
        if old in (record.subject, record.giver):
            changed = replace(
                record,
                id="",
                follows=record.id,
                subject=new if record.subject == old else record.subject,
                giver=new if record.giver == old else record.giver,
                persons=_renamed(record.persons, old, new),
            )
            record_consent(session, changed, by=by, now=now)
            carried += 1
    for one in reversed(assessments_of(session, [old], until=now)):
        sealed = reseal(one.sealed_reasons, old, new)
        record_assessment(session, replace(one, id="", subject=new, sealed_reasons=sealed))
        carried += 1
    s = consent_standings.c
    about = select(s.subject).where(or_(s.subject == old, s.holder == old)).distinct()
    for fact in standing_facts_of(session, list(session.scalars(about))):
        subject, holder = (new if who == old else who for who in (fact.subject, fact.holder))
        if (subject, holder) != (fact.subject, fact.holder) and subject and subject != holder:
            record_standing(
                session, replace(fact, id="", follows=fact.id, subject=subject, holder=holder), by=by, now=now
            )
            carried += 1
    return carried


def follow_split(session: Session, old: str, new: str, *, by: str, now: datetime) -> int:
    """What holds sharing about `old` back also does for `new`, who was taken out of `old`. Returns how much."""
    carried = 0
    for record in current_records(session, [old], now=now):
        if record.state in RESTRICTING:
            changed = replace(record, id="", follows=None, subject=new, persons=_renamed(record.persons, old, new))
            record_consent(session, changed, by=by, now=now)
            carried += 1
    return carried


def _renamed(persons: tuple[str, ...] | None, old: str, new: str) -> tuple[str, ...] | None:
    return None if persons is None else tuple(dict.fromkeys(new if person == old else person for person in persons))
