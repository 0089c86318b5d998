"""A meeting pack: what of a family may be taken along on paper, as a disclosure of its own.

For: strategy discussions and other meetings. Must never hold what an obligation keeps on the screen, nor what was
opened in an emergency, which ends by the clock and paper does not; must say that something was left out. No bytes leave
before the outcome and the copy with the hash of its file are durable.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from audit import Receipt
from hub import compose
from hub.approvals.stored import name_of
from hub.assembly import Hub
from hub.context import RequestContext
from hub.disclosure import MATRIX, Brokered, broker, case_of
from hub.enquiries import Enquiry, user_of
from hub.errors import FormRefused
from hub.meeting.tables import meeting_packs
from hub.obligations import SHOWING
from hub.picture import FamilyPicture
from policies import Made
from policies.vocabulary import AccessMode, DataCategory, Obligation

#: Which events go in: those a worried reader looks at first, all of them, none.
EVENTS = ("SIGNIFICANT", "ALL", "NONE")


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a worker puts into a pack. `people` None is everybody who may be shown; the subject is always in it."""

    people: frozenset[str] | None = None
    drawing: bool = True
    events: str = "SIGNIFICANT"


@dataclass(frozen=True, slots=True)
class Pack:
    """What goes on paper. `left_out`: agency and category of what may be read on the screen only."""

    picture: FamilyPicture
    receipt: Receipt
    chosen: Chosen
    agreements: tuple[str, ...]
    left_out: tuple[tuple[str, DataCategory], ...]


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy that was made of a pack."""

    number: int
    by: str
    at: datetime


def parse_choice(typed: Mapping[str, str], people: Iterable[str], shown: Mapping[str, str]) -> Chosen:
    """What was ticked. Takes `people`: the ticked ids; `shown`: whom this user was just shown, by id.

    Raises FormRefused for nobody, for somebody who was not shown, and for an unknown word.
    """
    wanted = frozenset(people)
    errors = {}
    if not wanted:
        errors["people"] = "Choose who the pack is about."
    elif not wanted <= shown.keys():
        errors["people"] = "Choose from the people on this page."
    if typed.get("events") not in EVENTS:
        errors["events"] = "Choose which events go into the pack."
    if errors:
        raise FormRefused(errors)
    return Chosen(wanted, typed.get("drawing") == "yes", typed["events"])


def prepare(hub: Hub, ctx: RequestContext, enquiry: Enquiry, chosen: Chosen) -> Pack:
    """The pack as it would be taken along, decided for taking away. A disclosure, whether or not a copy is made."""
    family, case = case_of(hub, ctx, enquiry, None, AccessMode.EXPORT)
    wanted = chosen.people
    members = [m for m in family.members if wanted is None or m.facts.id in wanted or m.facts.id == enquiry.subject]
    categories = MATRIX if chosen.events == "NONE" else None
    brokered = broker(hub, ctx, case, members, hub.partners.values(), categories, enquiry=enquiry, family=family)
    b = brokered
    picture = compose.picture(hub, ctx, enquiry, b.decided, b.answers, b.redacted, b.revealed, b.grounds)
    if chosen.events == "SIGNIFICANT":
        picture = replace(picture, events=tuple(event for event in picture.events if event.significant))
    if len(members) < len(family.members):  # That nobody else is in it was a choice, and says nothing of the family.
        picture = replace(picture, notes=tuple(note for note in picture.notes if note != compose.ALONE))
    agencies = {permit.agency for permit in b.decided.permits}
    return Pack(
        picture=picture,
        receipt=b.receipt,
        chosen=chosen,
        agreements=tuple(f"{a['ref']} version {a['version']}" for a in case.agreements_for_trail(agencies)),
        left_out=_left_out(brokered),
    )


def take_copy(
    hub: Hub, ctx: RequestContext, enquiry: Enquiry, chosen: Chosen, print_it: Callable[[Pack, Copy], bytes]
) -> tuple[bytes, Copy]:
    """A numbered copy as a file. Takes `print_it`: makes the file, from the pack and nothing else.

    Effects: the copy's number, the disclosure, and an `export` event with the hash of the file, in this order.
    """
    copy = _next_copy(hub, ctx, enquiry)
    pack = prepare(hub, ctx, enquiry, chosen)
    file = print_it(pack, copy)
    hub.trail.append(
        "export",
        now=ctx.now,
        subjects=[person.id for person in pack.picture.people],
        user=user_of(ctx),
        purpose=enquiry.purpose,
        enquiry=enquiry.id,
        trace=ctx.request_id,
        recipient=ctx.actor.agency,
        refers=[pack.receipt.eid],
        data=[{"agency": ctx.actor.agency, "category": "INDICATOR", "label": "meeting-pack", "count": copy.number}],
        object={
            "type": "meeting-pack",
            "id": enquiry.id,
            "version": str(copy.number),
            "hash": hashlib.sha256(file).hexdigest(),
        },
    )
    return file, copy


def copies_of(hub: Hub, enquiry: Enquiry) -> tuple[Copy, ...]:
    """The copies made so far, newest first, each with the name of whoever took it."""
    c = meeting_packs.c
    with hub.db.session() as session:
        made = select(c.copy, c.by, c.at).where(c.enquiry == enquiry.id).order_by(c.copy.desc())
        rows = session.execute(made).all()
    return tuple(Copy(row.copy, name_of(hub, row.by), row.at) for row in rows)


def _left_out(brokered: Brokered) -> tuple[tuple[str, DataCategory], ...]:
    """What the decisions would show here but do not let be taken away; nothing else that was refused."""
    made: list[Made] = [*(refusal.made for refusal in brokered.decided.refusals), *brokered.redacted.made]
    found = {(m.request.owner.agency, m.request.item.category): None for m in made if _stays_on_screen(m)}
    return tuple(sorted((agency, DataCategory(category)) for agency, category in found))


def _stays_on_screen(made: Made) -> bool:
    return made.decision.outcome in SHOWING and Obligation.NO_EXPORT in made.decision.obligations


def _next_copy(hub: Hub, ctx: RequestContext, enquiry: Enquiry) -> Copy:
    c = meeting_packs.c
    while True:
        try:
            with hub.db.writing() as session:
                last = session.execute(select(func.max(c.copy)).where(c.enquiry == enquiry.id)).scalar_one()
                number = (last or 0) + 1
                session.execute(
                    insert(meeting_packs).values(enquiry=enquiry.id, copy=number, by=ctx.actor.id, at=ctx.now)
                )
            return Copy(number, ctx.actor.name, ctx.now)
        except IntegrityError:
            continue  # Somebody else took that number in the same moment.
