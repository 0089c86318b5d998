"""What decisions were made of: one row per recorded event, and each bundle of agreements and gateways once."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

decision_records = Table(
    "decision_records",
    metadata,
    Column("eid", String(40), primary_key=True, comment="the event of the trail that it belongs to"),
    Column("t", BigInteger, nullable=False, comment="UTC milliseconds"),
    Column("agency", String(64), nullable=False, comment="whose subject keys the parts are under"),
    Column("bundle", String(80), nullable=False),
    Column("decisions", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("decision_records_t", "t"),
)

policy_bundles = Table(
    "policy_bundles",
    metadata,
    Column("bundle", String(80), primary_key=True, comment="the SHA-256 over the text"),
    Column("text", Text, nullable=False),
)
