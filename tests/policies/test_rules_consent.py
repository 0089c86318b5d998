"""P10 to P21 and the consent positions: who may answer, what an answer covers, and what happens without one."""

from datetime import timedelta
from typing import Any

import pytest

from policies import Scope
from policies.vocabulary import (
    ApprovalKind,
    CapacityStatus,
    Circumstance,
    ConsentKind,
    ConsentState,
    DataCategory,
    GillickStatus,
    GiverCapacity,
    InformChoice,
    LegalStatus,
    Obligation,
    Purpose,
    ReasonCode,
    Role,
    SubjectFlag,
)
from tests.policies.build import (
    CHILD,
    CSC,
    DAY,
    EARLY_HELP,
    HEALTH,
    NOW,
    OWN,
    SCREENING,
    THIRD,
    TODAY,
    approval,
    ask,
    born,
    both_consents,
    by_self,
    consent,
    decided,
    pairs,
)

HOUSING = frozenset({DataCategory.HOUSING})
SECOND = timedelta(seconds=1)
OVERRIDE = (approval(ApprovalKind.OVERRIDE),)
ADULT = {"subject__date_of_birth": born(1990, 1, 1)}
SIXTEEN = {"subject__date_of_birth": born(2010, 6, 16)}
FIFTEEN = {"subject__date_of_birth": born(2010, 6, 17)}
COMPETENT = {"subject__gillick__status": GillickStatus.COMPETENT}
LACKS = {"subject__capacity": CapacityStatus.LACKS}
BY_SELF = {"giver": CHILD, "giver_capacity": GiverCapacity.SELF}
BY_AUTHORITY = {"giver": "US-authority", "giver_capacity": GiverCapacity.LA_WITH_PR}
FULL_CARE = {"subject__legal_status": LegalStatus.C1}

