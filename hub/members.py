"""Step 3 of the way of one request: who is in the picture, as the decision and the partners need to know them.

For: turning the family that the index knows into members with facts for the decision, record ids for partners
that hold them, and a question for partners that must be asked by name. Must never decide what is shown.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from connectors import NHS_NUMBER, PartialDate, PersonQuery, SourceRecord
from hub.assembly import Hub
from hub.casefile import PersonFacts
from hub.context import RequestContext
from hub.enquiries import Enquiry, identity_of
from hub.errors import NotForYou, NotFound
from hub.people import family_of, records_of_persons
from hub.people.families import Member as FamilyMember
from hub.people.said import best_birth_date, flags_of, most_said
from hub.picture import RelationView
from policies.vocabulary import MatchState, RelationToIndex, SubjectFlag

#: People who must not be found through others (rules P27, P28).
PROTECTED = frozenset({SubjectFlag.SHIELDED, SubjectFlag.FLEEING_DA, SubjectFlag.PROTECTED_PERSON})
#: How somebody who is added to an enquiry is connected, as the worker says it; anything else is not needed (rule P09).
CONNECTIONS: Mapping[str, RelationToIndex] = {
    "HOUSEHOLD": RelationToIndex.HOUSEHOLD,
    "NAMED_CONCERN": RelationToIndex.NAMED_CONCERN,
    "RECORDED_RELEVANT": RelationToIndex.RECORDED_RELEVANT,
}
ADDED = "Added to this enquiry by you or a colleague."


@dataclass(frozen=True, slots=True)
class Member:
    """One person. `query` is None when too little is known to ask a partner by name."""

    facts: PersonFacts
    records: tuple[SourceRecord, ...]
    query: PersonQuery | None
    why: str = ""
    relation_words: str = ""
    household: str | None = None
    is_added: bool = False
    by_agency: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def record_ids(self, agency: str) -> tuple[str, ...]:
        """The agency's own record ids of this person."""
        return self.by_agency.get(agency, ())


@dataclass(frozen=True, slots=True)
class Family:
    """Everybody the picture may be about, and how they stand to each other."""

    members: tuple[Member, ...]
    relations: tuple[RelationView, ...]
    notes: tuple[str, ...]
    #: The same family as if nobody knew of these persons; the facts for the decision stay as they are.
    without: Callable[[frozenset[str]], "Family"] = field(repr=False, compare=False)


def members_of(session: Session, hub: Hub, enquiry: Enquiry, *, now: datetime) -> Family:
    """The confirmed person's family, and the people added to the enquiry."""
    family = _family(session, hub, enquiry, now)
    _still_the_same(hub, enquiry, {m.facts.id: m.records for m in family.members})
    return replace(family, members=tuple(_shield_those_who_live_together(list(family.members), now.date())))


def require_no_tie(hub: Hub, ctx: RequestContext, enquiry: Enquiry) -> Enquiry:
    """The enquiry, for whoever is neither in its family nor related to it (rules P33 and P34); NotFound for the others.

    What an agency records about an enquiry itself is about the whole family: no decision person by person covers it.
    """
    close = {*ctx.actor.own_persons, *ctx.actor.own_family}
    if close and enquiry.subject is not None:
        with hub.db.session() as session:
            family = {m.facts.id for m in _family(session, hub, enquiry, ctx.now).members}
        if close & {enquiry.subject, *enquiry.persons, *family}:
            raise NotFound("There is no such enquiry.")
    return enquiry


