"""The shapes of the interface: what is accepted, what is answered. Unknown keys are refused.

For: `hub/api/operations.py` and the description that is made from them. A shape must never have a place for what no
permit can name: answers are written from `FamilyPicture` and its like alone.
"""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from hub.enquiries import ANSWERED, CONNECTIONS, GIVERS, REASONS
from hub.under_agreement import NAME
from policies.vocabulary import (
    AgreementStatus,
    AnswerState,
    ConsentKind,
    ConsentState,
    DataCategory,
    FieldKind,
    GiverCapacity,
    GpAnswer,
    PartyRole,
    PartyStatus,
    Purpose,
    ReasonCode,
    Threshold,
)

#: Patients in one request: a surgery's morning list. Each counts on its own against the user's checks of the minute.
MOST_SUBJECTS = 20
PERSON = r"^p[0-9a-f]{16}$"


def _said(text: str, example: Any = None) -> dict[str, Any]:
    return {"description": text} | ({"example": example} if example is not None else {})


class Text(fields.String):
    """Text that can be stored and shown: no control characters, no lone surrogates, no line ends after a pattern."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **more)
        if not text.isprintable():
            raise ValidationError("Not printable.")
        return text


# -- what is asked ----------------------------------------------------------------------------------------


class Under(Schema):
    """For what, and under which agreement: without them nothing is asked of anybody."""

    purpose = fields.Enum(Purpose, required=True, metadata=_said("why the information is needed"))
    agreement = Text(
        required=True,
        validate=validate.Regexp(f"^{NAME.pattern}$"),
        metadata=_said("the agreement you rely on, REFERENCE/VERSION", "THORN-MASH/2"),
    )


class Patient(Schema):
    """One patient."""

    nhs_number = Text(
        required=True,
        validate=validate.Length(min=1, max=40),
        metadata=_said("10 digits, spaces allowed, with a valid check digit", "999 700 0048"),
    )


class ForGpCheck(Under):
    """The purpose of a GP check is one, and said all the same."""

    purpose = fields.Enum(
        Purpose,
        required=True,
        validate=validate.Equal(Purpose.GP_PACKAGE_CHECK),
        metadata={"description": "always GP_PACKAGE_CHECK", "enum": ["GP_PACKAGE_CHECK"]},
    )


class GpCheckAsked(ForGpCheck):
    """Does this registered patient have a social-care package?"""

    subject = fields.Nested(Patient, required=True)


class GpChecksAsked(ForGpCheck):
    """The same of several patients; each is answered, refused and recorded on its own."""

    subjects = fields.List(fields.Nested(Patient), required=True, validate=validate.Length(min=1, max=MOST_SUBJECTS))


class Sought(Schema):
    """Who is looked for: an NHS number, or a name with a date of birth, or both."""

    nhs_number = Text(validate=validate.Length(min=1, max=40), metadata=_said("10 digits", "999 700 0048"))
    name = Text(validate=validate.Length(min=1, max=120), metadata=_said("given and family name", "Maisie Tarrant"))
    date_of_birth = fields.Date(metadata=_said("ISO 8601"))

    @validates_schema
    def _says_something(self, data: Any, **_more: Any) -> None:
        if not {"nhs_number", "name"} & set(data):
            raise ValidationError("An NHS number or a name.")


class EnquiryAsked(Under):
    """An enquiry to be opened, and who it is about; the words are those of the form on the page."""

    subject = fields.Nested(Sought, required=True)
    reference = Text(
        required=True,
        validate=validate.Length(max=40),
        metadata=_said("your own case or referral number, never a name", "REF/2026/0417"),
    )
    rationale = Text(
        required=True,
        validate=validate.Length(max=2000),
        metadata=_said("why, in the worker's own words", "Bruising seen at school; the explanation does not fit"),
    )
    threshold = fields.Enum(Threshold, metadata=_said("the harm threshold on record, if there is one"))
    consent_state = fields.Enum(
        ConsentState,
        validate=validate.OneOf(list(REASONS)),
        metadata={"description": "what was decided about asking the family", "enum": [str(s) for s in REASONS]},
    )
    reason_code = fields.Enum(ReasonCode, metadata=_said("why asking would be unsafe or could not be done"))
    consent_giver = fields.Enum(
        GiverCapacity,
        validate=validate.OneOf(list(GIVERS)),
        metadata={
            "description": f"who answered; with {' or '.join(ANSWERED)} only",
            "enum": [str(g) for g in GIVERS],
        },
    )


class SearchAsked(Under):
    """One more search within an enquiry."""

    subject = fields.Nested(Sought, required=True)


class ConfirmAsked(Schema):
    """A worker says that this candidate is the person; the first is whom the enquiry is about."""

    candidate = Text(required=True, validate=validate.Length(min=1, max=2000), metadata=_said("as the search gave it"))
    connection = Text(
        validate=validate.OneOf(sorted(CONNECTIONS)),
        metadata=_said("how one more person belongs to the enquiry; needed for everybody after the first"),
    )


class PersonAsked(Under):
    """A question within an enquiry. All three must be the enquiry's own, so that no other is asked by mistake."""

    subject = Text(
        required=True,
        validate=validate.Regexp(PERSON),
        metadata=_said("the enquiry's confirmed person", "p0123456789abcdef"),
    )


