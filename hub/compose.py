"""Step 8, second half: from what may be shown to the picture that a page renders.

For: cells in five states, people with the source of every fact, contradictions side by side, events. Must
never see a partner's item - only what redaction kept - and must write a silently denied cell exactly like an
empty one.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime

from connectors import Answer, Partner, load_times
from hub.assembly import Hub
from hub.casefile import london
from hub.cells import Place, Said, cell, day_of, text_of
from hub.context import RequestContext
from hub.enquiries import Enquiry
from hub.members import Member
from hub.people import age_on
from hub.permits import Decided
from hub.picture import AgencyView, Cell, Conflict, EventView, Fact, FamilyPicture, Grounds, PersonView
from hub.redaction import Kept, Redacted
from hub.revealing import Revealed, relation_words
from hub.words import AGENCY_TYPE_WORDS, CATEGORY_WORDS, PURPOSE_WORDS
from policies import for_refused
from policies.vocabulary import AnswerState, DataCategory, Obligation, Outcome, SubjectFlag

#: Categories whose items are single happenings rather than periods of service.
HAPPENINGS = frozenset({DataCategory.POLICE_INCIDENT, DataCategory.CSE_MISSING})
#: Categories that a worried reader looks at first.
SIGNIFICANT = frozenset(
    {
        DataCategory.POLICE_INCIDENT,
        DataCategory.CSE_MISSING,
        DataCategory.SOCIAL_CARE_STATUS,
        DataCategory.ASC_PACKAGE,
        DataCategory.SUBSTANCE_MISUSE,
    }
)
#: Fields that agencies can contradict each other about.
COMPARED = ("name", "date_of_birth", "sex", "address", "nhs_number")
ALONE = "No other person is known in this family. That does not mean that there is nobody."
_NOT_ON_TIMELINE = frozenset({DataCategory.SERVICE_INVOLVEMENT, DataCategory.DEMOGRAPHIC})


def picture(
    hub: Hub,
    ctx: RequestContext,
    enquiry: Enquiry,
    decided: Decided,
    answers: Mapping[Place, Answer],
    redacted: Redacted,
    revealed: Revealed,
    grounds: Grounds,
) -> FamilyPicture:
    """Everything the page renders. People whose identity no agency may share with this reader are absent."""
    named = revealed.identities
    shown = [m for m in revealed.members if m.facts.id in named or m.facts.id == enquiry.subject]
    kept = _by_place(redacted.kept)
    with hub.db.session() as session:
        loaded = load_times(session)
    said = Said(hub, enquiry, ctx, decided, answers, redacted)
    cells = [cell(member, partner, said, kept) for member in shown for partner in hub.partners.values()]
    partial = any(answer.dropped for answer in answers.values())
    return FamilyPicture(
        enquiry=enquiry.id,
        enquiry_reference=enquiry.reference,
        purpose_words=PURPOSE_WORDS[enquiry.purpose],
        made_at=ctx.now,
        subject=enquiry.subject or "",
        people=tuple(_person(m, enquiry, revealed, kept, ctx) for m in shown),
        agencies=tuple(_agency(p, cells, ctx, hub, loaded.get(p.code, ctx.now)) for p in hub.partners.values()),
        cells=tuple(cells),
        relations=revealed.relations,
        events=_events(shown, redacted.kept),
        notes=(
            # By who is shown, not by who is known: else its absence would tell of somebody who may not be seen.
            *([ALONE] if len(shown) == 1 else []),
            *revealed.notes,
            *(["A partner sent something that could not be used; it is not shown."] if partial else []),
            *_still_awaited(hub, answers),
        ),
        grounds=grounds,
        no_export=any(Obligation.NO_EXPORT in one.obligations for one in redacted.kept),
        sealed=frozenset(
            (made.request.subject.id, made.request.owner.agency, made.request.item.category)
            for made in redacted.made
            if made.decision.outcome == Outcome.REFER and {"P23", "P49"} & set(made.decision.rules)
        ),
    )


def _by_place(kept: Iterable[Kept]) -> dict[tuple[str, str, DataCategory], list[Kept]]:
    found: dict[tuple[str, str, DataCategory], list[Kept]] = {}
    for one in kept:
        found.setdefault((one.person, one.agency, one.category), []).append(one)
    return found


def _person(
    member: Member,
    enquiry: Enquiry,
    revealed: Revealed,
    kept: Mapping[tuple[str, str, DataCategory], list[Kept]],
    ctx: RequestContext,
) -> PersonView:
    identity = revealed.identities.get(member.facts.id)
    words, why = relation_words(member, enquiry.subject or "", revealed)
    facts = [
        Fact(name, value.kind, value.text, one.agency, one.as_of)
        for (person, _agency, category), items in kept.items()
        if person == member.facts.id and category == DataCategory.DEMOGRAPHIC
        for one in items
        for name, value in one.values.items()
    ]
    born = identity.born if identity else None
    today = london(ctx.now).date()
    warnings = []
    if {SubjectFlag.SHIELDED, SubjectFlag.FLEEING_DA} & member.facts.flags:
        warnings.append("Whereabouts are protected and not shown. Do not ask the family or others for an address.")
    return PersonView(
        id=member.facts.id,
        label=identity.label if identity else "Name not shared",
        sex_code=identity.sex_code if identity else None,
        age=age_on(born, london(ctx.now)) if born and born.date <= today else None,
        unborn=SubjectFlag.UNBORN in member.facts.flags,
        deceased=identity is not None and SubjectFlag.DECEASED in member.facts.flags,
        is_subject=member.facts.id == enquiry.subject,
        relation_to_subject=words,
        why_here=why,
        household=member.household if identity else None,
        facts=tuple(sorted(facts, key=lambda f: (f.name, f.agency, f.value))),
        conflicts=_conflicts(facts),
        warnings=tuple(warnings),
    )


def _conflicts(facts: list[Fact]) -> tuple[Conflict, ...]:
    conflicts = []
    for name in COMPARED:
        said: dict[str, Fact] = {}
        for fact in facts:
            if fact.name == name:
                said.setdefault(re.sub(r"[^0-9a-z]", "", fact.value.casefold()), fact)
        if len(said) > 1:
            conflicts.append(Conflict(name, tuple(f for f in facts if f.name == name)))
    return tuple(conflicts)


def _still_awaited(hub: Hub, answers: Mapping[Place, Answer]) -> list[str]:
    """Agencies that answered, and of which more was asked since."""
    names = {
        hub.partners[agency].name for (agency, _), a in answers.items() if a.due_at and a.state == AnswerState.FOUND
    }
    return [f"{name} was asked for more than it has answered yet." for name in sorted(names)]


def _agency(partner: Partner, cells: list[Cell], ctx: RequestContext, hub: Hub, current: datetime) -> AgencyView:
    """An agency's card. What it says depends on its cells alone, so that a silent denial looks like an empty answer.

    Takes `current`: as of when this agency answers - its last load, or now when it is asked live.
    """
    own = [cell for cell in cells if cell.agency == partner.code]
    states = {cell.state for cell in own}
    #: The most important state first: what somebody must act on.
    order = (
        AnswerState.NO_ANSWER,
        AnswerState.FOUND,
        AnswerState.WITHHELD,
        AnswerState.NOTHING_HELD,
        AnswerState.NOT_ASKED,
    )
    state = next((s for s in order if s in states), AnswerState.NOT_ASKED)
    agreements = [
        f"{a.reference} version {a.version}"
        for a in (agreement.for_decision() for agreement in hub.agreements)
        if partner.code in a.disclosers
        and ctx.actor.agency in a.recipients
        and any(ctx.purpose in clause.purposes for clause in a.clauses)
    ]
    count = sum(cell.state == state for cell in own)
    words = {
        AnswerState.FOUND: f"Involved with {count} of {len(own)} people",
        AnswerState.NOTHING_HELD: "Nothing held about anybody shown",
        AnswerState.WITHHELD: f"Not shared for {count} of {len(own)} people",
        AnswerState.NO_ANSWER: f"No answer about {count} of {len(own)} people",
        AnswerState.NOT_ASKED: "Not asked",
    }
    return AgencyView(
        code=partner.code,
        name=partner.name,
        kind_words=AGENCY_TYPE_WORDS[partner.type],
        contact=partner.contact,
        coverage=partner.coverage.sentence,
        as_of=current if state in (AnswerState.FOUND, AnswerState.NOTHING_HELD) else None,
        agreement=agreements[0] if agreements else None,
        state=state,
        sentence=words[state],
        refused=for_refused(partner.name, _whom_to_ring(partner)) if AnswerState.WITHHELD in states else None,
    )


def _whom_to_ring(partner: Partner) -> str:
    line = partner.contact
    late = f", out of hours {line.out_of_hours}" if line.out_of_hours else ""
    return f"{line.name or partner.name} on {line.in_hours}{late}"


def _events(members: Iterable[Member], kept: Iterable[Kept]) -> tuple[EventView, ...]:
    ids = {m.facts.id for m in members}
    events = []
    for one in kept:
        if one.category in _NOT_ON_TIMELINE or one.person not in ids:
            continue
        started = day_of(one.values, "started") or one.occurred_on
        ended = day_of(one.values, "ended")
        events.append(
            EventView(
                person=one.person,
                agency=one.agency,
                category=one.category,
                title=text_of(one.values, "type") or text_of(one.values, "service") or CATEGORY_WORDS[one.category],
                started=started,
                ended=ended,
                is_period=ended != started if ended else one.category not in HAPPENINGS,
                significant=one.category in SIGNIFICANT or "risk" in one.values,
                part=text_of(one.values, "part"),
                facts=tuple(
                    Fact(name, value.kind, value.text, one.agency, one.as_of, value.file)
                    for name, value in one.values.items()
                    if name not in ("type", "started", "ended", "part")
                ),
                as_of=one.as_of,
            )
        )
    return tuple(sorted(events, key=lambda e: (e.started or date.min, e.agency, e.title), reverse=True))