def _family(
    session: Session, hub: Hub, enquiry: Enquiry, now: datetime, without: frozenset[str] = frozenset()
) -> Family:
    assert enquiry.subject is not None
    family = family_of(session, hub.keys, enquiry.subject, now=now, without=without)
    members = [_of_family(m, family.relations, enquiry.subject) for m in family.members]
    known = {m.facts.id for m in members} | without
    added = {person: why for person, why in enquiry.persons.items() if person not in known}
    for person, records in records_of_persons(session, hub.keys, added).items():
        relation = CONNECTIONS.get(added[person], RelationToIndex.OTHER)
        member = _member(person, records, relation, why=ADDED, words=_standing(relation))
        members.append(replace(member, is_added=True))
    relations = tuple(
        RelationView(
            person=r.person,
            of=r.of,
            code=r.code,
            words=r.words,
            agencies=r.agencies,
            basis=r.basis,
            contradicted=r.contradicted,
        )
        for r in family.relations
    )

    def as_seen(hidden: frozenset[str]) -> Family:
        with hub.db.session() as again:
            return _family(again, hub, enquiry, now, hidden)

    return Family(tuple(members), relations, family.notes, as_seen)


def _still_the_same(hub: Hub, enquiry: Enquiry, records: Mapping[str, tuple[SourceRecord, ...]]) -> None:
    """Refuses to go on when records were linked anew and a confirmed person is no longer who was confirmed."""
    for person, mark in enquiry.identities.items():
        if person not in records or identity_of(hub, records[person]) != mark:
            raise NotForYou(
                "Records of a person in this enquiry were put together anew since somebody confirmed them.",
                next_steps=("Open a new enquiry and confirm the person again.",),
            )


def related_persons(family: Family, enquiry: Enquiry) -> tuple[str, ...]:
    """Whom the enquiry is a relationship to (rule P03): its family - but a protected person only when named exactly.

    Somebody who fled is not reached through the family they fled from; who asks about them, by naming them, also
    reaches those who are protected with them.
    """
    subject = next((m for m in family.members if m.facts.id == enquiry.subject), None)
    is_protected_enquiry = subject is not None and bool(flags_of(subject.records) & PROTECTED)
    return tuple(
        m.facts.id
        for m in family.members
        if not m.facts.flags & PROTECTED or is_protected_enquiry or m.facts.id in enquiry.persons
    )


def _shield_those_who_live_together(members: list[Member], today: date) -> list[Member]:
    """Who shares a protected person's dwelling is protected too, flagged or not.

    Only records that carry the flag say where the protected dwelling is; an old record of theirs does not, nor does
    an agency's family reference, which may still hold the partner who was left. Whoever stayed where they lived
    before is not hidden, and their page must not hint at who fled.
    """
    homes = {
        key
        for m in members
        for r in m.records
        if r.flags & PROTECTED
        for key in set(_homes(r)) - _left_behind(m.records, today)
    }
    if not homes:
        return members
    return [
        replace(m, facts=replace(m.facts, flags=m.facts.flags | {SubjectFlag.SHIELDED}))
        if not m.facts.flags & PROTECTED and any(key in homes for r in m.records for key in _homes(r))
        else m
        for m in members
    ]


def _left_behind(records: Iterable[SourceRecord], today: date) -> set[str]:
    """Dwellings that a protected person has left.

    A record there has ended, and either no other still has them there, or a flagged one has them elsewhere since
    later. An agency that merely ended its work is not enough: they may still live there.
    """
    ended = {key for r in records if r.valid_until is not None and r.valid_until < today for key in _homes(r)}
    now = [(r, set(_homes(r))) for r in records if r.valid_until is None or r.valid_until >= today]
    left = set()
    for key in ended:
        here = [r.valid_from for r, homes in now if key in homes]
        since = [r.valid_from for r, homes in now if homes and key not in homes and r.flags & PROTECTED]
        latest = max((day for day in here if day), default=date.min)
        if not here or (None not in here and any(day is not None and day > latest for day in since)):
            left.add(key)
    return left


def _homes(record: SourceRecord) -> Iterable[str]:
    for address in record.person.addresses:
        if address.line1 and address.postcode and address.use != "old":
            yield re.sub(r"[^0-9a-z]", "", f"{address.line1}{address.postcode}".casefold())


def member_alone(person: str, records: tuple[SourceRecord, ...]) -> Member:
    """One person without their family, for the GP check."""
    return _member(person, records, RelationToIndex.INDEX)


