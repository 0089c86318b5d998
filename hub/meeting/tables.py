"""What is kept of meetings: the copies of a pack that left the hub, and what was decided.

Rows are only ever added. Free text is sealed; of what a pack held only the hash of its file is kept, in the trail.
"""

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, String, Table

from hub.tables import Instant

metadata = MetaData()

#: One row per copy, made before anything is asked: a copy that failed leaves a number that nobody holds.
meeting_packs = Table(
    "meeting_packs",
    metadata,
    Column("enquiry", String(40), primary_key=True),
    Column("copy", Integer, primary_key=True, comment="counts the copies of one enquiry, from 1"),
    Column("by", String(40), nullable=False),
    Column("at", Instant, nullable=False),
)

meeting_records = Table(
    "meeting_records",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("enquiry", String(40), nullable=False),
    Column("kind", String(16), nullable=False, comment="OUTCOME or NOT_SHARED"),
    Column("code", String(40), nullable=False),
    Column("agency", String(64), nullable=True, comment="with whom nothing is shared"),
    Column("sealed_reason", LargeBinary, nullable=False),
    Column("by", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    Column("receipt", String(32), nullable=False),
    Index("meeting_records_enquiry", "enquiry", "at"),
)
