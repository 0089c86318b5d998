"""Corrections that people asked for, and each step that they went. Rows are only ever added; texts are sealed."""

from sqlalchemy import Column, Index, LargeBinary, MetaData, String, Table

from hub.tables import Instant

metadata = MetaData()

corrections = Table(
    "corrections",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("person", String(40), nullable=False),
    Column("agency", String(64), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("sent_at", Instant, nullable=False),
    Column("receipt", String(32), nullable=False),
    Index("corrections_person", "person", "sent_at"),
)

correction_steps = Table(
    "correction_steps",
    metadata,
    Column("correction", String(40), primary_key=True),
    Column("step", String(16), primary_key=True, comment="READ, then CORRECTED or REFUSED"),
    Column("at", Instant, nullable=False),
    Column("by", String(40), nullable=False),
    Column("sealed_reason", LargeBinary, nullable=True),
)
