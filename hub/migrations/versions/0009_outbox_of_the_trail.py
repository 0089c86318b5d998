"""outbox of the trail"""

import sqlalchemy as sa
from alembic import op

from audit import create_guards

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Makes the change."""
    count = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "audit_outbox",
        sa.Column("seq", count, sa.Identity(always=False), nullable=False),
        sa.Column("eid", sa.String(length=32), nullable=False),
        sa.Column("t", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("leaf", sa.LargeBinary(length=128), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("eid"),
    )
    op.create_table(
        "audit_refused",
        sa.Column("seq", count, autoincrement=False, nullable=False),
        sa.Column("eid", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    create_guards(op.get_bind())