class NothingAsked(Schema):
    """An empty object."""


# -- what is answered -------------------------------------------------------------------------------------


class ReceiptShown(Schema):
    """Where the disclosure is recorded."""

    eid = fields.String(metadata=_said("GET /api/v1/receipts/{eid} gives a proof that can be checked offline"))
    recorded_at = fields.AwareDateTime()


class BasisShown(Schema):
    """The lawful basis on which the asking agency received, as codes of the dictionary."""

    article6 = fields.List(fields.String(), metadata=_said("UK GDPR Article 6"))
    article9 = fields.List(fields.String(), metadata=_said("UK GDPR Article 9"))
    schedule1 = fields.List(fields.String(), metadata=_said("Data Protection Act 2018 Schedule 1"))
    schedule8 = fields.List(fields.String(), metadata=_said("Data Protection Act 2018 Schedule 8"))
    gateway = fields.List(fields.String(), metadata=_said("statutory gateways"))


class CoverageShown(Schema):
    """What an agency's answer covers, so that "nothing held" is read for what it is."""

    agency = fields.String()
    sentence = fields.String()


class Disclosed(Schema):
    """What every answer about a person carries."""

    lawful_basis = fields.Nested(BasisShown)
    agreements = fields.List(fields.String(), metadata=_said("under which agreements, REFERENCE/VERSION"))
    as_of = fields.AwareDateTime(allow_none=True, metadata=_said("when what is said was last known to be so"))
    coverage = fields.List(fields.Nested(CoverageShown))
    receipt = fields.Nested(ReceiptShown)


class GpCheckAnswered(Disclosed):
    """One of five answers; NOT_AVAILABLE, NOT_REACHED and MATCH_UNCONFIRMED never mean no."""

    answer = fields.Enum(GpAnswer)
    state = fields.Enum(AnswerState)
    sentence = fields.String(metadata=_said("the answer in words; show it"))
    phone = fields.String(metadata=_said("answered day and night, whatever the answer is"))


class Problem(Schema):
    """An error (RFC 9457)."""

    type = fields.String(metadata=_said("stable; decide by it"))
    title = fields.String()
    status = fields.Integer()
    detail = fields.String()
    trace_id = fields.String(metadata=_said("tell us this one"))
    errors = fields.Dict(keys=fields.String(), values=fields.String(), metadata=_said("by field"))
    receipt = fields.Nested(ReceiptShown)


class GpCheckOfMany(Schema):
    """One patient's answer, or why there is none. The numbers themselves are not sent back."""

    position = fields.Integer(metadata=_said("from 0, as in the request"))
    check = fields.Nested(GpCheckAnswered, allow_none=True)
    problem = fields.Nested(Problem, allow_none=True)


