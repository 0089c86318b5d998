"""files that partners' machines send"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Makes the change."""
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(length=40), nullable=False, comment="the same for the same files of the same agency"),
        sa.Column("agency", sa.String(length=31), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("receipt", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    """Undoes the change."""
    op.drop_table("uploads")