EARLY = [
    ("nobody answered", (), {}, "DENY", "P10"),
    ("the service only", both_consents()[1:], {}, "DENY", "P10"),
    ("sharing only", both_consents()[:1], {}, "DENY", "P10"),
    ("a UK GDPR consent is another thing", (
        consent(kind=ConsentKind.UK_GDPR), both_consents()[1]), {}, "DENY", "P10"),
    ("refused", both_consents(ConsentState.REFUSED), {}, "DENY", "P10"),
    ("withdrawn by its state", both_consents(ConsentState.WITHDRAWN), {}, "DENY", "P15"),
    ("withdrawn at this very moment", both_consents(withdrawn_at=NOW), {}, "DENY", "P15"),
    ("expired at this very moment", both_consents(expires_at=NOW), {}, "DENY", "P15"),
    ("expired by its state", both_consents(ConsentState.EXPIRED), {}, "DENY", "P15"),
    ("implied only", both_consents(ConsentState.GIVEN_IMPLIED), {}, "DENY", "P20"),
    ("given a second later", both_consents(given_at=NOW + SECOND), {}, "DENY", "P10"),
    ("for a sibling", both_consents(scope=Scope(persons=frozenset({"PE-sibling"}))), {}, "DENY", "P01"),
    ("for another category", both_consents(scope=Scope(categories=HOUSING)), {}, "DENY", "P15"),
    ("for another purpose", both_consents(scope=Scope(purposes=frozenset({Purpose.MACSE}))), {}, "DENY", "P15"),
    ("without the owner", both_consents(scope=Scope(agencies=frozenset({CSC, THIRD}))), {}, "DENY", "P15"),
    ("without the recipient", both_consents(scope=Scope(agencies=frozenset({HEALTH}))), {}, "DENY", "P15"),
    ("somebody without responsibility", both_consents(giver_capacity=GiverCapacity.NONE), {}, "DENY", "P17"),
    ("the child alone, not competent", both_consents(**BY_SELF), {}, "DENY", "P17"),
    ("the authority without an order", both_consents(**BY_AUTHORITY), {"subject__legal_status": LegalStatus.V2}, "DENY",
     "P17"),
    ("a parent of a competent child", both_consents(), COMPETENT, "DENY", "P16"),
    ("a parent of somebody of sixteen", both_consents(), SIXTEEN, "DENY", "P16"),
    ("a competent child refused", both_consents(ConsentState.REFUSED, **BY_SELF), COMPETENT, "DENY", "P16"),
    ("a parent's yes given in childhood", both_consents(given_at=NOW.replace(year=2007)), ADULT, "DENY", "P18"),
    ("a parent's yes for an adult", both_consents(), ADULT, "DENY", "P17"),
    ("a parent of an adult who lacks capacity", both_consents(), ADULT | LACKS, "DENY", "P17"),
    ("disputed", both_consents(ConsentState.DISPUTED), {}, "REFER", "P17"),
    ("two parents disagree", (*both_consents(), consent(ConsentState.REFUSED, id="CO-3")), {}, "REFER", "P17"),
    ("one parent withdrew", (*both_consents(), consent(ConsentState.WITHDRAWN, id="CO-3")), {}, "REFER", "P17"),
    ("the parent agreed", both_consents(), {}, "PERMIT", "P10"),
    ("until a second later", both_consents(expires_at=NOW + SECOND), {}, "PERMIT", "P10"),
    ("an older refusal was superseded", (
        *both_consents(), consent(ConsentState.SUPERSEDED, id="CO-3")), {}, "PERMIT", "P10"),
    ("in so many words", both_consents(scope=Scope(
        persons=frozenset({CHILD}), categories=frozenset({DataCategory.HEALTH_SUMMARY}),
        purposes=frozenset({Purpose.EARLY_HELP}), agencies=frozenset({CSC, HEALTH}))), {}, "PERMIT", "P10"),
    ("partly given", both_consents(ConsentState.GIVEN_PARTIAL), {}, "PERMIT", "P10"),
    ("a competent child", both_consents(**BY_SELF), COMPETENT, "PERMIT", "P16"),
    ("a competent child, against the parent", (
        *both_consents(**BY_SELF), consent(ConsentState.REFUSED, id="CO-3")), COMPETENT, "PERMIT", "P16"),
    ("somebody of sixteen", both_consents(**BY_SELF), SIXTEEN, "PERMIT", "P16"),
    ("a parent the day before sixteen", both_consents(), FIFTEEN, "PERMIT", "P17"),
    ("a parent of sixteen without capacity", both_consents(), SIXTEEN | LACKS, "PERMIT", "P10"),
    ("an adult", both_consents(**BY_SELF), ADULT, "PERMIT", "P10"),
    ("an attorney", both_consents(giver_capacity=GiverCapacity.LPA_HW), ADULT | LACKS, "PERMIT", "P10"),
    ("best interests", both_consents(
        ConsentState.BEST_INTERESTS, giver_capacity=GiverCapacity.NONE), ADULT | LACKS, "PERMIT", "P10"),
]  # fmt: skip


@pytest.mark.parametrize(("consents", "changes", "outcome", "rule"), pairs(EARLY))
def test_early_help_rests_on_an_agreement_that_counts_now(
    consents: tuple[Any, ...], changes: dict[str, Any], outcome: str, rule: str
) -> None:
    decision = ask(**EARLY_HELP | {"consents": consents} | changes)
    assert (decision.outcome, rule in decision.rules) == (outcome, True)
    assert (Obligation.RECORD_REFUSAL in decision.obligations) is (
        outcome == "DENY" and any(one.state == ConsentState.REFUSED for one in consents)
    )
    withdrawn = any(one.state == ConsentState.WITHDRAWN or one.withdrawn_at for one in consents)
    assert (Obligation.NOTIFY_RECIPIENTS in decision.obligations) is (outcome == "DENY" and withdrawn)
    assert (Obligation.SECOND_APPROVER in decision.obligations) is (outcome == "REFER")


