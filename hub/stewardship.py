"""A data steward settles whether two records are one person: the queue, the pair side by side, and the undoing.

For: links that matching is not sure of, of agencies whose agreement in force allows DATA_MATCHING. Must never show or
propose somebody who is adopted, shielded or protected, or lives with somebody who is (rules P27, P28), never show
where somebody is, and never store what a steward said before it stands in the trail.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from audit import Receipt
from hub import decisions
from hub.assembly import Hub
from hub.casefile import CaseFile, london
from hub.context import RequestContext
from hub.enquiries import LEAST, acts_since, count_act, says_enough, user_of
from hub.errors import FormRefused, NotFound
from hub.following import after_linking
from hub.matching_agreed import matching_allowed
from hub.members import PROTECTED, identified
from hub.people import family_of, review
from hub.people.linking import SAME
from hub.people.review import CANNOT_TELL, Doubt, Held
from hub.people.said import best_birth_date, flags_of
from hub.permits import Permit, decide_all
from policies import Made, Relationship
from policies.vocabulary import AccessMode, DataCategory, Purpose, RelationshipKind, SubjectFlag

NOT_SAME = "NOT_SAME"
#: What a steward can say about a pair, and the event that it becomes.
EVENTS = {SAME: "match:confirmed", NOT_SAME: "match:rejected", CANNOT_TELL: "match:proposed"}
#: Whom no steward sees, whatever a link may say.
HIDDEN = PROTECTED | {SubjectFlag.ADOPTED, SubjectFlag.CASE_LOCKED}
#: Pairs of one page of the queue.
PAGE = 20
#: The fields of an identity that a steward compares; never an address or a number.
COMPARED = frozenset({"name", "date_of_birth", "sex"})
GONE = "There is nothing to decide here: it was settled, or the records have changed."
#: How a look-up of a record counts for the budget of an hour.
LOOK_UP = "record-look-up"


class Settled(Exception):
    """Somebody settled the same between the look and the word."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Records a steward may see side by side, the fields per agency, and the proof that they were shown.

    `mark` goes with the form and must come back: a decision is only about what was looked at.
    """

    records: tuple[Held, ...]
    fields: dict[tuple[str, str], frozenset[str]]
    mark: str
    receipt: Receipt


def queue(hub: Hub, ctx: RequestContext) -> tuple[Doubt, ...]:
    """At most PAGE pairs in doubt, the likeliest first; for the page to name the agencies, never the persons."""
    allowed = [code for code in hub.partners if matching_allowed(hub.agreements, code, london(ctx.now).date())]
    shown: list[Doubt] = []
    with hub.db.session() as session:
        waiting = review.doubts(session, hub.keys, allowed)
    for one in waiting:
        if _permits(hub, ctx, (one.first, one.second)) is not None:
            shown.append(one)
        if len(shown) == PAGE:
            break
    return tuple(shown)


def open_pair(hub: Hub, ctx: RequestContext, pair: str) -> Shown:
    """The two records of a pair. Raises NotFound, whatever the reason. Effects: one `match:proposed` event."""
    return _show(hub, ctx, _pair(hub, ctx, pair), f"pair-{pair}")


def settle(hub: Hub, ctx: RequestContext, pair: str, mark: str, outcome: str, rationale: str) -> None:
    """A steward's word about a pair: SAME, NOT_SAME (permanent) or CANNOT_TELL.

    Raises FormRefused, NotFound when the pair is no longer what was looked at. Effects: an event, then the decision.
    """
    errors = {} if outcome in EVENTS else {"outcome": "Choose what you found."}
    if outcome != CANNOT_TELL:
        errors |= faults_of(rationale)
    if errors:
        raise FormRefused(errors)
    records = _pair(hub, ctx, pair)
    if review.mark_of(hub.keys, records) != mark:
        raise NotFound(GONE, next_steps=("Go back to the queue and look at the records as they are now.",))
    receipt = record_act(hub, ctx, EVENTS[outcome], records, outcome, f"pair-{pair}")
    one, other = records
    why = rationale.strip() or "Nobody can tell."
    with unless_settled(hub, ctx, records, receipt) as session:
        still = review.doubt(session, hub.keys, one.row, other.row)
        _require_unchanged(hub, mark, (still.first, still.second) if still else ())
        if outcome == NOT_SAME:
            review.keep_apart(session, hub.keys, one.name, other.name, said_by=ctx.actor.id, rationale=why, now=ctx.now)
        else:
            review.settle(
                session, hub.keys, (one.name, other.name), outcome, said_by=ctx.actor.id, rationale=why, now=ctx.now
            )
    after_linking(hub, now=ctx.now)


def find_record(hub: Hub, ctx: RequestContext, agency: str, record: str) -> str:
    """The person an agency's record is put to. Raises FormRefused, in the same words for absent and not to be seen.

    Also when the look-ups of an hour are used up. Effects: one `search` event, also when nothing is found.
    """
    record = record.strip()
    with hub.db.writing() as session:
        if acts_since(session, ctx, LOOK_UP, ctx.now - timedelta(hours=1)) >= hub.settings.searches_per_hour:
            raise FormRefused({"record": "You have looked up very many records in the last hour. Go on later."})
        count_act(session, ctx, LOOK_UP)
    with hub.db.session() as session:
        person = review.person_with(session, agency, record)
        found = _together(hub, session, person) if person else ()
    permits = _permits(hub, ctx, found) if found else None
    hub.trail.append(
        "search",
        now=ctx.now,
        subjects=[person] if person and permits is not None else [],
        user=user_of(ctx),
        purpose=Purpose.DATA_MATCHING,
        trace=ctx.request_id,
        recipient=ctx.actor.agency,
        query=hashlib.sha256(hub.keys.blind("search", f"record:{agency}:{record}")).hexdigest(),
        outcome="FOUND-0" if permits is None else "FOUND-1",
    )
    if person is None or permits is None:
        raise FormRefused({"record": "No record that you may see has this number at this agency."})
    return person


def open_person(hub: Hub, ctx: RequestContext, person: str) -> Shown:
    """All records put to one person. Raises NotFound, whatever the reason. Effects: one `match:proposed` event."""
    return _show(hub, ctx, of_person(hub, ctx, person), person)


def take_out(hub: Hub, ctx: RequestContext, person: str, mark: str, row: str, rationale: str) -> None:
    """Undoes a join: one record is none of the person's others, permanently.

    Raises FormRefused, NotFound as `settle` does. Effects: a `match:split` event, then the decision.
    """
    records = of_person(hub, ctx, person)
    wrong = next((one for one in records if str(one.row) == row), None)
    errors = {} if wrong else {"row": "Choose the record that is about somebody else."}
    errors |= faults_of(rationale)
    if errors or wrong is None:
        raise FormRefused(errors)
    if review.mark_of(hub.keys, records) != mark:
        raise NotFound(GONE, next_steps=("Look at the records as they are now.",))
    others = [one.name for one in records if one.row != wrong.row]
    if not others:
        raise FormRefused({"row": "This is the only record of this person: there is nothing to take it out of."})
    receipt = record_act(hub, ctx, "match:split", records, "SPLIT", f"row-{wrong.row}")
    with unless_settled(hub, ctx, records, receipt) as session:
        _require_unchanged(hub, mark, _together(hub, session, person))
        review.take_out(
            session, hub.keys, wrong.name, others, said_by=ctx.actor.id, rationale=rationale.strip(), now=ctx.now
        )
    after_linking(hub, now=ctx.now)


@contextmanager
def unless_settled(hub: Hub, ctx: RequestContext, records: Sequence[Held], receipt: Receipt) -> Iterator[Session]:
    """Where a decision is stored. Raises NotFound when somebody settled the same meanwhile: theirs counts.

    What was recorded a moment ago did not come to be then, and the trail says so too: one `match:proposed` event.
    """
    try:
        with hub.db.writing() as session:
            yield session
    except (IntegrityError, Settled) as error:
        record_act(hub, ctx, "match:proposed", records, "NOT-DONE", "settled-meanwhile", refers=[receipt.eid])
        raise NotFound(GONE, next_steps=("Go back to the queue.",)) from error


def _require_unchanged(hub: Hub, mark: str, records: Sequence[Held]) -> None:
    if review.mark_of(hub.keys, records) != mark:
        raise Settled


def faults_of(rationale: str) -> dict[str, str]:
    """What a rationale lacks, by field."""
    return {} if says_enough(rationale) else {"rationale": f"Say why, in your own words: {LEAST}."}


def _pair(hub: Hub, ctx: RequestContext, pair: str) -> tuple[Held, ...]:
    numbers = re.fullmatch(r"([0-9]{1,15})-([0-9]{1,15})", pair, re.ASCII)
    if numbers is not None:
        with hub.db.session() as session:
            found = review.doubt(session, hub.keys, int(numbers[1]), int(numbers[2]))
        if found is not None and _permits(hub, ctx, (found.first, found.second)) is not None:
            return found.first, found.second
    raise NotFound(GONE, next_steps=("Go back to the queue.",))


def of_person(hub: Hub, ctx: RequestContext, person: str) -> tuple[Held, ...]:
    """All records put to one person, if a steward may see each of them. Raises NotFound, whatever the reason."""
    with hub.db.session() as session:
        found = _together(hub, session, person)
    if not found or _permits(hub, ctx, found) is None:
        raise NotFound(GONE, next_steps=("Go back to the queue.",))
    return found


def _together(hub: Hub, session: Session, person: str) -> tuple[Held, ...]:
    known = review.held(session, hub.keys, review.rows_of(session, person))
    return tuple(known[row] for row in sorted(known))


def _permits(hub: Hub, ctx: RequestContext, records: Sequence[Held]) -> tuple[Permit, ...] | None:
    """A permit for the identity in every one of these records, or None: half a pair says too much."""
    today = london(ctx.now).date()
    agencies = {record.agency for one in records for record in one.together}
    if not all(code in hub.partners and matching_allowed(hub.agreements, code, today) for code in agencies):
        return None
    if any(flags_of(one.together) & HIDDEN for one in records) or _near_protected(hub, ctx, records):
        return None
    case = CaseFile(
        hub,
        ctx.for_purpose(Purpose.DATA_MATCHING),
        mode=AccessMode.VIEW,
        rationale="A data steward settles whether records are about one person",
        relationship=Relationship(
            kind=RelationshipKind.NAMED_STATUTORY_ROLE, persons=None, valid_from=ctx.actor.role_from
        ),
    )
    permits: list[Permit] = []
    for one in records:
        born = best_birth_date(list(one.together))
        member = identified(
            one.person, born.date if born else None, flags_of(one.together), [r.agency for r in one.together]
        )
        partner = hub.partners[one.record.agency]
        decided = decide_all(case, [member], [partner], frozenset({DataCategory.DEMOGRAPHIC}), only_fields=COMPARED)
        if decided.refusals or not decided.permits:
            return None
        permits += decided.permits
    return tuple(permits)


def _near_protected(hub: Hub, ctx: RequestContext, records: Iterable[Held]) -> bool:
    """Whether anybody in the family of these persons is protected: an agency's name alone may say where they are."""
    with hub.db.session() as session:
        return any(
            flags_of(member.records) & PROTECTED
            for person in {one.person for one in records}
            for member in family_of(session, hub.keys, person, now=ctx.now).members
        )


