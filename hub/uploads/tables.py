"""Which uploads there are and what came of each: names of files, counts and codes; nothing about anybody."""

from sqlalchemy import JSON, Column, MetaData, String, Table

from hub.tables import Instant

metadata = MetaData()

uploads = Table(
    "uploads",
    metadata,
    Column("id", String(40), primary_key=True, comment="the same for the same files of the same agency"),
    Column("agency", String(31), nullable=False),
    Column("manifest", JSON, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("state", String(12), nullable=False),
    Column("settled_at", Instant, nullable=True),
    Column("report", JSON, nullable=False),
    Column("receipt", String(40), nullable=True),
)
