"""what stewards said about pairs in doubt, and which pairs were never proposed"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Makes the change."""
    op.create_table(
        "match_decisions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("first_agency", sa.String(length=64), nullable=False),
        sa.Column("first_record", sa.String(length=200), nullable=False),
        sa.Column("second_agency", sa.String(length=64), nullable=False),
        sa.Column("second_record", sa.String(length=200), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("said_by", sa.String(length=200), nullable=False),
        sa.Column("rationale", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("first_agency", "first_record", "second_agency", "second_record"),
    )
    op.create_table(
        "match_suppressed",
        sa.Column("pair", sa.LargeBinary(length=16), nullable=False),
        sa.Column("first_agency", sa.String(length=64), nullable=False),
        sa.Column("second_agency", sa.String(length=64), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("alerted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("pair"),
    )
