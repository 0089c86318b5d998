"""What the story families agreed or refused, as plain data for the hub to store.

For: demonstrations of early help, refusal and withdrawal. Must never name a person otherwise than by an
agency's own record id: the hub resolves the id to its own person. Ruled by P10, P15, P16 and P17.

A record is a `ConsentDocument`; as JSON (`as_json`) it reads

    {"story": "consent_withdrawn", "kind": "CONFIDENTIALITY", "state": "WITHDRAWN",
     "subject": {"agency": "csc", "record": "C009023"}, "giver": {"agency": "csc", "record": "C009022"},
     "giver_capacity": "PARENT_WITH_PR", "giver_conflicted": false,
     "scope": {"persons": [{"agency": "csc", "record": "C009023"}], "agencies": ["csc", "housing"],
               "categories": null, "purposes": ["EARLY_HELP"]},
     "given_at": "2026-06-24T10:00:00+00:00", "expires_at": "...", "withdrawn_at": "...", "wording": "..."}

A scope of null is not limited in that respect. A decision about asking, for a story's enquiry, is a
`DecisionDocument`: {"story", "subject", "state", "reason_code", "decided_by_persona", "decided_at", "review_due",
"inform", "inform_reason", "note"}; `threshold` is a Threshold to record on that enquiry, or null.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hub.demo.builder import ago
from hub.demo.model import County
from policies.vocabulary import (
    ConsentKind,
    ConsentState,
    DataCategory,
    GiverCapacity,
    Purpose,
    ReasonCode,
    Threshold,
)


@dataclass(frozen=True, slots=True)
class RecordRef:
    """Somebody, as an agency's own record id names them."""

    agency: str
    record: str


@dataclass(frozen=True, slots=True)
class ConsentDocument:
    """One answer of one giver; see the module docstring."""

    story: str
    kind: ConsentKind
    state: ConsentState
    subject: RecordRef
    giver: RecordRef
    giver_capacity: GiverCapacity
    given_at: datetime
    persons: tuple[RecordRef, ...] | None
    agencies: tuple[str, ...] | None
    categories: tuple[DataCategory, ...] | None
    purposes: tuple[Purpose, ...] | None
    giver_conflicted: bool = False
    expires_at: datetime | None = None
    withdrawn_at: datetime | None = None
    wording: str = ""

    def as_json(self) -> dict[str, Any]:
        """Returns the document as in the module docstring."""
        flat = asdict(self)
        scope = {name: flat.pop(name) for name in ("persons", "agencies", "categories", "purposes")}
        times = {name: flat[name] and flat[name].isoformat() for name in ("given_at", "expires_at", "withdrawn_at")}
        return {**flat, **times, "scope": scope}


@dataclass(frozen=True, slots=True)
class DecisionDocument:
    """What was decided about asking, for a story's enquiry; see the module docstring."""

    story: str
    subject: RecordRef
    state: ConsentState
    reason_code: ReasonCode | None
    decided_by_persona: str
    decided_at: datetime
    review_due: date | None
    inform: str
    inform_reason: ReasonCode | None
    threshold: Threshold | None
    note: str


_EARLY_HELP_AGENCIES = ("csc", "hv", "housing", "gp-millbrook", "gp-harbourside")
_SERVICE = "I agree that a key worker works with my family and may leave the plan at any time."
_SHARING = "I agree that the agencies ticked here tell each other what is needed for our family plan."


def _at(day: date, hour: int = 10) -> datetime:
    return datetime.combine(day, time(hour), UTC)


def consents(county: County) -> tuple[ConsentDocument, ...]:
    """Returns the consent records of the story families, relative to the county's day."""
    today = county.today
    withdrawn = _agreed(county, "consent_withdrawn", "lockwood.theo", "lockwood.jasmine", ago(today, months=5))
    end = _at(ago(today, days=10), 15)
    return (
        *_agreed(county, "early_help_agreed", "ashby.ruby", "ashby.carmel", ago(today, months=4)),
        *_agreed(county, "early_help_agreed", "ashby.carmel", "ashby.carmel", ago(today, months=4)),
        *(_withdrawn(document, end) for document in withdrawn),
        _refusal(county, ConsentKind.CONFIDENTIALITY),
        # His mother says yes for him; from 16 only his own answer counts (P16).
        _mothers_yes(county),
    )


