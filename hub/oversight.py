"""What information governance sees: who disclosed what about whom, why, and on what basis - never content.

For: the register of disclosures, a projection of the trail that can be thrown away and rebuilt. Must never
show content, and every look is itself an event; a search by person needs a case reference (rule P43).
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Select, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from audit import Entry, EntryUnknown, EventInvalid, ProofError, Receipt, ReceiptProof, TrailCorrupt
from connectors import OfferedField
from hub.acting import ERASED, marks_of, named, user_capsule, user_in, user_mark
from hub.assembly import Hub
from hub.casefile import LONDON, CaseFile, PersonFacts
from hub.context import RequestContext
from hub.duties import Duty, write
from hub.enquiries import user_of
from hub.erasure import SubjectErased, handle_of
from hub.errors import FormRefused, KeyRefused, NotForYou, NotFound
from hub.keys import HUB
from hub.logs import log
from hub.obligations import may_show
from hub.people import candidates, parse_box
from hub.register.watching import ALARM_WORDS as REGISTER_ALARMS
from hub.tables import disclosure_persons, disclosure_register, disclosure_sources, staff
from hub.witnesses import ALARM_WORDS
from hub.words import ALERT_WORDS
from policies import Relationship, decide
from policies.vocabulary import (
    AccessMode,
    DataCategory,
    FieldKind,
    Purpose,
    RelationshipKind,
    RelationToIndex,
    Role,
)

#: Events that the register lists; the rest of the trail is found by its event id.
REGISTERED = frozenset(
    {
        "disclosure:made", "disclosure:refused", "check", "search", "alarm", "audit:read", "break-glass",
        "match:proposed", "match:confirmed", "match:rejected", "match:split", "erase", "approval",
        "agreement:drafted", "agreement:signed", "agreement:activated", "agreement:amended", "agreement:suspended",
        "agreement:resumed", "agreement:ended",
    }
)  # fmt: skip
#: Stands for a person whom the officer's words did not name exactly: no row has it.
NOBODY = "PE-nobody"
#: Who answers for an agency's information.
OVERSEERS = frozenset({Role.IG_OFFICER, Role.PRIVACY_OFFICER, Role.DPO})
#: A colleague searched the register by name without saying for which case.
NAME_SEARCH = "NAME_SEARCH"
#: So many members of staff can be looked for at once: each has a mark for every agency and month.
MOST_NAMED = 20
#: Rows of one page of the register.
PAGE = 50
#: Entries that are brought into the register in one transaction, so that no other writer waits long.
CATCH_UP = 5_000
#: A case reference gets into the trail, where nothing can be erased: no spaces, a digit, no date, no NHS number.
CASE_REFERENCE = re.compile(
    r"(?=[^0-9]*[0-9])(?!.*\d{1,2}[./-]\d{1,2}[./-]\d{4})(?!([^0-9]*[0-9]){10}[^0-9]*$)[A-Za-z0-9][A-Za-z0-9/._-]{2,39}"
)


@dataclass(frozen=True, slots=True)
class Filter:
    """What the officer asked for. `person` is a person id, found from what was typed; never the text."""

    case_reference: str | None = None
    person: str | None = None
    user: str | None = None
    agency: str | None = None
    purpose: str | None = None
    kind: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    page: int = 1
    #: When not empty: only these kinds, only these purposes.
    kinds: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the register."""

    eid: str
    at: datetime
    kind: str
    outcome: str | None
    user: str | None
    user_name: str
    agency: str | None
    purpose: str | None
    sources: tuple[str, ...]
    subjects: int


@dataclass(frozen=True, slots=True)
class Register:
    """A page of the register."""

    rows: tuple[Row, ...]
    total: int
    page: int
    pages: int
    receipt: Receipt | None


@dataclass(frozen=True, slots=True)
class Entered:
    """One event as the officer sees it: the decoded fields, opaque persons, and the proof."""

    entry: Entry
    at: datetime
    user_name: str
    #: None stands for a person whose key is destroyed.
    persons: tuple[str | None, ...]
    proof: ReceiptProof | None
    verified: bool
    verification: str
    #: Of the officer's own look at it; an export has one for all.
    receipt: Receipt | None


