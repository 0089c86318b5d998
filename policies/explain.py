"""A decision in words: one uniform paragraph for the user, everything for the officer.

For: pages and the audit. What the user reads must never tell the reason of a refusal (rule P50), and a silent
refusal must read like "no record". The officer's part names rules, sources, the agreement clause and what
would change the decision; it must never be shown to the user.
"""

from collections.abc import Callable
from dataclasses import dataclass

from policies.case import Decision, DecisionRequest
from policies.rules import RULES
from policies.rules.facts import Facts
from policies.vocabulary import FieldKind, GpAnswer, Outcome

#: Puts a code into the words of the reader: a category, role, purpose, agency, outcome or obligation.
Say = Callable[[str], str]

RING = "If you are worried about somebody's safety, do not wait: ring the agency or your safeguarding lead."

#: One sentence per outcome and what to do next; the reason is never part of it.
FOR_USER: dict[Outcome, str] = {
    Outcome.PERMIT: "This is shown to you for this purpose only.",
    Outcome.PERMIT_REDACTED: (
        "What you need for this purpose is shown; there may be more. If you need more, ring the agency's contact."
    ),
    Outcome.INDICATOR_ONLY: "Only involvement and a contact can be shown here. Ring the contact to learn more.",
    Outcome.REFER: "Somebody else has to decide before this can be shown. Ask your manager or ring the agency. " + RING,
    Outcome.DENY: "This cannot be shown to you here. Your manager or the agency can tell you what is possible. " + RING,
    Outcome.DENY_SILENT: "Nothing is shown. That does not mean that nothing is known. " + RING,
}
#: Answers that say more than the outcome does.
FOR_USER_BY_ANSWER: dict[GpAnswer, str] = {
    GpAnswer.YES: "Yes, a package is in place. Ring the duty team about it.",
    GpAnswer.NO: "The social-care record shows no package today. Ring the duty team if you expected one.",
    GpAnswer.NOT_AVAILABLE: "No answer can be given here. That is neither a yes nor a no. Ring the duty team.",
    GpAnswer.NOT_REACHED: (
        "The agency did not answer in time. That does not mean that nothing is known. Ring the agency."
    ),
    GpAnswer.MATCH_UNCONFIRMED: "It is not certain which person is meant, so nothing is said. Ring the agency.",
}
#: What somebody reads to whom something is refused: the same words whatever the reason, and whom to ring.
FOR_REFUSED = (
    "Something that you asked {who} for is not shown to you here. The hub says so in these same words whatever the "
    "reason is, so nothing follows from them about the family, or about you. Ring {ring}, say what you need and "
    "for which purpose: a person there can tell you what is possible, or ask somebody who can. " + RING
)
#: Rules that can cut single fields out of what is shown (section 4 of the decision rules).
CUTTING = frozenset({"P04", "P09", "P22", "P23", "P25", "P27", "P28", "P29", "P32", "P38", "P39", "P40", "P46"})
#: What would change a decision that rests on a rule, for the officer.
WOULD_CHANGE: dict[str, str] = {
    "P01": "a relationship or consent that covers this very person",
    "P02": "a strong sign-in with a personal account, a current role and a reason of at least four words",
    "P03": "a legitimate relationship to this person that holds now",
    "P04": "an active agreement, signed by both sides, with a clause for purpose, role, category and age group; "
    "or a one-off decision of the owner with call-back",
    "P05": "a lawful basis that both sides may rely on, with its conditions, and a gateway that serves the purpose",
    "P06": "another basis: public authorities cannot rely on a legitimate interest",
    "P07": "a gateway that is in force on the day",
    "P08": "nothing: the hub does not serve this purpose or bulk access for it",
    "P09": "a purpose for which this person, this age of information and these kinds of fields are needed",
    "P10": "current agreement to the service and to sharing, by somebody entitled to give it",
    "P11": "a decision about consent by a role that may make it, or a recorded threshold",
    "P12": "a recorded threshold for a protective purpose",
    "P13": "an override by the decision maker, for this request",
    "P14": "a reason from the list why asking is unsafe, and a review date that has not passed",
    "P15": "a consent that is current and covers person, category, purpose and both agencies",
    "P16": "the young person's own answer, or an assessment of competence first",
    "P17": "an answer of somebody who holds parental responsibility, or the decision maker's settlement of a dispute",
    "P18": "the adult's own answer",
    "P19": "the adult's agreement, a best-interests decision, or an override with a circumstance that allows it",
    "P20": "no objection of the patient",
    "P22": "consent that names the category, or a recorded threshold and the owner's release",
    "P23": "the owner's release",
    "P24": "nothing at the hub: only the decision maker and the owner are told that something is held",
    "P25": "the decision maker's signature under the product",
    "P26": "clearing by the police: sanitised, or conditions met and the supervisor's release",
    "P27": "nothing: a statute bars it for everybody",
    "P28": "a role that the agreement names for shielded addresses, or the broker",
    "P29": "an owner's release that names the field",
    "P30": "the panel's own process",
    "P31": "permission of the court for this purpose",
    "P32": "nothing for this user; a release that names a safety field opens that field",
    "P33": "nothing: a subject access request is the way to one's own record",
    "P34": "another worker: the case is reassigned",
    "P35": "membership of the assigned team",
    "P36": "another worker",
    "P37": "a fresh approval by somebody with authority and no conflict, for this very request and person",
    "P38": "serious crime or serious harm, and the owner's release",
    "P39": "an agreement that lists the next receiver, or the owner's release",
    "P40": "a declared emergency with imminent risk and an adequate reason, less than four hours old",
    "P41": "a new episode",
    "P42": "the worker who has the open case",
    "P43": "the audit roles for metadata, a case reference for a search, a drawn sample for quality audit",
    "P44": "nothing: administrators see no content",
    "P45": "a pseudonymised, assessed analysis with large enough groups and a person who decides",
    "P46": "the subject access officer, a requester with the right, the harm test and a second person",
    "P47": "a purpose that may use the record of somebody who died",
    "P48": "an answer from the owner's system about a person whose identity is settled",
    "P49": "the owner's senior: release, or reasons and signature for withholding",
    "P50": "a request that the hub can read",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """`for_user` is a paragraph for the screen; `for_officer` is the paragraph for the audit, in sentences."""

    for_user: str
    for_officer: tuple[str, ...]


def explain(request: DecisionRequest, decision: Decision, say: Say = str) -> Explanation:
    """Put a decision into words. Takes `say`, which puts codes into the reader's words; else they stay codes."""
    for_user = FOR_USER[decision.outcome]
    if decision.answer is not None:
        for_user = FOR_USER_BY_ANSWER[decision.answer]
    sentences = [_outcome(request, decision, say), *_cut(request, decision, say)]
    for rule in decision.rules:
        title, source = RULES[rule]
        sentences.append(f"{rule} {title} ({source}).{_would_change(request, decision, rule)}")
    sentences.extend(_agreements(request, say))
    return Explanation(for_user, tuple(sentences))


def for_refused(who: str, ring: str) -> str:
    """Return the paragraph for somebody to whom something of an agency is refused; it takes nothing of the decision.

    Takes `who`, the agency; `ring`, whom to ring there and on which number.
    """
    return FOR_REFUSED.format(who=who, ring=ring)


def _outcome(request: DecisionRequest, decision: Decision, say: Say) -> str:
    offered, shown = len(request.item.fields), len(decision.fields)
    answer = f", answer {say(decision.answer)}" if decision.answer is not None else ""
    duties = ", ".join(map(say, decision.obligations)) or "none"
    return (
        f"{say(decision.outcome)}{answer}: {shown} of {offered} fields of {say(request.item.category)} from "
        f"{say(request.owner.agency)} to {say(request.recipient.agency)} ({say(request.recipient.role)}) for "
        f"{say(request.purpose)}; obligations: {duties}."
    )


def _cut(request: DecisionRequest, decision: Decision, say: Say) -> list[str]:
    """Name the kinds of fields that were offered and left out of what is shown."""
    cut: set[FieldKind] = {one.kind for one in request.item.fields if one.name not in decision.fields}
    return [f"Left out: {', '.join(sorted(map(say, cut)))}."] if cut and decision.fields else []


def _would_change(request: DecisionRequest, decision: Decision, rule: str) -> str:
    """Say what would change a refusal, or open the fields that a rule may have cut; nothing where all is shown."""
    if rule not in WOULD_CHANGE or len(decision.fields) == len(request.item.fields):
        return ""
    if decision.fields:
        return f" It may have left fields out; what would open them: {WOULD_CHANGE[rule]}." if rule in CUTTING else ""
    return f" What would change it: {WOULD_CHANGE[rule]}."


def _agreements(request: DecisionRequest, say: Say) -> list[str]:
    """Name the clauses that list this flow today, and say when none does."""
    if request.owner.agency == request.recipient.agency:
        return ["The agency's own information: no agreement is needed (P04)."]
    facts = Facts(request)
    named = []
    for one in request.agreements:
        for number, clause in enumerate(one.clauses, 1):
            if any(clause is match for match in facts.clauses):
                reach = (
                    "" if any(clause is match for match in facts.reaching) else ", which does not look back that far"
                )
                kinds = ", ".join(sorted(map(say, clause.field_kinds)))
                named.append(
                    f"Agreement {one.reference} version {one.version}, clause {number}{reach}. It lists: {kinds}."
                )
    return named or ["No clause of an agreement in force lists this flow (P04)."]
