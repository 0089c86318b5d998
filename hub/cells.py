"""One person x one agency: which of the five answers, and in which words.

For: the known-to matrix. Must never merge two of the five answers, and must write a silently denied cell exactly like
that of somebody whom the agency does not know (rule P24 and the clarifications to it).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from connectors import Answer, NoAnswerReason, Partner
from hub import response_times
from hub.assembly import Hub
from hub.context import RequestContext
from hub.enquiries import Enquiry
from hub.members import Member
from hub.permits import Decided, Refusal
from hub.picture import Cell
from hub.redaction import Kept, Redacted
from hub.words import moment
from policies.vocabulary import AnswerState, DataCategory, MatchState, Outcome

DID_NOT_ANSWER = "Did not answer. This does not mean that nothing is known: ring this agency."

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Said:
    """All that was decided and answered, as far as cells speak of it."""

    hub: Hub
    enquiry: Enquiry
    ctx: RequestContext
    decided: Decided
    answers: Mapping[Place, Answer]
    redacted: Redacted

    def awaits_owner(self, person: str, agency: str) -> bool:
        """True when an involvement is held that a person there must release, or keeps back openly (P23, P49)."""
        return any(
            (w.person, w.agency, w.category) == (person, agency, DataCategory.SERVICE_INVOLVEMENT)
            and (w.outcome == Outcome.REFER or (w.outcome == Outcome.DENY and "P49" in w.rules))
            for w in self.redacted.cut
        )

    def like_unknown(self, partner: Partner) -> tuple[AnswerState, str]:
        """What this agency says of somebody who is not known there; a silent denial reads the same."""
        waiting = [a for (agency, _), a in self.answers.items() if agency == partner.code and _unanswered(a)]
        if waiting:
            return AnswerState.NO_ANSWER, _unanswered(waiting[0])
        due_at = response_times.due_by(self.hub.agreements, self.enquiry, self.ctx, partner)
        if due_at is not None and self.ctx.now < due_at:
            return AnswerState.NO_ANSWER, _not_yet(due_at)
        return AnswerState.NOTHING_HELD, partner.coverage.sentence


def cell(
    member: Member,
    partner: Partner,
    said: Said,
    kept: Mapping[tuple[str, str, DataCategory], list[Kept]],
) -> Cell:
    """What the matrix says of one person and one agency."""
    person, agency = member.facts.id, partner.code
    items = kept.get((person, agency, DataCategory.SERVICE_INVOLVEMENT), [])
    marked = any(one.values.keys() == {"held"} for one in items)
    items = sorted((one for one in items if one.values.keys() != {"held"}), key=_newest_first)
    first = items[0].values if items else {}
    state, sentence = _state(member, partner, said, found=bool(items), marked=marked)
    return Cell(
        person=person,
        agency=agency,
        state=state,
        service=text_of(first, "service"),
        since=day_of(first, "since"),
        until=day_of(first, "until"),
        contact=partner.contact,
        team_contact=text_of(first, "contact") or text_of(first, "worker"),
        as_of=items[0].as_of if items else None,
        coverage=partner.coverage.sentence,
        sentence=sentence,
    )


def _state(member: Member, partner: Partner, said: Said, *, found: bool, marked: bool) -> tuple[AnswerState, str]:
    person, agency = member.facts.id, partner.code
    if (person, agency) in said.decided.irrelevant:
        return AnswerState.NOT_ASKED, "This service does not cover people of this age."
    refusal = _refusal_of(said.decided, person, agency)
    if refusal is not None:
        if refusal.outcome == Outcome.DENY_SILENT:
            return said.like_unknown(partner)
        if refusal.outcome == Outcome.REFER:
            return AnswerState.WITHHELD, "A person must agree first. Ring this agency."
        return AnswerState.WITHHELD, "Not shared for this purpose. Ring this agency."
    if all(
        (p.person, p.agency, p.category) != (person, agency, DataCategory.SERVICE_INVOLVEMENT)
        for p in said.decided.permits
    ):
        return AnswerState.NOT_ASKED, "This agency does not say whether it is involved."
    answer = said.answers.get((agency, person))
    if answer is None:
        return said.like_unknown(partner)
    if answer.match == MatchState.UNCONFIRMED:
        return AnswerState.WITHHELD, "Somebody known here may be this person. Ring this agency to make sure."
    if answer.reason in (NoAnswerReason.TOO_THIN, NoAnswerReason.AMBIGUOUS):
        return AnswerState.NOT_ASKED, "Too little is known to ask about this person by name. Ring this agency."
    if answer.state == AnswerState.NO_ANSWER:
        return AnswerState.NO_ANSWER, _unanswered(answer)
    if answer.state == AnswerState.NOT_ASKED:
        return AnswerState.NOT_ASKED, "Could not be asked about this person. Ring this agency."
    if found:
        return AnswerState.FOUND, "Involved"
    if marked:
        return AnswerState.WITHHELD, "Confidential information is held. Ring this agency."
    if said.awaits_owner(person, agency):
        return AnswerState.WITHHELD, "A person there must release it first. Ring this agency."
    return AnswerState.NOTHING_HELD, partner.coverage.sentence


def _unanswered(answer: Answer) -> str:
    """Why there is no answer, in words; empty when there is one, or when it is for this person alone."""
    if answer.state != AnswerState.NO_ANSWER or answer.reason in (NoAnswerReason.TOO_THIN, NoAnswerReason.AMBIGUOUS):
        return ""
    if answer.reason == NoAnswerReason.NOT_YET and answer.due_at is not None:
        return _not_yet(answer.due_at)
    if answer.reason == NoAnswerReason.OVERDUE:
        return "Not answered in time. This does not mean that nothing is known: ring this agency."
    return DID_NOT_ANSWER


def _not_yet(due_at: datetime) -> str:
    return f"Not yet answered: a person there was asked and has until {moment(due_at)}. Ring if it is urgent."


def _refusal_of(decided: Decided, person: str, agency: str) -> Refusal | None:
    return next(
        (
            r
            for r in decided.refusals
            if r.person == person and r.agency == agency and r.category == DataCategory.SERVICE_INVOLVEMENT
        ),
        None,
    )


def _newest_first(kept: Kept) -> tuple[bool, int]:
    until, since = day_of(kept.values, "until"), day_of(kept.values, "since")
    return (until is not None, -(until or since or date.min).toordinal())


def text_of(values: Mapping[str, object], name: str) -> str | None:
    """A field's text, if there is one."""
    value = values.get(name)
    return getattr(value, "text", None) or None


def day_of(values: Mapping[str, object], name: str) -> date | None:
    """A field's day, if there is one."""
    text = text_of(values, name)
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None
