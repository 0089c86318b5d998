"""From a partner's system to MAIS records, whatever the partner can offer."""

from connectors.attachments import MOST_ATTACHMENTS, Attachment, FileKind, inspect
from connectors.contract import (
    Answer,
    Ask,
    Connector,
    ConnectorError,
    ContactLine,
    Coverage,
    ItemMapping,
    Keys,
    NoAnswerReason,
    Partner,
    PersonQuery,
    Promise,
    Reply,
    SchoolDay,
)
from connectors.extract import ExtractConnector, OpenSession, load_times, marks_of, stored_people
from connectors.fhir import FhirConnector
from connectors.formats.people import (
    PersonMapping,
    Reject,
    identifier_system,
    people_from_rows,
    read_mapping,
    record_system,
)
from connectors.gather import Gatherer, Health
from connectors.inbox import AnswerKind, InboxConnector, Mark, Piece, place_of_file
from connectors.inbox_desk import (
    Given,
    Marked,
    Request,
    add_answer,
    clear_pieces,
    due_for_a_word,
    enquiries_with_pieces,
    file_of,
    hasten,
    mark_piece,
    note_reminded,
    open_requests,
    request_of,
)
from connectors.life_events import LARGEST_NOTICE, LifeEvent, Named, canonical, read_life_event
from connectors.lint import Finding, check_partner_file
from connectors.loading import LoadReport, forget_drop, load_drop
from connectors.mais import MaisConnector
from connectors.mais_form import MaisInvalid
from connectors.partner import WAYS, load_partner, load_partners, moved, person_mapping
from connectors.quality import ElementCount, FileCount, Unused
from connectors.records import (
    NHS_NUMBER,
    STANDARD_FIELDS,
    UPN,
    Address,
    Contact,
    Identifier,
    Item,
    Name,
    OfferedField,
    PartialDate,
    Person,
    PersonRelationship,
    Professional,
    SourceRecord,
    Value,
)
from connectors.rest import RestConnector
from connectors.sql import SqlConnector
from connectors.standing import LastLoad, last_loads, unfinished_loads
from connectors.templates import partner_template
from connectors.trial import Trial, is_test_number, try_partner
from connectors.uploads import LARGEST_PART, Manifest, OutOfStep, Spool, exclusive, put_ready, read_manifest

__all__ = [
    "LARGEST_NOTICE",
    "LARGEST_PART",
    "MOST_ATTACHMENTS",
    "NHS_NUMBER",
    "STANDARD_FIELDS",
    "UPN",
    "WAYS",
    "Address",
    "Answer",
    "AnswerKind",
    "Ask",
    "Attachment",
    "Connector",
    "ConnectorError",
    "Contact",
    "ContactLine",
    "Coverage",
    "ElementCount",
    "ExtractConnector",
    "FhirConnector",
    "FileCount",
    "FileKind",
    "Finding",
    "Gatherer",
    "Given",
    "Health",
    "Identifier",
    "InboxConnector",
    "Item",
    "ItemMapping",
    "Keys",
    "LastLoad",
    "LifeEvent",
    "LoadReport",
    "MaisConnector",
    "MaisInvalid",
    "Manifest",
    "Mark",
    "Marked",
    "Name",
    "Named",
    "NoAnswerReason",
    "OfferedField",
    "OpenSession",
    "OutOfStep",
    "PartialDate",
    "Partner",
    "Person",
    "PersonMapping",
    "PersonQuery",
    "PersonRelationship",
    "Piece",
    "Professional",
    "Promise",
    "Reject",
    "Reply",
    "Request",
    "RestConnector",
    "SchoolDay",
    "SourceRecord",
    "Spool",
    "SqlConnector",
    "Trial",
    "Unused",
    "Value",
    "add_answer",
    "build_connector",
    "canonical",
    "check_partner_file",
    "clear_pieces",
    "due_for_a_word",
    "enquiries_with_pieces",
    "exclusive",
    "file_of",
    "forget_drop",
    "hasten",
    "identifier_system",
    "inspect",
    "is_test_number",
    "last_loads",
    "load_drop",
    "load_partner",
    "load_partners",
    "load_times",
    "mark_piece",
    "marks_of",
    "moved",
    "note_reminded",
    "open_requests",
    "partner_template",
    "people_from_rows",
    "person_mapping",
    "place_of_file",
    "put_ready",
    "read_life_event",
    "read_manifest",
    "read_mapping",
    "record_system",
    "request_of",
    "stored_people",
    "try_partner",
    "unfinished_loads",
]


def build_connector(partner: Partner, *, open_session: OpenSession, keys: Keys) -> Connector:
    """Returns the connector of the partner's way. Raises ConnectorError for a way that nobody has written."""
    if partner.way == "extract":
        return ExtractConnector(partner, open_session, keys)
    if partner.way == "fhir":
        return FhirConnector(partner)
    if partner.way == "inbox":
        return InboxConnector(partner, open_session, keys)
    if partner.way == "mais":
        return MaisConnector(partner)
    if partner.way == "rest":
        return RestConnector(partner)
    if partner.way == "sql":
        return SqlConnector(partner)
    raise ConnectorError("NOT_CONFIGURED", f"{partner.code}: its way is not one that can be built.")