class GpChecksAnswered(Schema):
    """As many as were asked about, in the same order."""

    results = fields.List(fields.Nested(GpCheckOfMany))


class ContactShown(Schema):
    """Whom to ring."""

    name = fields.String()
    in_hours = fields.String()
    out_of_hours = fields.String()


class AgencyShown(Schema):
    """One agency: which of the five answers it gave as a whole, and whom to ring there."""

    code = fields.String()
    name = fields.String()
    state = fields.Enum(AnswerState)
    sentence = fields.String()
    coverage = fields.String()
    as_of = fields.AwareDateTime(allow_none=True)
    contact = fields.Nested(ContactShown)


class CellShown(Schema):
    """One person at one agency: one of five answers, which are never merged."""

    person = fields.String()
    agency = fields.String()
    state = fields.Enum(AnswerState)
    service = fields.String(allow_none=True)
    since = fields.Date(allow_none=True)
    until = fields.Date(allow_none=True)
    as_of = fields.AwareDateTime(allow_none=True)
    coverage = fields.String()
    sentence = fields.String()
    contact = fields.Nested(ContactShown)
    team_contact = fields.String(allow_none=True)


class FactShown(Schema):
    """One field with its source."""

    name = fields.String()
    kind = fields.Enum(FieldKind)
    value = fields.String()
    agency = fields.String()
    as_of = fields.AwareDateTime(allow_none=True)


class ConflictShown(Schema):
    """What agencies say differently; Kith does not choose."""

    name = fields.String()
    facts = fields.List(fields.Nested(FactShown))


class PersonShown(Schema):
    """One member of the family."""

    id = fields.String()
    label = fields.String()
    sex_code = fields.String(allow_none=True)
    age = fields.Integer(allow_none=True)
    unborn = fields.Boolean()
    deceased = fields.Boolean()
    is_subject = fields.Boolean()
    relation_to_subject = fields.String()
    why_here = fields.String()
    warnings = fields.List(fields.String(), metadata=_said("show them, and first"))
    facts = fields.List(fields.Nested(FactShown))
    conflicts = fields.List(fields.Nested(ConflictShown))


class RelationShown(Schema):
    """`person` is `code` (HL7 v3 RoleCode) of `of`, as `agencies` say."""

    person = fields.String()
    of = fields.String()
    code = fields.String()
    words = fields.String()
    agencies = fields.List(fields.String())
    contradicted = fields.Boolean()


class EventShown(Schema):
    """One episode or happening. A person's `part` in it - victim, suspect, witness - is always kept."""

    person = fields.String()
    agency = fields.String()
    category = fields.Enum(DataCategory)
    title = fields.String()
    started = fields.Date(allow_none=True)
    ended = fields.Date(allow_none=True)
    part = fields.String(allow_none=True)
    facts = fields.List(fields.Nested(FactShown))
    as_of = fields.AwareDateTime(allow_none=True)


class KnownToAnswered(Disclosed):
    """Who is involved with whom, since when, and whom to ring."""

    enquiry = fields.String()
    purpose = fields.Enum(Purpose)
    subject = fields.String()
    state = fields.String(
        validate=validate.OneOf(["COMPLETE", "INCOMPLETE"]),
        metadata=_said("INCOMPLETE while an agency that was asked has not answered: ring it"),
    )
    people = fields.List(fields.Nested(PersonShown))
    agencies = fields.List(fields.Nested(AgencyShown))
    cells = fields.List(fields.Nested(CellShown))
    notes = fields.List(fields.String())


class PictureAnswered(KnownToAnswered):
    """The combined family picture."""

    relations = fields.List(fields.Nested(RelationShown))
    events = fields.List(fields.Nested(EventShown))
    no_export = fields.Boolean(metadata=_said("something here may be shown to the user, not stored or printed"))


