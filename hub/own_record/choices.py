"""What a person shares by their own choice, and what each choice brings.

For: the consent pages that families read. Must never offer a choice that the law does not leave to the person, and
never touch what somebody else answered. A change bites at the next decision (rules P15, P20; UK GDPR Arts 7(3), 21).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import consent
from consent import ConsentError, ConsentRecord
from hub.assembly import Hub
from hub.context import RequestContext
from hub.duties import write
from hub.errors import FormRefused
from hub.family_consent import owed_to_recipients
from hub.own_record.citizen import Citizen
from policies.vocabulary import ConsentKind, ConsentState, GiverCapacity, Purpose

GP, EARLY_HELP = "gp", "early-help"
YES, NO = "yes", "no"
AGREED = frozenset({ConsentState.GIVEN_EXPLICIT, ConsentState.GIVEN_PARTIAL})


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that is the person's to decide. `now` is yes or no."""

    key: str
    now: str


def choices_of(hub: Hub, ctx: RequestContext, citizen: Citizen) -> tuple[Choice, ...]:
    """What this person can decide now."""
    records = _own(hub, ctx, citizen)
    gp = _newest(records, Purpose.GP_PACKAGE_CHECK)
    refused = gp is not None and gp.state in (ConsentState.REFUSED, ConsentState.WITHDRAWN)
    found = [Choice(GP, NO if refused else YES)]
    helped = [r for r in records if r.state in AGREED and Purpose.EARLY_HELP in (r.purposes or ())]
    if helped:
        found.append(Choice(EARLY_HELP, YES))
    return tuple(found)


def choose(hub: Hub, ctx: RequestContext, citizen: Citizen, typed: Mapping[str, str]) -> None:
    """Keeps one choice. Raises FormRefused for what is not offered.

    Effects: an event and a record for each answer that changes; services that saw something before are told.
    """
    offered = {choice.key: choice for choice in choices_of(hub, ctx, citizen)}
    key, answer = typed.get("choice", ""), typed.get("answer", "")
    if key not in offered or answer not in (YES, NO):
        raise FormRefused({f"answer-{key or GP}": "Choose yes or no."})
    if offered[key].now == answer:
        return
    if key == GP:
        state = ConsentState.REFUSED if answer == NO else ConsentState.GIVEN_EXPLICIT
        _answer(hub, ctx, citizen, state)
    else:
        _stop_early_help(hub, ctx, citizen)


def _answer(hub: Hub, ctx: RequestContext, citizen: Citizen, state: ConsentState) -> None:
    old = _newest(_own(hub, ctx, citizen), Purpose.GP_PACKAGE_CHECK)
    record = ConsentRecord(
        kind=ConsentKind.CONFIDENTIALITY,
        state=state,
        subject=citizen.person,
        giver=citizen.person,
        giver_capacity=GiverCapacity.SELF,
        given_at=ctx.now,
        persons=(citizen.person,),
        purposes=(Purpose.GP_PACKAGE_CHECK,),
        method=consent.AnswerMethod.ONLINE,
        follows=old.id if old else None,
        id=consent.new_record_id(),
    )
    _tell(hub, ctx, citizen, "consent:refused" if state == ConsentState.REFUSED else "consent:given", record)
    with hub.db.writing() as session:
        consent.record_consent(session, record, by=citizen.id, now=ctx.now)


def _stop_early_help(hub: Hub, ctx: RequestContext, citizen: Citizen) -> None:
    for old in _own(hub, ctx, citizen):
        if old.state not in AGREED or Purpose.EARLY_HELP not in (old.purposes or ()):
            continue
        _tell(hub, ctx, citizen, "consent:withdrawn", replace(old, state=ConsentState.WITHDRAWN))
        try:
            with hub.db.writing() as session:
                new = consent.withdraw(session, old.id, by=citizen.id, now=ctx.now)
        except ConsentError as error:
            raise FormRefused(
                {f"answer-{EARLY_HELP}": "This has just been changed. Look at the page again."}
            ) from error
        write(hub, owed_to_recipients(hub, old, new, enquiry=None, now=ctx.now), now=ctx.now)


def _own(hub: Hub, ctx: RequestContext, citizen: Citizen) -> tuple[ConsentRecord, ...]:
    """What this person answered for themselves; what others answered about them is not theirs to change here."""
    with hub.db.session() as session:
        found = consent.current_records(session, [citizen.person], now=ctx.now)
    return tuple(r for r in found if r.subject == citizen.person == r.giver)


def _newest(records: tuple[ConsentRecord, ...], purpose: Purpose) -> ConsentRecord | None:
    mine = [r for r in records if r.kind == ConsentKind.CONFIDENTIALITY and r.purposes == (purpose,)]
    return max(mine, key=lambda r: r.given_at, default=None)


def _tell(hub: Hub, ctx: RequestContext, citizen: Citizen, kind: str, record: ConsentRecord) -> None:
    hub.trail.append(
        kind,
        now=ctx.now,
        subjects=[citizen.person],
        user=citizen.as_user(),
        purpose=Purpose.SUBJECT_RIGHTS,
        trace=ctx.request_id,
        consent=[{"id": record.id, "version": 1, "state": str(record.state)}],
    )