def test_the_decision_maker_settles_a_dispute() -> None:
    disputed = EARLY_HELP | {"consents": both_consents(ConsentState.DISPUTED)}
    assert ask(**disputed, approvals=OVERRIDE).outcome == "PERMIT"
    one_disputed_one_refused = EARLY_HELP | {
        "consents": (consent(ConsentState.DISPUTED), both_consents(ConsentState.REFUSED)[1])
    }
    assert ask(**one_disputed_one_refused, approvals=OVERRIDE).outcome == "DENY"


def test_a_recorded_threshold_does_not_open_early_help() -> None:
    assert ask(**EARLY_HELP | {"consents": ()}).outcome == "DENY"


def test_under_a_care_order_the_authoritys_answer_alone_counts_and_the_family_is_told() -> None:
    parent_refuses = (*both_consents(**BY_AUTHORITY), consent(ConsentState.REFUSED, id="CO-3"))
    decision = ask(**EARLY_HELP | {"consents": parent_refuses} | FULL_CARE)
    assert (decision.outcome, Obligation.INFORM_SUBJECT in decision.obligations) == ("PERMIT", True)
    authority_refuses = (*both_consents(), consent(ConsentState.REFUSED, id="CO-3", **BY_AUTHORITY))
    assert ask(**EARLY_HELP | {"consents": authority_refuses} | FULL_CARE).outcome == "DENY"
    eighteen = {"subject__date_of_birth": born(2008, 6, 16)}
    assert "P18" in ask(**EARLY_HELP | {"consents": both_consents(**BY_AUTHORITY)} | FULL_CARE | eighteen).rules


def test_consent_is_not_asked_for_the_own_agencys_record() -> None:
    assert ask(**EARLY_HELP | {"consents": ()} | OWN).outcome == "PERMIT"


COMPETENCE = [
    ("twelve, mental health", born(2014, 6, 16), DataCategory.MENTAL_HEALTH, "REFER"),
    ("eleven, mental health", born(2014, 6, 17), DataCategory.MENTAL_HEALTH, "PERMIT"),
    ("twelve, ordinary", born(2014, 6, 16), DataCategory.HEALTH_SUMMARY, "PERMIT"),
    ("unborn", None, DataCategory.SUBSTANCE_MISUSE, "PERMIT"),
]


@pytest.mark.parametrize(("birth", "category", "outcome"), pairs(COMPETENCE))
def test_competence_is_assessed_before_a_sensitive_service_is_shared(
    birth: Any, category: DataCategory, outcome: str
) -> None:
    named = both_consents(scope=Scope(categories=frozenset({category})))
    decision = ask(
        **EARLY_HELP | {"consents": named},
        subject__date_of_birth=birth,
        subject__gillick__status=GillickStatus.NOT_ASSESSED,
        item__category=category,
    )
    assert decision.outcome == outcome
    assert (decision.rules == ("P16",)) is (outcome == "REFER")


def test_competence_assessed_for_something_else_is_not_assessed() -> None:
    mental = DataCategory.MENTAL_HEALTH
    decision = ask(
        **EARLY_HELP | {"consents": both_consents(scope=Scope(categories=frozenset({mental})))},
        **FIFTEEN,
        **COMPETENT,
        subject__gillick__categories=frozenset({DataCategory.EDUCATION}),
        item__category=mental,
    )
    assert (decision.outcome, decision.obligations) == ("REFER", ())


