"""Whom a notice names, as a decision needs to know them, and what it says of each.

For: hub/notices. Must never take an NHS number alone for somebody: without a birth date that agrees it is said to be
in doubt, and whoever is born on another day by every record is not who is meant.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType

from sqlalchemy.orm import Session

from connectors import STANDARD_FIELDS, Item, Named, OfferedField, PartialDate, Partner, SourceRecord, Value
from hub.assembly import Hub
from hub.casefile import PersonFacts, full_years, london
from hub.members import Member, member_alone
from hub.notices.stored import Notice
from hub.people import candidates, parse_box, records_of
from hub.people.review import person_with
from hub.words import EVENT_WORDS, PART_WORDS
from policies.vocabulary import DataCategory, MatchState, RelationToIndex

#: What a notice may say about the event, and about who somebody is.
EVENT_FIELDS = ("type", "part", "started", "ended", "circumstances", "child_voice", "risk", "location", "contact")
IDENTITY_FIELDS = ("name", "date_of_birth", "nhs_number")


@dataclass(frozen=True, slots=True)
class Concerned:
    """One person whom a notice names. `is_known`: the index has them."""

    named: Named
    member: Member
    is_known: bool


def concerned(hub: Hub, notice: Notice) -> tuple[Concerned, ...]:
    """Everybody whom a notice names, by the index as it is now."""
    with hub.db.session() as session:
        return tuple(_concerned(session, hub, notice, n, one) for n, one in enumerate(notice.event.people))


def pupils(school: Partner, notice: Notice, everybody: Sequence[Concerned], today: date) -> tuple[Concerned, ...]:
    """Who of them is a pupil: who has a record there; or, at a school that the sender names, who is of its ages."""
    known = tuple(one for one in everybody if one.member.record_ids(school.code))
    if known or school.code not in notice.event.services:
        return known
    youngest, oldest = school.coverage.ages or (0, 18)
    return tuple(
        one
        for one in everybody
        if (born := one.member.facts.date_of_birth) and youngest <= full_years(born, today) <= oldest
    )


def as_sender(partner: Partner, category: DataCategory) -> Partner:
    """The sender as its notices need it decided: what a notice can say, in its category, and no answer to wait for."""
    offers = {
        category: tuple(OfferedField(name, STANDARD_FIELDS[name]) for name in EVENT_FIELDS),
        DataCategory.DEMOGRAPHIC: tuple(OfferedField(name, STANDARD_FIELDS[name]) for name in IDENTITY_FIELDS),
    }
    return replace(partner, way="notice", offers=offers, coverage=replace(partner.coverage, ages=None))


def items_about(hub: Hub, notice: Notice, one: Concerned) -> tuple[Item, ...]:
    """What a notice says about one person: the event with their part in it, and who they are."""
    event, partner = notice.event, hub.partners[notice.agency]
    said = {
        "type": ", ".join(EVENT_WORDS[code] for code in event.types),
        "part": PART_WORDS.get(one.named.part, one.named.part),
        "started": _day(event.started),
        "ended": _day(event.ended),
        "location": event.location,
        "contact": partner.contact.in_hours,
        **event.texts,
    }
    who = {
        "name": one.named.name,
        "date_of_birth": one.named.date_of_birth.date.isoformat() if one.named.date_of_birth else None,
        "nhs_number": one.named.nhs_number,
    }
    day = london(event.started or notice.received_at).date()
    return (
        Item(notice.id, "", event.category, day, _values(said)),
        *([Item(notice.id + "/who", "", DataCategory.DEMOGRAPHIC, day, _values(who))] if any(who.values()) else []),
    )


def _day(moment: datetime | None) -> str | None:
    return london(moment).date().isoformat() if moment else None


def _values(said: Mapping[str, str | None]) -> Mapping[str, Value]:
    return MappingProxyType({name: Value(STANDARD_FIELDS[name], text) for name, text in said.items() if text})


def _concerned(session: Session, hub: Hub, notice: Notice, number: int, named: Named) -> Concerned:
    born = named.date_of_birth
    person, records = _person(session, hub, notice, named)
    days = [r.person.date_of_birth for r in records if r.person.date_of_birth]
    if person is None or (born and days and not any(_may_be(one, born) for one in days)):
        digest = hashlib.sha256(f"{notice.id}\x1f{number}".encode()).hexdigest()[:16]
        match = MatchState.CONFIRMED if born else MatchState.UNCONFIRMED
        facts = PersonFacts("PE-" + digest, born.date if born else None, RelationToIndex.INDEX, match=match)
        return Concerned(named, Member(facts, (), None), False)
    member = member_alone(person, records)
    sure = named.nhs_number is None or (born is not None and any(_may_be(one, born) for one in days))
    if not sure:
        member = replace(member, facts=replace(member.facts, match=MatchState.UNCONFIRMED))
    return Concerned(named, member, True)


def _person(session: Session, hub: Hub, notice: Notice, named: Named) -> tuple[str | None, tuple[SourceRecord, ...]]:
    if named.nhs_number is None:
        person = person_with(session, notice.agency, named.identifier.value)
    else:
        found = candidates(session, hub.keys, parse_box(named.nhs_number), now=notice.received_at).candidates
        person = found[0].person if len(found) == 1 else None
    return (person, records_of(session, hub.keys, person)) if person else (None, ())


def _may_be(recorded: PartialDate, said: PartialDate) -> bool:
    """Whether a recorded birth date can be the one that is said: what either is not sure of does not part them."""
    parts = zip(recorded.accuracy, said.accuracy, ("day", "month", "year"), strict=False)
    return all(
        (ours, theirs) != ("A", "A") or getattr(recorded.date, part) == getattr(said.date, part)
        for ours, theirs, part in parts
    )
