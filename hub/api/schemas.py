"""The shapes of the JSON interface: what is accepted, what is answered. Unknown keys are refused."""

from marshmallow import Schema, fields, validate

from policies.vocabulary import GpAnswer


class GpCheckAsked(Schema):
    """One patient."""

    nhs_number = fields.String(
        required=True,
        validate=validate.Length(max=40),
        metadata={"description": "10 digits, spaces allowed, with a valid check digit", "example": "999 000 0018"},
    )


class ReceiptShown(Schema):
    """Where the disclosure is recorded."""

    eid = fields.String(metadata={"description": "GET /receipts/{eid}?format=json gives an offline proof"})


class GpCheckAnswered(Schema):
    """One of five answers; NOT_AVAILABLE, NOT_REACHED and MATCH_UNCONFIRMED never mean no."""

    answer = fields.Enum(GpAnswer)
    as_of = fields.AwareDateTime(
        allow_none=True, metadata={"description": "when the answering system was last current"}
    )
    phone = fields.String(metadata={"description": "answered day and night, whatever the answer is"})
    sentence = fields.String(metadata={"description": "the answer in words"})
    receipt = fields.Nested(ReceiptShown)


class Problem(Schema):
    """An error (RFC 9457)."""

    type = fields.String()
    title = fields.String()
    status = fields.Integer()
    detail = fields.String()
    trace_id = fields.String()
    errors = fields.Dict(keys=fields.String(), values=fields.String(), metadata={"description": "by field"})
