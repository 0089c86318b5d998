"""What a picture shows from the matching index: names, birth dates, relations - permitted, and told to the trail.

For: labels and relations, which no partner is asked for again. Must never use an agency's word without that
agency's permit for the person, nor where a real item of it was just held back; whatever it shows is in the
outcome's record like everything else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from connectors import PartialDate, SourceRecord
from hub.members import Family, Member
from hub.people.relations import words_from_other_side
from hub.people.said import best_birth_date, best_name, most_said
from hub.people.ties import contradicted
from hub.permits import Decided
from hub.picture import RelationView
from hub.redaction import Redacted, plain
from policies.vocabulary import DataCategory

#: The field names under which the trail records what the index gave.
IDENTITY_FIELDS = ("name", "date_of_birth", "sex")
RELATIONS_FIELD = "relationships"


@dataclass(frozen=True, slots=True)
class Identity:
    """What a person is called here: what most agencies say that may be shown, the fullest form of it."""

    label: str
    born: PartialDate | None
    sex_code: str | None
    agencies: frozenset[str]


@dataclass(frozen=True, slots=True)
class Revealed:
    """Identities by person, and the relations that may be told."""

    identities: Mapping[str, Identity] = field(default_factory=dict)
    relations: tuple[RelationView, ...] = ()
    #: Who is shown and what is said of how they belong, as if nobody knew of those who are not shown.
    members: tuple[Member, ...] = ()
    notes: tuple[str, ...] = ()

    def rows(self) -> Iterable[tuple[str, str, tuple[str, ...]]]:
        """(agency, person, fields) for the trail."""
        for person, identity in self.identities.items():
            for agency in identity.agencies:
                yield agency, person, IDENTITY_FIELDS
        for relation in self.relations:
            for agency in relation.agencies:
                for person in (relation.person, relation.of):
                    yield agency, person, (RELATIONS_FIELD,)


def reveal(family: Family, decided: Decided, redacted: Redacted, *, subject: str | None) -> Revealed:
    """Names and relations of this family, as far as permits for names reach.

    Nothing that is said of those who are shown - a half-sister, a shared home, a contradiction - may follow from
    somebody who is not: the family is worked out again without them.
    """
    cut = {(w.person, w.agency) for w in redacted.cut if w.category == DataCategory.DEMOGRAPHIC}

    def may_say(person: str, agency: str) -> bool:
        return (person, agency) not in cut and decided.allows(person, agency, DataCategory.DEMOGRAPHIC, "name")

    identities = {}
    for member in family.members:
        records = [record for record in member.records if may_say(member.facts.id, record.agency)]
        if records:
            identities[member.facts.id] = _identity(records)
    hidden = frozenset(m.facts.id for m in family.members) - identities.keys() - {subject}
    seen = family.without(hidden) if hidden else family
    facts = {m.facts.id: m.facts for m in family.members}
    members = tuple(replace(m, facts=facts[m.facts.id]) for m in seen.members if m.facts.id in facts)
    shown = {m.facts.id for m in members}
    identities = {person: identity for person, identity in identities.items() if person in shown}
    relations = []
    for relation in seen.relations:
        agencies = tuple(a for a in relation.agencies if may_say(relation.person, a) and may_say(relation.of, a))
        if agencies and {relation.person, relation.of} <= identities.keys():
            relations.append(replace(relation, agencies=agencies))
    # A contradiction is told only to whoever sees both sides of it.
    doubtful = contradicted(relations)
    relations = [replace(r, contradicted=at in doubtful) for at, r in enumerate(relations)]
    return Revealed(identities, tuple(relations), members, seen.notes)


def relation_words(member: Member, subject: str, revealed: Revealed) -> tuple[str, str]:
    """How somebody stands to the person asked about and why they are here, as far as that may be told."""
    if member.facts.id == subject or member.is_added:
        return member.relation_words, member.why
    words = ", ".join(
        dict.fromkeys(r.words for r in revealed.relations if r.person == member.facts.id and r.of == subject)
    )
    identity = revealed.identities.get(member.facts.id)
    sex = identity.sex_code if identity else None
    told = [r.code for r in revealed.relations if r.person == subject and r.of == member.facts.id]
    words = words or ", ".join(dict.fromkeys(words_from_other_side(code, sex) for code in told))
    if words:
        return words, member.why
    return "in the family", "An agency that you may ask records them with this family."


def _identity(records: list[SourceRecord]) -> Identity:
    return Identity(
        label=plain(best_name([name for record in records for name in record.person.names])) or "Name not held",
        born=best_birth_date(records),
        sex_code=most_said(record.person.sex_code for record in records),
        agencies=frozenset(record.agency for record in records),
    )