class EnquiryShown(Schema):
    """One enquiry of the user's agency."""

    id = fields.String()
    reference = fields.String()
    purpose = fields.Enum(Purpose)
    opened_at = fields.AwareDateTime()
    closed_at = fields.AwareDateTime(allow_none=True)
    subject = fields.String(allow_none=True, metadata=_said("the confirmed person, once there is one"))
    state = fields.String(validate=validate.OneOf(["OPEN", "CLOSED"]))


class CandidateShown(Schema):
    """Somebody who could be meant. Nobody is the person before a worker says so."""

    candidate = fields.String(metadata=_said("give it back to confirm; it is good for 15 minutes and this user"))
    name = fields.String()
    age = fields.Integer(allow_none=True)
    date_of_birth = fields.Date(allow_none=True)
    sex_code = fields.String(allow_none=True)
    strength = fields.String(metadata=_said("how well it fits, in words"))
    reasons = fields.List(fields.String())


class SearchAnswered(Schema):
    """At most ten candidates. An empty list does not mean that nothing is known."""

    enquiry = fields.Nested(EnquiryShown)
    candidates = fields.List(fields.Nested(CandidateShown))
    advice = fields.String(allow_none=True)
    receipt = fields.Nested(ReceiptShown)


class ConsentShown(Schema):
    """One answer of one giver. A scope of null is not limited in that respect."""

    id = fields.String()
    kind = fields.Enum(ConsentKind)
    state = fields.Enum(ConsentState)
    subject = fields.String()
    giver_capacity = fields.Enum(GiverCapacity)
    given_at = fields.AwareDateTime()
    expires_at = fields.AwareDateTime(allow_none=True)
    withdrawn_at = fields.AwareDateTime(allow_none=True)
    agencies = fields.List(fields.String(), allow_none=True)
    categories = fields.List(fields.Enum(DataCategory), allow_none=True)
    purposes = fields.List(fields.Enum(Purpose), allow_none=True)
    recorded_by_agency = fields.String(allow_none=True)
    in_force = fields.Boolean()


class AskingShown(Schema):
    """What was decided about asking the family."""

    state = fields.Enum(ConsentState)
    reason_code = fields.Enum(ReasonCode, allow_none=True)
    decided_at = fields.AwareDateTime()
    review_due = fields.Date(allow_none=True)


class ConsentsAnswered(Disclosed):
    """What the family agreed or refused, as far as the user may see it, newest first."""

    enquiry = fields.String()
    purpose = fields.Enum(Purpose)
    subject = fields.String()
    state = fields.Enum(AnswerState, metadata=_said("FOUND or NOTHING_HELD; nothing held is not a yes"))
    people = fields.List(fields.Nested(PersonShown))
    consents = fields.List(fields.Nested(ConsentShown))
    about_asking = fields.Nested(AskingShown, allow_none=True)


class PartyShown(Schema):
    """One agency's part in an agreement."""

    agency = fields.String()
    role = fields.Enum(PartyRole)
    status = fields.Enum(PartyStatus)
    signed_on = fields.Date(allow_none=True)


class AgreementShown(Schema):
    """One version of an agreement. It holds nothing about anybody."""

    agreement = fields.String(metadata=_said("REFERENCE/VERSION, as a request names it"))
    title = fields.String()
    status = fields.Enum(AgreementStatus)
    in_force = fields.Boolean()
    effective_from = fields.Date()
    expires_on = fields.Date(allow_none=True)
    review = fields.Date()
    dpia_reference = fields.String()
    parties = fields.List(fields.Nested(PartyShown))
    purposes = fields.List(fields.Enum(Purpose), metadata=_said("for which something may flow under it"))
    your_part = fields.Enum(PartyRole, allow_none=True, metadata=_said("your own agency's, null when it is no party"))


class ProofShown(Schema):
    """A proof that an entry is in the signed trail; `python -m audit verify FILE` and `/verifier` check it."""

    eid = fields.String()
    recorded_at = fields.AwareDateTime()
    proof = fields.Dict(metadata=_said("docs/audit-format.md; it says nothing about anybody"))