def _show(hub: Hub, ctx: RequestContext, records: tuple[Held, ...], thing: str) -> Shown:
    permits = _permits(hub, ctx, records) or ()
    receipt = record_act(hub, ctx, "match:proposed", records, "SHOWN", thing, permits)
    fields = {(p.person, p.agency): p.fields for p in permits}
    return Shown(records, fields, review.mark_of(hub.keys, records), receipt)


def record_act(
    hub: Hub,
    ctx: RequestContext,
    kind: str,
    records: Iterable[Held],
    outcome: str,
    thing: str,
    permits: Sequence[Permit] = (),
    *,
    refers: Sequence[str] = (),
) -> Receipt:
    """One entry of the trail about records that a steward looked at or spoke about."""
    records = tuple(records)
    people, eid = sorted({one.person for one in records}), secrets.token_hex(16)
    record = decisions.keep(hub, ctx, eid, (Made(p.request, p.decision) for p in permits), people=people)
    return hub.trail.append(
        kind,
        now=ctx.now,
        eid=eid,
        refers=list(refers) or None,
        subjects=people,
        user=user_of(ctx),
        purpose=Purpose.DATA_MATCHING,
        trace=ctx.request_id,
        outcome=outcome,
        source=sorted({one.record.agency for one in records}),
        object={"type": "records", "id": thing},
        decision={
            "bundle": hub.policy_bundle,
            "rules": sorted({rule for permit in permits for rule in permit.decision.rules}),
            "record": record,
        },
        data=[
            {"agency": p.agency, "category": p.category, "fields": sorted(p.fields)}
            for p in {(p.agency, p.fields): p for p in permits}.values()
        ],
    )
