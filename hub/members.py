"""Step 3 of the way of one request: who is in the picture, as the decision and the partners need to know them.

For: turning the family that the index knows into members with facts for the decision, record ids for partners
that hold them, and a question for partners that must be asked by name. Must never decide what is shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.orm import Session

from connectors import NHS_NUMBER, PersonQuery, SourceRecord
from hub.assembly import Hub
from hub.casefile import PersonFacts
from hub.enquiries import Enquiry
from hub.people import family_of, records_of_persons
from hub.people.families import Member as FamilyMember
from hub.people.families import flags_of
from hub.people.index import best_birth_date, most_said
from hub.picture import RelationView
from policies.vocabulary import MatchState, RelationToIndex, SubjectFlag

#: Relation of the user's own choice: added to the enquiry, recorded as relevant.
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


def members_of(session: Session, hub: Hub, enquiry: Enquiry, *, now: datetime) -> Family:
    """The confirmed person's family, and the people added to the enquiry."""
    assert enquiry.subject is not None
    family = family_of(session, hub.keys, enquiry.subject, now=now)
    members = [_of_family(m, family.relations, enquiry.subject) for m in family.members]
    known = {m.facts.id for m in members}
    added = [person for person in enquiry.persons if person not in known]
    for person, records in records_of_persons(session, hub.keys, added).items():
        members.append(_member(person, records, RelationToIndex.RECORDED_RELEVANT, why=ADDED, words="added"))
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
    return Family(tuple(members), relations, family.notes)


def member_alone(person: str, records: tuple[SourceRecord, ...]) -> Member:
    """One person without their family, for the GP check."""
    return _member(person, records, RelationToIndex.INDEX)


def identified(person: str, born: date | None, flags: frozenset[SubjectFlag], agencies: Iterable[str]) -> Member:
    """A candidate of a search: only what is needed to decide whether their identity may be shown."""
    facts = PersonFacts(person, born, RelationToIndex.INDEX, flags)
    return Member(facts, (), None, by_agency={agency: ("candidate",) for agency in agencies})


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
        born.date if born and SubjectFlag.UNBORN not in flags else None,
        relation,
        flags,
        MatchState.UNCONFIRMED if unconfirmed else MatchState.CONFIRMED,
    )
    return Member(facts, records, _query(records), why, words, household, by_agency)


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