def parse_filter(hub: Hub, ctx: RequestContext, typed: Mapping[str, str]) -> Filter:
    """The officer's filter form. Raises FormRefused with a sentence per field."""
    errors: dict[str, str] = {}
    reference = typed.get("case_reference", "").strip() or None
    first, last = _day(typed.get("from", ""), "from", errors), _day(typed.get("to", ""), "to", errors)
    if first and last and last < first:
        errors["to"] = "The last day is before the first."
    purpose = typed.get("purpose") or None
    if purpose is not None and purpose not in Purpose.__members__:
        errors["purpose"] = "Choose one of the purposes."
    agency = typed.get("agency") or None
    if agency is not None and agency not in hub.partners:
        errors["agency"] = "Choose one of the agencies."
    user = typed.get("user", "").strip() or None
    if user and sum(user.casefold() in name.casefold() for name in staff_names(hub).values()) > MOST_NAMED:
        errors["user"] = f"More than {MOST_NAMED} people have this in their name. Enter more of it."
    person = None
    who = typed.get("person", "").strip()
    if reference is not None and not CASE_REFERENCE.fullmatch(reference):
        errors["case_reference"] = (
            "Enter the number of your case: 3 to 40 letters, digits or . / - _ , with a digit and without a name, "
            "date of birth or NHS number."
        )
    elif who and reference is None:
        errors["case_reference"] = "Enter the case reference: a search for a person needs one."
        receipt = hub.trail.append(
            "alarm",
            now=ctx.now,
            user=user_of(ctx),
            purpose=Purpose.IG_AUDIT,
            trace=ctx.request_id,
            reason="P43",
        )
        # Another officer looks into it: never the one who searched.
        told = Duty(kind=NAME_SEARCH, receipt=receipt.eid, barred=ctx.actor.id, once=(NAME_SEARCH, receipt.eid))
        write(hub, [told], now=ctx.now)
    elif who:
        person = _person(hub, ctx, who, errors)
    page = typed.get("page", "1")
    if errors:
        raise FormRefused(errors)
    return Filter(
        case_reference=reference,
        person=person,
        user=user,
        agency=agency,
        purpose=purpose,
        first_day=first,
        last_day=last,
        page=int(page) if page.isdecimal() and 0 < int(page) < 10_000 else 1,
    )


def require_audit_access(hub: Hub, ctx: RequestContext, *, mode: AccessMode, rationale: str) -> None:
    """Decides access to the audit by the same rules as everything else. Raises NotForYou."""
    partner = hub.partners.get(ctx.actor.agency)
    if partner is None:
        raise NotForYou("This is not part of your role.")
    case = CaseFile(
        hub,
        ctx.for_purpose(Purpose.IG_AUDIT),
        rationale=rationale,
        mode=mode,
        relationship=Relationship(
            kind=RelationshipKind.NAMED_STATUTORY_ROLE,
            persons=None,
            valid_from=ctx.actor.role_from,
        ),
    )
    request = case.request(
        PersonFacts("PE-any", date(1970, 1, 1), RelationToIndex.INDEX),
        partner,
        DataCategory.AUDIT_METADATA,
        (OfferedField("account", FieldKind.ACCOUNT),),
    )
    decision = decide(request)
    if not may_show(decision, request):
        raise NotForYou("This is not part of your role.")


