"""Reading a notice that was brought to somebody: decided again, by the way of every disclosure.

For: whoever has a task from a notice. Must never show it to anybody else, and never by another way than
`hub.disclosure.broker`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from audit import Receipt
from connectors import Answer, Ask
from hub.assembly import Hub
from hub.casefile import london
from hub.context import RequestContext
from hub.disclosure import broker
from hub.enquiries import Enquiry, add_person, confirm_subject, enquiry_of, own_enquiries
from hub.errors import FormRefused, NotFound
from hub.members import PROTECTED
from hub.notices import stored
from hub.notices.desks import NOTICE, SCHOOL
from hub.notices.named import Concerned, as_sender, concerned, items_about, pupils
from hub.notices.routing import Place, as_enquiry, case_for
from hub.notices.stored import Notice
from hub.redaction import Kept
from hub.tasks import notice_task
from policies.vocabulary import AnswerState, Purpose, Role


@dataclass(frozen=True, slots=True)
class Shown:
    """What one reader may read of a notice now. `kept` is in the order of the persons; it may be empty."""

    sender: str
    types: tuple[str, ...]
    received_at: datetime
    due_at: datetime | None
    kept: tuple[Kept, ...]
    receipt: Receipt
    enquiry: Enquiry | None
    #: The reader's own enquiries in which it could be read.
    readable_in: tuple[Enquiry, ...]


def open_notice(hub: Hub, ctx: RequestContext, notice_id: str, enquiry_id: str = "") -> Shown:
    """One notice as far as this reader may read it now, in an enquiry of theirs or as their desk.

    Raises NotFound for whoever has no task from it. Effects: those of a disclosure.
    """
    notice, place, due_at = _place(hub, ctx, notice_id, enquiry_id)
    case, members = case_for(hub, ctx, notice, place)
    said = {one.member.facts.id: items_about(hub, notice, one) for one in place.persons}

    def held(asks: Iterable[Ask]) -> Mapping[tuple[str, str], Answer]:
        """What the notice says of each person: it came before anybody asked."""
        return {
            (ask.agency, ask.person): Answer(
                ask.agency, ask.person, AnswerState.FOUND, said[ask.person], notice.received_at
            )
            for ask in asks
        }

    purpose = place.enquiry.purpose if place.enquiry else place.purpose
    brokered = broker(
        hub,
        ctx.for_purpose(purpose, enquiry=place.enquiry.id if place.enquiry else None),
        case,
        members,
        [as_sender(hub.partners[notice.agency], notice.event.category)],
        None,
        enquiry=place.enquiry or as_enquiry(notice, place),
        gather=held,
    )
    return Shown(
        notice.agency,
        notice.event.types,
        notice.received_at,
        due_at,
        brokered.redacted.kept,
        brokered.receipt,
        place.enquiry,
        _readable_in(hub, ctx, place) if place.desk == "SOCIAL_CARE" else (),
    )


def take_into(hub: Hub, ctx: RequestContext, notice_id: str, enquiry_id: str) -> None:
    """The reader says that a notice belongs to an enquiry of theirs; one about nobody yet becomes about its child.

    Whoever else a notice names is searched for and added like anybody: a sender does not widen an enquiry.
    Raises NotFound; FormRefused when none of its persons can be told by the index.
    """
    notice, place, _ = _place(hub, ctx, notice_id, "")
    if enquiry_id not in {one.id for one in _readable_in(hub, ctx, place)}:
        raise FormRefused({"enquiry": "Choose one of your enquiries."})
    enquiry = enquiry_of(hub, ctx, enquiry_id)
    sure = [one for one in concerned(hub, notice) if one.is_known and not one.member.facts.flags & PROTECTED]
    if not sure:
        raise FormRefused({"enquiry": "The hub does not know who is meant. Ring the sender."})
    sure.sort(key=_youngest_first)
    if enquiry.subject is None:
        confirm_subject(hub, ctx, enquiry, sure[0].member.facts.id)
    elif sure[0].member.facts.id not in enquiry.persons:
        add_person(hub, ctx, enquiry, sure[0].member.facts.id, "NAMED_CONCERN")


def _place(hub: Hub, ctx: RequestContext, notice_id: str, enquiry_id: str) -> tuple[Notice, Place, datetime | None]:
    task = notice_task(hub, ctx, notice_id)
    if task is None:
        raise NotFound("There is no such notice.")
    kind, own, due_at = task
    notice = stored.read(hub, notice_id)
    named = concerned(hub, notice)
    close = {*ctx.actor.own_persons, *ctx.actor.own_family}
    if any(one.member.facts.id in close for one in named):
        raise NotFound("There is no such notice.")
    within = enquiry_id or own
    enquiry = enquiry_of(hub, ctx, within) if within else None
    agency, school = ctx.actor.agency, kind == SCHOOL
    if school:
        named = pupils(hub.partners[agency], notice, named, london(ctx.now).date())
    interviews = ctx.actor.role == Role.RETURN_INTERVIEWER
    purpose = Purpose.OP_ENCOMPASS if school else Purpose.MISSING_CHILD if interviews else Purpose.MASH_SCREENING
    desk = "SCHOOL" if school else "INTERVIEW" if interviews else "SOCIAL_CARE"
    place = Place(desk, NOTICE, agency, purpose, (ctx.actor.role,), named, due_at, enquiry=enquiry)
    return notice, place, due_at


def _readable_in(hub: Hub, ctx: RequestContext, place: Place) -> tuple[Enquiry, ...]:
    persons = {one.member.facts.id for one in place.persons}
    return tuple(
        one
        for one in own_enquiries(hub, ctx)
        if one.closed_at is None and (one.subject is None or one.subject in persons)
    )


def _youngest_first(one: Concerned) -> int:
    born = one.member.facts.date_of_birth
    return -born.toordinal() if born else 0
