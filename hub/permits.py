"""Step 5 of the way of one request: every person x agency x category is decided, and only a permit opens a partner.

For: turning decisions into permits, refusals and "not asked". Must never make an ask without a permit and a
promise: `asks_for` takes both, so skipping a step is a type error.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connectors import Ask, OfferedField, Partner, PersonQuery, Promise, Reply
from hub.casefile import SENSITIVE_SERVICES, CaseFile, PersonFacts
from hub.members import Member
from hub.obligations import ORDINARY, SHOWING, Means, may_show
from policies import Decision, DecisionRequest, Made, decide_each
from policies.vocabulary import DataCategory, GpAnswer, Involvement, Obligation, Outcome

#: Makes the promise for one question: to this agency, about the person of this capsule of the intent.
PromiseTo = Callable[[str, int], Promise]
#: The clock of a request to this agency, where a person answers; None where a system does.
ReplyBy = Callable[[str], Reply | None]


@dataclass(frozen=True, slots=True)
class Permit:
    """These fields of this category of this person may be asked of this agency, under these obligations."""

    person: str
    agency: str
    category: DataCategory
    fields: frozenset[str]
    decision: Decision
    request: DecisionRequest


@dataclass(frozen=True, slots=True)
class Refusal:
    """Not this, and by which rules; the reader is told uniformly, the trail exactly."""

    person: str
    agency: str
    category: DataCategory
    outcome: Outcome
    rules: tuple[str, ...]
    obligations: tuple[Obligation, ...]
    made: Made
    answer: GpAnswer | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """All decisions of one page. `irrelevant` are person x agency pairs that the agency does not cover by age."""

    permits: tuple[Permit, ...]
    refusals: tuple[Refusal, ...]
    irrelevant: frozenset[tuple[str, str]]
    fields: Mapping[tuple[str, str, DataCategory], frozenset[str]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Indexes the permitted fields by person, agency and category."""
        allowed = {(p.person, p.agency, p.category): p.fields for p in self.permits}
        object.__setattr__(self, "fields", allowed)

    @property
    def made(self) -> tuple[Made, ...]:
        """Each decision with what it was made of, for the record."""
        return (*(Made(p.request, p.decision) for p in self.permits), *(refusal.made for refusal in self.refusals))

    def allows(self, person: str, agency: str, category: DataCategory, name: str) -> bool:
        """True when a permit names this field."""
        return name in self.fields.get((person, agency, category), ())


def decide_all(
    case: CaseFile,
    members: Iterable[Member],
    partners: Iterable[Partner],
    wanted: frozenset[DataCategory] | None,
    *,
    only_fields: frozenset[str] | None = None,
    involvement: Involvement | None = None,
    means: Means = ORDINARY,
) -> Decided:
    """Decides each person x agency x category that the agency offers; `wanted` None means all it offers.

    An agency whose coverage rules somebody out by age is asked about them only if it is known to hold a record.
    `means`: what this way of showing can do beyond the ordinary (hub/obligations.py).
    """
    partners = tuple(partners)
    asked: list[_Asked] = []
    irrelevant: set[tuple[str, str]] = set()
    for member in members:
        for partner in partners:
            out_of_cover = not covers(partner, member.facts, case)
            if out_of_cover and not member.record_ids(partner.code):
                irrelevant.add((member.facts.id, partner.code))
                continue
            offers = _offers(partner, wanted, only_fields)
            asked.append(_Asked(member.facts, partner, out_of_cover, tuple(offers)))
    questions = [
        [_question(case, one.person, one.partner, *offer, involvement) for offer in one.offers] for one in asked
    ]
    # One page, one go: what is the same for all items of a person and agency is worked out once.
    decisions = decide_each(request for here in questions for request in here)
    permits: list[Permit] = []
    refusals: list[Refusal] = []
    for one, requests in zip(asked, questions, strict=True):
        here = [
            _outcome(one, category, request, next(decisions), means)
            for (category, _), request in zip(one.offers, requests, strict=True)
        ]
        if one.out_of_cover and _gives_away(here):
            # A refusal where others of this age are "not asked" would say that something is held.
            irrelevant.add((one.person.id, one.partner.code))
            here = [each for each in here if isinstance(each, Refusal)]
        permits += [each for each in here if isinstance(each, Permit)]
        refusals += [each for each in here if isinstance(each, Refusal)]
    return Decided(tuple(permits), tuple(refusals), frozenset(irrelevant))