NOT_REQUIRED = {"reason_code": ReasonCode.INFORM_NOT_ASK}
UNSAFE = {"reason_code": ReasonCode.RISK_TO_ANYONE, "review_due": TODAY}
GIVEN = (consent(),)
DECISIONS = [
    ("none", None, (), (), "REFER"),
    ("decided a second later", decided(ConsentState.NOT_SOUGHT_NOT_REQUIRED, decided_at=NOW + SECOND, **NOT_REQUIRED),
     (), (), "REFER"),
    ("by a screening officer", decided(
        ConsentState.NOT_SOUGHT_NOT_REQUIRED, decided_by_role=Role.MASH_SCREENING_OFFICER, **NOT_REQUIRED),
     (), (), "REFER"),
    ("not required, no reason", decided(ConsentState.NOT_SOUGHT_NOT_REQUIRED), (), (), "REFER"),
    ("not obtainable, no reason", decided(ConsentState.NOT_OBTAINABLE), (), (), "REFER"),
    ("unsafe, no reason", decided(ConsentState.NOT_SOUGHT_UNSAFE, review_due=TODAY), (), (), "REFER"),
    ("unsafe, a reason of another list", decided(
        ConsentState.NOT_SOUGHT_UNSAFE, review_due=TODAY, reason_code=ReasonCode.INFORM_NOT_ASK), (), (), "REFER"),
    ("unsafe, review overdue", decided(ConsentState.NOT_SOUGHT_UNSAFE, **UNSAFE | {"review_due": TODAY - DAY}), (), (),
     "REFER"),
    ("unsafe, no review", decided(ConsentState.NOT_SOUGHT_UNSAFE, **UNSAFE | {"review_due": None}), (), (), "REFER"),
    ("implied", decided(ConsentState.GIVEN_IMPLIED), GIVEN, (), "REFER"),
    ("not yet sought", decided(ConsentState.NOT_YET_SOUGHT), GIVEN, (), "REFER"),
    ("given, nobody's record behind it", decided(ConsentState.GIVEN_EXPLICIT), (), (), "REFER"),
    ("given, then withdrawn", decided(ConsentState.GIVEN_EXPLICIT), (consent(ConsentState.WITHDRAWN),), (), "REFER"),
    ("given, disputed", decided(ConsentState.GIVEN_EXPLICIT), (consent(ConsentState.DISPUTED),), (), "REFER"),
    ("refused", decided(ConsentState.REFUSED), (), (), "REFER"),
    ("refused, overridden", decided(ConsentState.REFUSED), (), OVERRIDE, "PERMIT"),
    ("given, disputed, settled", decided(ConsentState.GIVEN_EXPLICIT), (consent(ConsentState.DISPUTED),), OVERRIDE,
     "PERMIT"),
    ("given", decided(ConsentState.GIVEN_PARTIAL), GIVEN, (), "PERMIT"),
    ("unsafe to ask", decided(ConsentState.NOT_SOUGHT_UNSAFE, **UNSAFE), (), (), "PERMIT"),
    ("not required", decided(ConsentState.NOT_SOUGHT_NOT_REQUIRED, **NOT_REQUIRED), (), (), "PERMIT"),
    ("not obtainable", decided(
        ConsentState.NOT_OBTAINABLE, reason_code=ReasonCode.CANNOT_BE_CONTACTED), (), (), "PERMIT"),
    ("best interests", decided(ConsentState.BEST_INTERESTS), (), (), "PERMIT"),
]  # fmt: skip


@pytest.mark.parametrize(("decision_about", "consents", "approvals", "outcome"), pairs(DECISIONS))
def test_below_the_threshold_nothing_is_gathered_without_a_decision_about_consent(
    decision_about: Any, consents: Any, approvals: Any, outcome: str
) -> None:
    decision = ask(**SCREENING, episode__consent_decision=decision_about, consents=consents, approvals=approvals)
    assert (decision.outcome, "P11" in decision.rules) == (outcome, True)
    assert (Obligation.SECOND_APPROVER in decision.obligations) is (outcome == "REFER")
    given = decision_about is not None and decision_about.state in (
        ConsentState.GIVEN_PARTIAL,
        ConsentState.GIVEN_EXPLICIT,
    )
    without_consent = outcome == "PERMIT" and not given
    assert (Obligation.INFORM_SUBJECT in decision.obligations) is without_consent
    assert (Obligation.NOTIFY_OWNER in decision.obligations) is without_consent


def test_a_threshold_recorded_later_is_none_and_one_for_another_purpose_neither() -> None:
    from tests.policies.build import threshold

    assert ask(episode__threshold=threshold(NOW + SECOND)).outcome == "REFER"
    assert ask(episode__threshold=threshold(NOW)).outcome == "PERMIT"


