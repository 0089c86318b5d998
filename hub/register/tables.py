"""What the register adds to the files of agreements: proposals, what people said to them, versions, signatures.

Rows are only ever added. Texts of versions are sealed, so that whoever can write into the database alone cannot
change what is agreed: what does not open counts for nothing. Which of them count is said by the trail.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from hub.tables import Instant

metadata = MetaData()
_Number = BigInteger().with_variant(Integer, "sqlite")

agreement_proposals = Table(
    "agreement_proposals",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("reference", String(64), nullable=False),
    Column("version", Integer, nullable=False, comment="the version that it starts from"),
    Column("before_hash", String(64), nullable=False),
    Column("sealed_before", LargeBinary, nullable=False),
    Column("sealed_after", LargeBinary, nullable=False),
    Column("sealed_reason", LargeBinary, nullable=False),
    Column("impact", Text, nullable=False, comment="counts of decisions of the month before, as JSON"),
    Column("user", String(40), nullable=False),
    Column("agency", String(64), nullable=False),
    Column("role", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    Column("receipt", String(40), nullable=False),
)

agreement_acts = Table(
    "agreement_acts",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=True),
    Column("proposal", String(40), ForeignKey("agreement_proposals.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("user", String(40), nullable=False),
    Column("agency", String(64), nullable=False),
    Column("role", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    Column("sealed_reason", LargeBinary, nullable=False),
    Column("receipt", String(40), nullable=False),
    UniqueConstraint("proposal", "user", name="agreement_acts_once"),
)

agreement_versions = Table(
    "agreement_versions",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=True),
    Column("reference", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("sealed_text", LargeBinary, nullable=False),
    Column("cause", String(40), nullable=False, comment="the act that it comes from"),
    Column("at", Instant, nullable=False),
    Column("receipt", String(40), nullable=False, comment="the event that puts it in force; without it, nothing"),
)

agreement_signatures = Table(
    "agreement_signatures",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=True),
    Column("reference", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("agency", String(64), nullable=False),
    Column("office", String(200), nullable=False),
    Column("signed_on", Date, nullable=False),
    Column("signature", String(120), nullable=False),
    Column("at", Instant, nullable=False),
)