def register(hub: Hub, ctx: RequestContext, wanted: Filter) -> Register:
    """A page of the register, newest first.

    Effects: the projection catches up with the trail; one `audit:read` event with a keyed hash of the question.
    """
    mode = AccessMode.SEARCH_NAME if wanted.person else AccessMode.VIEW
    require_audit_access(
        hub, ctx, mode=mode, rationale=f"Review of disclosures in the register {wanted.case_reference or ''}"
    )
    question = json.dumps(
        [wanted.person, wanted.user, wanted.agency, wanted.purpose, str(wanted.first_day), str(wanted.last_day)]
    )
    receipt = hub.trail.append(
        "audit:read",
        now=ctx.now,
        user=user_of(ctx),
        purpose=Purpose.IG_AUDIT,
        trace=ctx.request_id,
        subjects=[wanted.person] if wanted.person and wanted.person != NOBODY else [],
        action="register",
        outcome="LISTED",
        query=hub.keys.blind("search", question).hex() + hub.keys.blind("search-2", question).hex(),
        object={"type": "case", "id": _code(wanted.case_reference)} if wanted.case_reference else None,
    )
    catch_up(hub)
    with hub.db.session() as session:
        names = _staff_names(hub, session)
        query = _matching(hub, wanted, names)
        total = int(session.execute(select(func.count()).select_from(query.subquery())).scalar_one())
        pages = max(1, -(-total // PAGE))
        page = min(wanted.page, pages)
        found = session.execute(
            query.order_by(disclosure_register.c.index.desc()).limit(PAGE).offset((page - 1) * PAGE)
        ).mappings()
        rows = tuple(
            Row(
                eid=row["eid"],
                at=_moment(row["t"]),
                kind=row["kind"],
                outcome=row["outcome"],
                user=(by := user_in(hub, row["acted"]) if row["acted"] else row["user"]),
                user_name=_who(names, by),
                agency=row["agency"],
                purpose=row["purpose"],
                sources=tuple(row["sources"]),
                subjects=row["subject_count"],
            )
            for row in found
        )
    return Register(rows, total, page, pages, receipt)


def _matching(hub: Hub, wanted: Filter, names: Mapping[str, str]) -> Select[Any]:
    """Rows of the register that the filter asks for, in no order."""
    r = disclosure_register.c
    query = select(disclosure_register)
    if wanted.person:
        marks = _marks(hub, wanted.person)
        query = query.where(
            r.index.in_(select(disclosure_persons.c.index).where(disclosure_persons.c.person_blind.in_(marks)))
        )
    if wanted.agency:
        query = query.where(
            (r.agency == wanted.agency)
            | r.index.in_(select(disclosure_sources.c.index).where(disclosure_sources.c.agency == wanted.agency))
        )
    if wanted.purpose:
        query = query.where(r.purpose == wanted.purpose)
    query = query.where(r.kind == wanted.kind) if wanted.kind else query.where(r.kind != "audit:read")
    if wanted.kinds:
        query = query.where(r.kind.in_(wanted.kinds))
    if wanted.purposes:
        query = query.where(r.purpose.in_(wanted.purposes))
    if wanted.first_day:
        query = query.where(r.t >= _milliseconds(wanted.first_day))
    if wanted.last_day:
        query = query.where(r.t < _milliseconds(wanted.last_day + timedelta(days=1)))
    if wanted.user:
        users = {u for u, name in names.items() if wanted.user.casefold() in name.casefold()}
        marks_by_user = [marks_of(hub, user) for user in users | {wanted.user}]
        query = query.where(r.user.in_(set().union(*marks_by_user)))
    return query


def matching_entries(hub: Hub, wanted: Filter, *, most: int) -> tuple[list[Entered], int]:
    """The newest entries that the filter asks for, oldest first, each with its proof; and how many there are in all.

    For exports, which have asked for access and are on record before. Raises TrailCorrupt.
    """
    catch_up(hub)
    with hub.db.session() as session:
        names = _staff_names(hub, session)
        query = _matching(hub, wanted, names)
        total = int(session.execute(select(func.count()).select_from(query.subquery())).scalar_one())
        r = disclosure_register.c
        rows = session.execute(query.with_only_columns(r.eid).order_by(r.index.desc()).limit(most)).all()
    return [_entered(hub, eid, names) for (eid,) in reversed(rows)], total


def _entered(hub: Hub, eid: str, names: Mapping[str, str]) -> Entered:
    found = named(hub, hub.trail.entry(eid))
    return Entered(
        entry=found,
        at=_moment(found.t),
        user_name=_who(names, found.fields.get("user", {}).get("subject")),
        persons=tuple(person_in(hub, capsule) for capsule in found.subjects),
        proof=hub.trail.receipt(eid),
        verified=True,
        verification="",
        receipt=None,
    )


def entry(hub: Hub, ctx: RequestContext, eid: str) -> Entered:
    """One event with its proof, verified now. Effects: one `audit:read` event. Raises NotFound."""
    require_audit_access(hub, ctx, mode=AccessMode.VIEW, rationale="Review of one disclosure in the register")
    try:
        found = named(hub, hub.trail.entry(eid))
    except (EntryUnknown, EventInvalid) as error:
        raise NotFound("There is no such entry.") from error
    except TrailCorrupt:
        found = _as_registered(hub, ctx, eid)
    receipt = hub.trail.append(
        "audit:read",
        now=ctx.now,
        user=user_of(ctx),
        purpose=Purpose.IG_AUDIT,
        trace=ctx.request_id,
        action="entry",
        outcome="SHOWN",
        refers=[eid],
    )
    proof, verified, words = None, False, ""
    try:
        proof = hub.trail.receipt(eid)
        verified = True
        words = (
            f"Verified now: this entry is number {proof.index + 1} of {proof.size} in the signed trail, and it has "
            "not been changed since it was written."
        )
    except (ProofError, TrailCorrupt):
        words = (
            "This entry does not fit the signed trail. Tell your data protection officer and the hub's operator now."
        )
    with hub.db.session() as session:
        names = _staff_names(hub, session)
    return Entered(
        entry=found,
        at=_moment(found.t),
        user_name=_who(names, found.fields.get("user", {}).get("subject")),
        persons=tuple(person_in(hub, capsule) for capsule in found.subjects),
        proof=proof,
        verified=verified,
        verification=words,
        receipt=receipt,
    )


def recipients_of(
    hub: Hub, person: str, *, since: datetime, purposes: Iterable[Purpose] | None, sources: Iterable[str] | None
) -> tuple[str, ...]:
    """Agencies that were shown something about this person since then, for these purposes, from these sources.

    None is not limited. Effects: the projection catches up with the trail.
    """
    catch_up(hub)
    r, p, s = disclosure_register.c, disclosure_persons.c, disclosure_sources.c
    query = select(r.agency).where(
        r.kind == "disclosure:made",
        r.t >= int(since.timestamp() * 1000),
        r.agency.is_not(None),
        r.index.in_(select(p.index).where(p.person_blind.in_(_marks(hub, person)))),
    )
    if purposes is not None:
        query = query.where(r.purpose.in_([str(purpose) for purpose in purposes]))
    if sources is not None:
        query = query.where(r.index.in_(select(s.index).where(s.agency.in_(list(sources)))))
    with hub.db.session() as session:
        return tuple(sorted(set(session.scalars(query))))


def catch_up(hub: Hub) -> int:
    """Brings the projection up to the trail's newest entry; returns how many entries it read."""
    with hub.db.session() as session:
        last = session.execute(select(func.max(disclosure_register.c.index))).scalar()
    seen = 0
    batch: list[Entry] = []
    for found in hub.trail.events(0 if last is None else last + 1):
        seen += 1
        batch.append(found)
        if len(batch) >= CATCH_UP:
            if not _project(hub, batch):
                return seen  # Going on here would leave a gap that no later look comes back to.
            batch = []
    _project(hub, batch)
    return seen


def remember_staff(hub: Hub, ctx: RequestContext) -> None:
    """Keeps the sealed name of a signed-in user, so that the register can say who."""
    sealed = hub.keys.seal(HUB, ctx.actor.name.encode(), "staff:" + ctx.actor.id)
    values: dict[str, Any] = {
        "agency": ctx.actor.agency,
        "role": ctx.actor.role,
        "sealed_name": sealed,
        "seen_at": ctx.now,
    }
    if ctx.actor.person_mark:  # A sign-in that does not say whose the account is takes nothing back.
        values["person_mark"] = bytes.fromhex(ctx.actor.person_mark)
    with hub.db.writing() as session:
        known = session.execute(select(staff.c.user).where(staff.c.user == ctx.actor.id)).first()
        if known:
            session.execute(staff.update().where(staff.c.user == ctx.actor.id).values(**values))
        else:
            session.execute(insert(staff).values(user=ctx.actor.id, **values))


def _project(hub: Hub, batch: list[Entry]) -> bool:
    """Writes a batch, or nothing of it when another look wrote some of it meanwhile; returns whether it did."""
    rows, persons, sources = [], [], []
    for found in batch:
        if found.kind not in REGISTERED:
            continue
        fields = found.fields
        user = fields.get("user", {})
        reason = fields.get("reason")
        alarm = reason if reason in {**ALARM_WORDS, **REGISTER_ALARMS, **ALERT_WORDS} else None
        rows.append(
            {
                "index": found.index,
                "eid": found.eid,
                "t": found.t,
                "kind": found.kind,
                "outcome": fields.get("outcome") or fields.get("decision", {}).get("outcome") or alarm,
                "purpose": fields.get("purpose"),
                "user": user_mark(found),
                "acted": user_capsule(found),
                "agency": user.get("agency"),
                "sources": fields.get("source", []),
                "subject_count": len(found.subjects),
            }
        )
        marks = {_mark(hub, capsule) for capsule in found.subjects}
        persons += [{"index": found.index, "person_blind": mark} for mark in marks]
        sources += [{"index": found.index, "agency": agency} for agency in set(fields.get("source", []))]
    if not rows:
        return True
    try:
        with hub.db.writing() as session:
            session.execute(insert(disclosure_register), rows)
            if persons:
                session.execute(insert(disclosure_persons), persons)
            if sources:
                session.execute(insert(disclosure_sources), sources)
    except IntegrityError:
        return False  # Another look projected the same entries at the same time; theirs count.
    return True


def _who(names: Mapping[str, str], user: str | None) -> str:
    """The name of who acted; somebody who never signed in here is named by their id, never taken for the hub."""
    if user == ERASED:
        return "Erased: nobody can say any more who this was"
    return names.get(user, user) if user else "The hub itself"


def _as_registered(hub: Hub, ctx: RequestContext, eid: str) -> Entry:
    """What the register remembers of an entry that the trail cannot read any more, because it was altered."""
    with hub.db.session() as session:
        row = session.execute(select(disclosure_register).where(disclosure_register.c.eid == eid)).mappings().first()
    if row is None:
        return Entry(-1, eid, int(ctx.now.timestamp() * 1000), "Cannot be read", {}, (), (), b"", b"")
    by = user_in(hub, row["acted"]) if row["acted"] else row["user"]
    fields = {"outcome": row["outcome"], "purpose": row["purpose"]}
    fields["user"] = {"subject": by, "agency": row["agency"]} if by else {}
    return Entry(row["index"], eid, row["t"], row["kind"], fields, (), (), b"", b"")


def person_in(hub: Hub, capsule: bytes) -> str | None:
    """Whom a capsule is about; None when the key is destroyed. Raises KeyRefused when it was altered."""
    try:
        # The first entries were sealed under one key of the hub for all.
        opened = hub.subject_keys.open(capsule) if handle_of(capsule) else hub.keys.open(HUB, capsule, "trail subject")
    except SubjectErased:
        return None
    person: str = json.loads(opened)["person"]
    return person


def _mark(hub: Hub, capsule: bytes) -> bytes:
    """How the register's index knows the person: by the handle of the key, which only the key store leads to."""
    return handle_of(capsule) or hub.keys.blind("disclosure-person", str(person_in(hub, capsule)))


def _marks(hub: Hub, person: str) -> list[bytes]:
    return [hub.keys.blind("disclosure-person", person), *hub.subject_keys.handles(person).values()]


def staff_names(hub: Hub) -> dict[str, str]:
    """The name of every user who ever signed in, by their id."""
    with hub.db.session() as session:
        return _staff_names(hub, session)


def _staff_names(hub: Hub, session: Session) -> dict[str, str]:
    """Names by user; whose name cannot be opened is left out, and named by their id."""
    names = {}
    for user, sealed in session.execute(select(staff.c.user, staff.c.sealed_name)):
        try:
            names[user] = hub.keys.open(HUB, sealed, "staff:" + user).decode()
        except KeyRefused as error:
            log.warning("refused", code=error.code, about="staff")
    return names


def _person(hub: Hub, ctx: RequestContext, who: str, errors: dict[str, str]) -> str | None:
    """The one person who is named exactly; an officer gets no list of candidates to look through."""
    query = parse_box(who)
    if query.problems:
        errors["person"] = " ".join(query.problems)
        return None
    with hub.db.session() as session:
        exact = [c.person for c in candidates(session, hub.keys, query, now=ctx.now).candidates if c.hidden_exact]
    # Nobody, several, and somebody about whom nothing is recorded look alike: an empty register.
    return exact[0] if len(exact) == 1 else NOBODY


def _day(text: str, name: str, errors: dict[str, str]) -> date | None:
    text = text.strip()
    if not text:
        return None
    for form in ("%Y-%m-%d", "%d/%m/%Y", "%d %m %Y", "%d %B %Y"):
        try:
            day = datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
        if date(2000, 1, 1) <= day <= date(2199, 12, 31):
            return day
    errors[name] = "Enter a day like 31 3 2026."
    return None


def _milliseconds(day: date) -> int:
    return int(datetime.combine(day, time(), LONDON).timestamp() * 1000)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _code(text: str | None) -> str:
    return "".join(c if c.isalnum() or c in "._-" else "-" for c in (text or ""))[:60] or "-"
