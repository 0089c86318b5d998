"""The export as FHIR Consent keeps to the cardinalities of IHE PCF (consentBasic and consentAdvanced)."""

import base64
from dataclasses import replace
from datetime import timedelta

import pytest

from consent import as_bundle, as_consent
from policies.vocabulary import ConsentState, DataCategory, GiverCapacity
from tests.consent.test_records import FATHERS_NO, MOTHERS_YES, NOW

NAMED = replace(MOTHERS_YES, id="CO-1", agencies=("csc", "sms"), categories=(DataCategory.SUBSTANCE_MISUSE,))
ONCE = ("status", "scope", "patient", "dateTime", "sourceReference", "provision")
SOME = ("category", "performer", "organization", "policy")


@pytest.mark.parametrize(
    "record",
    [MOTHERS_YES, FATHERS_NO, NAMED, replace(MOTHERS_YES, giver="csc", giver_capacity=GiverCapacity.LA_WITH_PR)],
)
def test_a_consent_has_what_the_profile_demands_and_nothing_it_forbids(record: object) -> None:
    made = as_consent(replace(record, id="CO-1"))  # type: ignore[type-var]
    assert all(isinstance(made[name], dict | str) for name in ONCE)
    assert all(isinstance(made[name], list) and made[name] for name in SOME)
    assert made["scope"]["coding"][0]["code"] == "patient-privacy"
    assert "verification" not in made
    assert not {"action", "class", "code", "provision"} & set(made["provision"])
    if made["meta"]["profile"][0].endswith("Basic"):
        assert not {"securityLabel", "dataPeriod", "data"} & set(made["provision"])


@pytest.mark.parametrize(
    ("state", "status", "kind"),
    [
        (ConsentState.GIVEN_EXPLICIT, "active", "permit"),
        (ConsentState.REFUSED, "active", "deny"),
        (ConsentState.WITHDRAWN, "inactive", "permit"),
        (ConsentState.SUPERSEDED, "inactive", "permit"),
    ],
)
def test_a_refusal_denies_and_what_was_withdrawn_is_inactive(state: ConsentState, status: str, kind: str) -> None:
    made = as_consent(replace(MOTHERS_YES, id="CO-1", state=state))
    assert (made["status"], made["provision"]["type"]) == (status, kind)


def test_limits_and_words_are_in_the_consent() -> None:
    made = as_consent(replace(NAMED, expires_at=NOW + timedelta(days=3)))
    assert [label["code"] for label in made["provision"]["securityLabel"]] == ["ETH", "SUBSTANCE_MISUSE"]
    assert [actor["reference"]["reference"] for actor in made["provision"]["actor"]] == [
        "Organization/csc",
        "Organization/sms",
    ]
    assert made["policy"] == [{"uri": "urn:kith:statement:sharing-for-a-family-plan/1"}]
    held = made["contained"][0]["content"][0]["attachment"]["data"]
    assert "change my mind" in base64.b64decode(held).decode()
    assert made["performer"] == [{"reference": "RelatedPerson/PE-mother"}]


def test_a_dispute_is_no_answer_and_is_left_out() -> None:
    disputed = replace(MOTHERS_YES, id="CO-2", state=ConsentState.DISPUTED)
    assert len(as_bundle([replace(MOTHERS_YES, id="CO-1"), disputed], now=NOW)["entry"]) == 1
    with pytest.raises(ValueError, match="answer"):
        as_consent(disputed)
