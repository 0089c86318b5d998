"""From a partner's system to MAIS records, whatever the partner can offer."""

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
)
from connectors.extract import ExtractConnector, OpenSession, load_times, stored_people
from connectors.fhir import FhirConnector
from connectors.formats.people import (
    PersonMapping,
    Reject,
    identifier_system,
    people_from_rows,
    read_mapping,
    record_system,
)
from connectors.gather import Gatherer
from connectors.lint import Finding, check_partner_file
from connectors.loading import LoadReport, forget_drop, load_drop
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

__all__ = [
    "NHS_NUMBER",
    "STANDARD_FIELDS",
    "UPN",
    "WAYS",
    "Address",
    "Answer",
    "Ask",
    "Connector",
    "ConnectorError",
    "Contact",
    "ContactLine",
    "Coverage",
    "ElementCount",
    "ExtractConnector",
    "FhirConnector",
    "FileCount",
    "Finding",
    "Gatherer",
    "Identifier",
    "Item",
    "ItemMapping",
    "Keys",
    "LastLoad",
    "LoadReport",
    "Name",
    "NoAnswerReason",
    "OfferedField",
    "OpenSession",
    "PartialDate",
    "Partner",
    "Person",
    "PersonMapping",
    "PersonQuery",
    "PersonRelationship",
    "Professional",
    "Promise",
    "Reject",
    "RestConnector",
    "SourceRecord",
    "SqlConnector",
    "Trial",
    "Unused",
    "Value",
    "build_connector",
    "check_partner_file",
    "forget_drop",
    "identifier_system",
    "is_test_number",
    "last_loads",
    "load_drop",
    "load_partner",
    "load_partners",
    "load_times",
    "moved",
    "partner_template",
    "people_from_rows",
    "person_mapping",
    "read_mapping",
    "record_system",
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
    if partner.way == "rest":
        return RestConnector(partner)
    if partner.way == "sql":
        return SqlConnector(partner)
    raise ConnectorError("NOT_CONFIGURED", f"{partner.code}: its way is not one that can be built.")
