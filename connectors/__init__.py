"""From a partner's system to MAIS records, whatever the partner can offer."""

from connectors.contract import (
    Answer,
    Ask,
    Connector,
    ConnectorError,
    ContactLine,
    Coverage,
    Partner,
    PersonQuery,
)

__all__ = [
    "Answer",
    "Ask",
    "Connector",
    "ConnectorError",
    "ContactLine",
    "Coverage",
    "Partner",
    "PersonQuery",
]
