"""The words of the matrix are what decide answers, and say no more than it."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from policies import Agency, Question, Situation, Word, answers, as_if_in_force, decide, load_agreements, word
from policies import gateway_register as register
from policies.vocabulary import (
    AgencyType,
    AgreementStatus,
    DataCategory,
    FieldKind,
    PartyStatus,
    Purpose,
    Role,
)

POLICIES = Path(__file__).parents[2] / "policies"
SEEDED = {one.reference: one for one in load_agreements(POLICIES / "agreements")}
GATEWAYS = register(POLICIES / "gateways.toml")
MASH, TODAY = SEEDED["THORN-MASH"], date(2026, 6, 16)
CSC = Agency(code="csc", type=AgencyType.CHILDRENS_SOCIAL_CARE, public_authority=True)
POLICE = Agency(code="police", type=AgencyType.POLICE, public_authority=True, competent_authority=True)
SMS = Agency(code="sms", type=AgencyType.SUBSTANCE_MISUSE, public_authority=False)
ASKED = Question(
    owner=POLICE,
    recipient=CSC,
    role=Role.MASH_SOCIAL_WORKER,
    purpose=Purpose.S47_ENQUIRY,
    category=DataCategory.POLICE_INCIDENT,
    offers=frozenset({FieldKind.DATES, FieldKind.RISK, FieldKind.OUTCOME}),
    age=8,
)


def word_of(question: Question, agreement=MASH) -> Word:  # type: ignore[no-untyped-def]
    return word(answers(question, (agreement,), GATEWAYS, TODAY))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"category": DataCategory.EDUCATION, "purpose": Purpose.MASH_SCREENING}, Word.NEVER),
        (
            {"role": Role.RECEPTIONIST, "purpose": Purpose.MASH_SCREENING, "category": DataCategory.HOUSING},
            Word.NEVER,
        ),
        ({"role": Role.RECEPTIONIST}, Word.NEVER),
        ({"offers": frozenset({FieldKind.TREATMENT})}, Word.NEVER),
        ({"category": DataCategory.FERTILITY}, Word.NEVER),
        ({}, Word.FULL),
        ({"offers": frozenset({FieldKind.RISK, FieldKind.NARRATIVE})}, Word.PART),
        ({"purpose": Purpose.S17_ASSESSMENT}, Word.CONSENT),
        (
            {"owner": SMS, "category": DataCategory.SUBSTANCE_MISUSE, "offers": frozenset({FieldKind.RISK})},
            Word.CONSENT,
        ),
    ],
)
def test_the_word_of_a_cell(changes: dict[str, object], expected: Word) -> None:
    assert word_of(replace(ASKED, **changes)) == expected  # type: ignore[arg-type]


def test_each_word_stands_for_a_decision_and_never_for_more() -> None:
    seen = set()
    for purpose in (Purpose.S47_ENQUIRY, Purpose.S17_ASSESSMENT, Purpose.MASH_SCREENING):
        for category in DataCategory:
            question = replace(ASKED, purpose=purpose, category=category)
            found = answers(question, (MASH,), GATEWAYS, TODAY)
            assert all(one.decision == decide(one.request) for one in found)
            shown = {one.situation for one in found if one.decision.fields}
            seen.add(said := word(found))
            if said in (Word.FULL, Word.PART, Word.INDICATOR):
                assert Situation.PLAIN in shown
            elif said == Word.NEVER:
                assert not shown
            else:
                assert Situation.PLAIN not in shown
    assert len(seen) >= 4


def test_a_version_that_is_not_in_force_is_read_as_if_it_were_and_nobody_else_signs_for_a_party() -> None:
    unsigned = tuple(replace(party, status=PartyStatus.NOT_SIGNED) for party in MASH.parties)
    draft = replace(MASH, head=replace(MASH.head, status=AgreementStatus.IN_SIGNING, parties=unsigned))
    assert word_of(ASKED, draft) == Word.NEVER
    assert word_of(ASKED, as_if_in_force(draft, TODAY)) == Word.FULL
    gone = tuple(replace(p, status=PartyStatus.WITHDRAWN) if p.agency == "police" else p for p in MASH.parties)
    suspended = replace(MASH, head=replace(MASH.head, status=AgreementStatus.SUSPENDED, parties=gone))
    assert word_of(ASKED, as_if_in_force(suspended, TODAY)) != Word.FULL