def protected_alone(session: Session, hub: Hub, person: str, *, now: datetime) -> Member | None:
    """One person, protected also when they live with somebody who is. None for an unknown person."""
    family = family_of(session, hub.keys, person, now=now)
    members = [_of_family(m, family.relations, person) for m in family.members]
    shielded = _shield_those_who_live_together(members, now.date())
    return next((m for m in shielded if m.facts.id == person), None)


def identified(person: str, born: date | None, flags: frozenset[SubjectFlag], agencies: Iterable[str]) -> Member:
    """A candidate of a search: only what is needed to decide whether their identity may be shown."""
    facts = PersonFacts(person, born, RelationToIndex.INDEX, flags)
    return Member(facts, (), None, by_agency=dict.fromkeys(agencies, ("candidate",)))


def nobody() -> Member:
    """Somebody whom no agency knows: on no list, with nothing to ask for. Decided like anybody else."""
    return Member(PersonFacts("PE-unlisted", None, RelationToIndex.INDEX), (), None)


def _of_family(m: FamilyMember, relations: Iterable[object], subject: str) -> Member:
    words = ", ".join(
        dict.fromkeys(r.words for r in relations if r.person == m.person and r.of == subject)  # type: ignore[attr-defined]
    )
    return _member(
        m.person,
        m.records,
        m.relation_to_index,
        why=m.why,
        words=words or _standing(m.relation_to_index),
        household=m.household,
    )


def _member(
    person: str,
    records: tuple[SourceRecord, ...],
    relation: RelationToIndex,
    *,
    why: str = "",
    words: str = "",
    household: str | None = None,
) -> Member:
    flags = flags_of(records)
    born = best_birth_date(records)
    by_agency: dict[str, tuple[str, ...]] = {}
    for record in records:
        # A person named inside another person's row has no record of their own to ask for.
        if "#" not in record.record:
            by_agency[record.agency] = (*by_agency.get(record.agency, ()), record.record)
    unconfirmed = SubjectFlag.MATCH_UNCONFIRMED in flags
    facts = PersonFacts(
        person,
        _youngest(born) if born and SubjectFlag.UNBORN not in flags else None,
        relation,
        flags,
        MatchState.UNCONFIRMED if unconfirmed else MatchState.CONFIRMED,
    )
    return Member(facts, records, _query(records), why, words, household, by_agency=by_agency)


def _youngest(born: PartialDate) -> date:
    """The last day that a partly known birth date can be: a right that comes with age never comes early."""
    day, month = born.accuracy[0:1], born.accuracy[1:2]
    if month != "A":
        return born.date.replace(month=12, day=31)
    if day != "A":
        return (born.date.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return born.date


def _query(records: tuple[SourceRecord, ...]) -> PersonQuery | None:
    born = best_birth_date(records)
    number = most_said(record.person.identifier(NHS_NUMBER) for record in records)
    names = [name for record in records for name in record.person.names]
    family = tuple(dict.fromkeys(f for name in names for f in name.family))
    given = tuple(dict.fromkeys(g for name in names for g in name.given))
    exact = born.date if born and born.accuracy == "AAA" else None
    if not number and not (family and exact):
        return None
    return PersonQuery(
        given=given,
        family=family,
        date_of_birth=exact,
        nhs_number=number,
        sex_code=most_said(record.person.sex_code for record in records),
    )


def _standing(relation: RelationToIndex) -> str:
    return {
        RelationToIndex.INDEX: "asked about",
        RelationToIndex.HOUSEHOLD: "same household",
        RelationToIndex.PR_HOLDER: "parent",
        RelationToIndex.NAMED_CONCERN: "named in the concern",
        RelationToIndex.RECORDED_RELEVANT: "recorded as relevant",
        RelationToIndex.FORMER_HOUSEHOLD: "lived in the household before",
        RelationToIndex.PEER: "peer",
        RelationToIndex.OTHER: "other",
    }[relation]