REFUSAL = [
    ("the decision says refused", {"episode__consent_decision": decided(ConsentState.REFUSED)}, "REFER"),
    ("the family refused", {"consents": (consent(ConsentState.REFUSED),)}, "REFER"),
    ("the family withdrew", {"consents": (consent(ConsentState.WITHDRAWN),)}, "PERMIT"),
    ("somebody without responsibility refused", {
        "consents": (consent(ConsentState.REFUSED, giver_capacity=GiverCapacity.NONE),)}, "PERMIT"),
    ("in a MARAC", {"purpose": Purpose.MARAC, "consents": (consent(ConsentState.REFUSED),)}, "PERMIT"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "outcome"), pairs(REFUSAL))
def test_a_refusal_is_overridden_by_the_decision_maker_only(changes: dict[str, Any], outcome: str) -> None:
    decision = ask(**changes)
    assert (decision.outcome, "P13" in decision.rules) == (outcome, outcome == "REFER")
    assert ask(**changes, approvals=OVERRIDE).outcome == "PERMIT"


S42 = {"purpose": Purpose.ADULT_S42, "episode__threshold": None, **ADULT}
COERCED = {"circumstances": frozenset({Circumstance.COERCION})}
HARMED = {"circumstances": frozenset({Circumstance.SERIOUS_HARM})}
SELF_REFUSES = {"consents": (by_self(ConsentState.REFUSED),)}
ATTORNEY = {"consents": (consent(giver_capacity=GiverCapacity.LPA_HW),)}
BEST = consent(ConsentState.BEST_INTERESTS, giver_capacity=GiverCapacity.NONE)
SUSPECT_REFUSES = consent(ConsentState.REFUSED, id="CO-3", giver_capacity=GiverCapacity.LPA_HW, giver_conflicted=True)
ADULTS = [
    ("fluctuating capacity", {
        "subject__capacity": CapacityStatus.FLUCTUATING, "consents": (by_self(),)}, "REFER", False),
    ("refused, only herself at risk", SELF_REFUSES, "DENY", False),
    ("refused, serious harm is no such circumstance", SELF_REFUSES | HARMED, "DENY", False),
    ("withdrew", {"consents": (by_self(ConsentState.WITHDRAWN),)}, "DENY", False),
    ("refused under coercion", SELF_REFUSES | COERCED, "REFER", True),
    ("never asked", {}, "REFER", True),
    ("lacks capacity, nobody decided", LACKS, "REFER", True),
    ("lacks capacity, a suspected attorney agreed", LACKS | {"consents": (
        consent(giver_capacity=GiverCapacity.LPA_HW, giver_conflicted=True),)}, "REFER", True),
    ("lacks capacity, best interests against a suspected attorney", LACKS | {
        "consents": (BEST, SUSPECT_REFUSES)}, "REFER", True),
    ("lacks capacity, the attorney refused", LACKS | {"consents": (
        consent(ConsentState.REFUSED, giver_capacity=GiverCapacity.DEPUTY),)}, "DENY", False),
    ("lacks capacity, the attorney withdrew", LACKS | {"consents": (
        consent(ConsentState.WITHDRAWN, giver_capacity=GiverCapacity.DEPUTY),)}, "REFER", True),
    ("refused under coercion, overridden", SELF_REFUSES | COERCED | {"approvals": OVERRIDE}, "PERMIT", False),
    ("lacks capacity, best interests, overridden", LACKS | {
        "consents": (BEST, SUSPECT_REFUSES), "approvals": OVERRIDE}, "PERMIT", False),
    ("never asked, but decided", {"episode__consent_decision": decided(
        ConsentState.NOT_SOUGHT_UNSAFE, **UNSAFE)}, "PERMIT", False),
    ("agreed", {"consents": (by_self(),)}, "PERMIT", False),
    ("lacks capacity, the attorney agreed", LACKS | ATTORNEY, "PERMIT", False),
    ("lacks capacity, best interests", LACKS | {"consents": (BEST,)}, "PERMIT", False),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "outcome", "second"), pairs(ADULTS))
