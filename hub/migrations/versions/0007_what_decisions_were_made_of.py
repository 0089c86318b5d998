"""what decisions were made of"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Makes the change."""
    op.create_table(
        "decision_records",
        sa.Column("eid", sa.String(length=40), nullable=False, comment="the event of the trail that it belongs to"),
        sa.Column("t", sa.BigInteger(), nullable=False, comment="UTC milliseconds"),
        sa.Column("agency", sa.String(length=64), nullable=False, comment="whose subject keys the parts are under"),
        sa.Column("bundle", sa.String(length=80), nullable=False),
        sa.Column("decisions", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("eid"),
    )
    op.create_index("decision_records_t", "decision_records", ["t"])
    op.create_table(
        "policy_bundles",
        sa.Column("bundle", sa.String(length=80), nullable=False, comment="the SHA-256 over the text"),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("bundle"),
    )
