"""The tables of consent: rows are added, never changed.

For: records of what people answered, decisions about whether to ask, assessments of competence and capacity,
who holds parental responsibility, and checks of disputes. Must never hold names or free text in the clear;
persons, agencies and givers are opaque ids, and reasons come sealed. A withdrawal or renewal is a new row that
points to the row it follows; the database lets each row be followed once.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
)

metadata = MetaData()


class Instant(TypeDecorator[datetime]):
    """A moment with its zone, stored in UTC; SQLite alone would lose the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Refuses a moment without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Gives the moment back in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


consent_records = Table(
    "consent_records",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("follows", String(40), ForeignKey("consent_records.id"), nullable=True),
    Column("kind", String(32), nullable=False),
    Column("state", String(32), nullable=False),
    Column("giver", String(40), nullable=True),
    Column("giver_capacity", String(32), nullable=False),
    Column("giver_conflicted", Boolean, nullable=False),
    Column("subject", String(40), nullable=False),
    Column("persons", JSON, nullable=True),
    Column("agencies", JSON, nullable=True),
    Column("categories", JSON, nullable=True),
    Column("purposes", JSON, nullable=True),
    Column("given_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=True),
    Column("withdrawn_at", Instant, nullable=True),
    Column("wording", String(400), nullable=True),
    Column("method", String(16), nullable=True),
    Column("statement", String(40), nullable=True),
    Column("statement_version", Integer, nullable=True),
    Column("enquiry", String(40), nullable=True),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", String(40), nullable=False),
    Column("recorded_by_agency", String(64), nullable=True),
    Index("consent_records_subject", "subject"),
    Index("consent_records_follows", "follows", unique=True),
)

consent_decisions = Table(
    "consent_decisions",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("enquiry", String(40), nullable=False),
    Column("state", String(32), nullable=False),
    Column("reason_code", String(32), nullable=True),
    Column("decided_by", String(40), nullable=False),
    Column("decided_by_role", String(40), nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("review_due", Date, nullable=True),
    Column("inform", String(16), nullable=False),
    Column("inform_reason", String(32), nullable=True),
    Column("inform_owner", String(40), nullable=True),
    Index("consent_decisions_enquiry", "enquiry"),
)

consent_assessments = Table(
    "consent_assessments",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("subject", String(40), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("categories", JSON, nullable=True),
    Column("assessed_at", Instant, nullable=False),
    Column("assessed_by", String(40), nullable=False),
    Column("assessed_by_role", String(40), nullable=False),
    Column("assessed_by_agency", String(64), nullable=False),
    Column("review_due", Date, nullable=True),
    Column("sealed_reasons", LargeBinary, nullable=False),
    Index("consent_assessments_subject", "subject"),
)

consent_standings = Table(
    "consent_standings",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("follows", String(40), ForeignKey("consent_standings.id"), nullable=True),
    Column("subject", String(40), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("holder", String(40), nullable=True),
    Column("code", String(24), nullable=False),
    Column("starts", Date, nullable=False),
    Column("ends", Date, nullable=True),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", String(40), nullable=False),
    Index("consent_standings_subject", "subject"),
    Index("consent_standings_follows", "follows", unique=True),
)

consent_dispute_checks = Table(
    "consent_dispute_checks",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("subject", String(40), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("records", JSON, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("sealed_reasons", LargeBinary, nullable=False),
    Column("checked_by", String(40), nullable=False),
    Column("checked_by_role", String(40), nullable=False),
    Column("checked_at", Instant, nullable=False),
    Index("consent_dispute_checks_subject", "subject"),
)