def test_adults_decide_for_themselves(changes: dict[str, Any], outcome: str, second: bool) -> None:
    decision = ask(**S42 | changes)
    assert (decision.outcome, bool({"P19", "P11"} & set(decision.rules))) == (outcome, True)
    assert (Obligation.SECOND_APPROVER in decision.obligations) is second
    assert (Obligation.RECORD_REFUSAL in decision.obligations) is (outcome == "DENY")


def test_the_adult_is_told_when_the_refusal_is_overridden_or_others_decide() -> None:
    told = Obligation.INFORM_SUBJECT
    assert told in ask(**S42 | SELF_REFUSES | COERCED | {"approvals": OVERRIDE}).obligations
    assert told in ask(**S42 | LACKS | {"consents": (BEST,)}).obligations
    assert told not in ask(**S42 | LACKS | ATTORNEY).obligations
    assert told not in ask(**S42 | {"consents": (by_self(),)}).obligations


CARE = [
    ("an objection", {"subject__flags": frozenset({SubjectFlag.OBJECTION})}),
    ("a refusal", {"consents": (consent(ConsentState.REFUSED),)}),
    ("a withdrawal", {"consents": (consent(ConsentState.WITHDRAWN),)}),
    ("a service that promises anonymous access", {"item__anonymous_access_service": True}),
]


@pytest.mark.parametrize("changes", pairs(CARE))
def test_direct_care_stops_at_an_objection(changes: dict[str, Any]) -> None:
    decision = ask(purpose=Purpose.DIRECT_CARE, **changes)
    assert (decision.outcome, decision.rules) == ("DENY", ("P20",))
    own = ask(purpose=Purpose.DIRECT_CARE, **changes, **OWN)
    assert own.outcome == "PERMIT"


def test_direct_care_needs_no_consent_record_and_the_owner_sees_it() -> None:
    decision = ask(purpose=Purpose.DIRECT_CARE)
    assert (decision.outcome, decision.obligations) == ("PERMIT", ("NOTIFY_OWNER",))


QUIET = {
    "inform": InformChoice.DO_NOT_INFORM,
    "inform_reason": ReasonCode.RISK_TO_ANYONE,
    "inform_owner": "US-owner",
}
TELL = [
    ("no reason", decided(ConsentState.NOT_SOUGHT_UNSAFE, **UNSAFE, **QUIET | {"inform_reason": None}), True),
    ("no owner", decided(ConsentState.NOT_SOUGHT_UNSAFE, **UNSAFE, **QUIET | {"inform_owner": None}), True),
    ("to be informed", decided(ConsentState.NOT_SOUGHT_UNSAFE, **UNSAFE), True),
    ("with reason and owner", decided(ConsentState.NOT_SOUGHT_UNSAFE, **UNSAFE, **QUIET), False),
]


@pytest.mark.parametrize(("decision_about", "told"), pairs(TELL))
def test_people_are_told_unless_somebody_owns_the_reason_not_to(decision_about: Any, told: bool) -> None:
    for threshold in ({}, SCREENING):
        duties = ask(**threshold, episode__consent_decision=decision_about).obligations
        assert (Obligation.INFORM_SUBJECT in duties, Obligation.DO_NOT_INFORM in duties) == (told, not told)


def test_in_a_marac_nobody_is_told() -> None:
    duties = ask(purpose=Purpose.MARAC).obligations
    assert Obligation.DO_NOT_INFORM in duties
    assert Obligation.INFORM_SUBJECT not in duties


def test_nobody_is_told_of_an_answer_that_never_came() -> None:
    duties = ask(connector__state="NOT_REACHED").obligations
    assert not {Obligation.INFORM_SUBJECT, Obligation.DO_NOT_INFORM} & set(duties)