def _ref(county: County, key: str, agency: str = "csc") -> RecordRef:
    return RecordRef(agency, county.record_of(key, agency))


def _agreed(county: County, story: str, subject: str, giver: str, on: date) -> Iterable[ConsentDocument]:
    capacity = GiverCapacity.SELF if subject == giver else GiverCapacity.PARENT_WITH_PR
    return tuple(
        ConsentDocument(
            story=story,
            kind=kind,
            state=ConsentState.GIVEN_EXPLICIT,
            subject=_ref(county, subject),
            giver=_ref(county, giver),
            giver_capacity=capacity,
            given_at=_at(on),
            persons=(_ref(county, subject),),
            agencies=_EARLY_HELP_AGENCIES,
            categories=None,
            purposes=(Purpose.EARLY_HELP,),
            expires_at=_at(on + timedelta(days=365)),
            wording=wording,
        )
        for kind, wording in ((ConsentKind.SERVICE_AGREEMENT, _SERVICE), (ConsentKind.CONFIDENTIALITY, _SHARING))
    )


def _withdrawn(document: ConsentDocument, end: datetime) -> ConsentDocument:
    return replace(document, state=ConsentState.WITHDRAWN, withdrawn_at=end)


def _refusal(county: County, kind: ConsentKind) -> ConsentDocument:
    callum = _ref(county, "prendergast.callum")
    return ConsentDocument(
        story="young_person_refuses",
        kind=kind,
        state=ConsentState.REFUSED,
        subject=callum,
        giver=callum,
        giver_capacity=GiverCapacity.SELF,
        given_at=_at(ago(county.today, months=2)),
        persons=(callum,),
        agencies=None,
        categories=None,
        purposes=None,
        wording="I do not want anybody else to be told.",
    )


def _mothers_yes(county: County) -> ConsentDocument:
    callum = _ref(county, "prendergast.callum")
    return ConsentDocument(
        story="young_person_refuses",
        kind=ConsentKind.CONFIDENTIALITY,
        state=ConsentState.GIVEN_EXPLICIT,
        subject=callum,
        giver=_ref(county, "prendergast.hilary"),
        giver_capacity=GiverCapacity.PARENT_WITH_PR,
        given_at=_at(ago(county.today, months=3)),
        persons=(callum,),
        agencies=_EARLY_HELP_AGENCIES,
        categories=None,
        purposes=(Purpose.EARLY_HELP,),
        wording=_SHARING,
    )


def decisions(county: County) -> tuple[DecisionDocument, ...]:
    """Returns what was decided about asking in the stories that a MASH enquiry is opened for."""
    today = county.today
    yesterday = _at(ago(today, days=1), 11)
    return (
        DecisionDocument(
            "showcase", _ref(county, "tarrant.maisie"), ConsentState.NOT_SOUGHT_UNSAFE, ReasonCode.RISK_TO_ANYONE,
            "mash_decision_maker", yesterday, today + timedelta(days=5), "INFORM", None, Threshold.REASONABLE_CAUSE,
            "Reasonable cause to suspect significant harm: neglect, injury, domestic abuse within four months.",
        ),
        DecisionDocument(
            "unborn", _ref(county, "whitcombe.baby"), ConsentState.NOT_SOUGHT_NOT_REQUIRED, ReasonCode.INFORM_NOT_ASK,
            "mash_decision_maker", yesterday, None, "INFORM", None, Threshold.LIKELY_HARM_AT_BIRTH,
            "Likely harm at birth; the mother is told.",
        ),
        DecisionDocument(
            "shielded", _ref(county, "zielonka.filip"), ConsentState.NOT_SOUGHT_UNSAFE, ReasonCode.RISK_TO_ANYONE,
            "mash_decision_maker", yesterday, today + timedelta(days=5), "DO_NOT_INFORM", ReasonCode.RISK_TO_ANYONE,
            Threshold.S47_DECISION, "Asking the father would put mother and child at risk.",
        ),
        DecisionDocument(
            "twins", _ref(county, "adeleke.tiwa"), ConsentState.NOT_SOUGHT_NOT_REQUIRED, ReasonCode.INFORM_NOT_ASK,
            "mash_social_worker", yesterday, None, "INFORM", None, None, "Parents are told about the screening.",
        ),
    )  # fmt: skip