def _claims(request: DecisionRequest) -> dict[str, str]:
    """What another hub needs to decide by its own rules: codes and moments, never the worker's words."""
    said = {"Role": str(request.actor.role)}
    episode = request.episode
    if episode is not None:
        said |= {"Episode": episode.id, "OpenedAt": episode.opened_at.isoformat()}
        if (reached := episode.threshold) is not None:
            said |= {
                "Threshold": str(reached.kind),
                "ThresholdByRole": str(reached.recorded_by_role),
                "ThresholdAt": reached.recorded_at.isoformat(),
            }
    return said


@dataclass(frozen=True, slots=True)
class _Asked:
    """One person and one agency, and what of the agency's offers is asked for."""

    person: PersonFacts
    partner: Partner
    out_of_cover: bool
    offers: tuple[tuple[DataCategory, tuple[OfferedField, ...]], ...]


def _offers(
    partner: Partner, wanted: frozenset[DataCategory] | None, only_fields: frozenset[str] | None
) -> Iterator[tuple[DataCategory, tuple[OfferedField, ...]]]:
    for category, offered in partner.offers.items():
        if wanted is None or category in wanted:
            chosen = offered if only_fields is None else tuple(one for one in offered if one.name in only_fields)
            yield category, chosen


def _gives_away(decisions: Sequence[Permit | Refusal]) -> bool:
    """True unless the involvement itself may be shown (or everything, where involvement is not asked for)."""
    involvement = [d for d in decisions if d.category == DataCategory.SERVICE_INVOLVEMENT]
    return any(isinstance(d, Refusal) for d in involvement or decisions)


def covers(partner: Partner, person: PersonFacts, case: CaseFile) -> bool:
    """False when the agency's coverage rules this person out by age; an unknown age never rules out."""
    if partner.coverage.ages is None or person.date_of_birth is None:
        return True
    youngest, oldest = partner.coverage.ages
    born, today = person.date_of_birth, case.today
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return youngest <= age <= oldest


def asks_for(
    permits: Sequence[Permit],
    promised: PromiseTo,
    *,
    members: Sequence[Member],
    settled: frozenset[str] = frozenset(),
    reply_by: ReplyBy = lambda agency: None,
) -> tuple[Ask, ...]:
    """One ask per person x agency: only permitted categories and fields, with the promise that it is on record.

    An agency that is not known to hold a record of the person is asked by name, unless it is `settled`: what
    the index holds of it is its last load, so its answer is known already. Somebody of whom too little is known is
    asked about with an empty name: the connector says that it is too little, and nobody reads "nothing held".
    """
    wanted: dict[tuple[str, str], dict[DataCategory, frozenset[str]]] = {}
    purpose, claims = "", dict[str, str]()
    numbered = {member.facts.id: (number, member) for number, member in enumerate(members)}
    for permit in permits:
        wanted.setdefault((permit.agency, permit.person), {})[permit.category] = permit.fields
        purpose, claims = str(permit.request.purpose), _claims(permit.request)
    asks = []
    for (agency, person), categories in wanted.items():
        number, member = numbered[person]
        known = member.record_ids(agency)
        if known or agency not in settled:
            asks.append(
                Ask(
                    agency=agency,
                    person=person,
                    records=known,
                    query=None if known else member.query or PersonQuery(),
                    wanted=categories,
                    purpose=purpose,
                    promise=promised(agency, number),
                    reply=reply_by(agency),
                    claims=claims,
                )
            )
    return tuple(asks)


def _question(
    case: CaseFile,
    person: PersonFacts,
    partner: Partner,
    category: DataCategory,
    offered: tuple[OfferedField, ...],
    involvement: Involvement | None,
) -> DecisionRequest:
    # Whatever a sensitive service says - a name, a start date - gives away that it is involved.
    asked = SENSITIVE_SERVICES.get(partner.type, category)
    return case.request(person, partner, asked, offered, involvement=involvement)


def _outcome(
    one: _Asked, category: DataCategory, request: DecisionRequest, decision: Decision, means: Means
) -> Permit | Refusal:
    person, agency = one.person.id, one.partner.code
    if may_show(decision, request, means):
        return Permit(person, agency, category, frozenset(decision.fields), decision, request)
    outcome = decision.outcome if decision.outcome not in SHOWING else Outcome.REFER
    made = Made(request, decision)
    return Refusal(person, agency, category, outcome, decision.rules, decision.obligations, made, decision.answer)
