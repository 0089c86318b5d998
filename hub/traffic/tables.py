"""Tables of the interface: which requests were answered, and how often somebody asked within a minute."""

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, String, Table

from hub.tables import Instant

metadata = MetaData()

#: One row per Idempotency-Key. `status` NULL: somebody is at work on it.
answered_once = Table(
    "answered_once",
    metadata,
    Column("id_hash", LargeBinary(32), primary_key=True),
    Column("body_hash", LargeBinary(32), nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("status", Integer, nullable=True),
    Column("receipt", String(40), nullable=True),
    Column("expires_at", Instant, nullable=False),
    Index("answered_once_expires", "expires_at"),
)

#: How many requests somebody made in the minute that began so many minutes after 1970.
request_rates = Table(
    "request_rates",
    metadata,
    Column("who", String(80), primary_key=True),
    Column("minute", Integer, nullable=False),
    Column("count", Integer, nullable=False),
)
