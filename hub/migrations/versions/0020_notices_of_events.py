"""notices of events that agencies gave"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Makes the change."""
    op.create_table(
        "notices",
        sa.Column("id", sa.String(length=40), nullable=False, comment="the same for the same words of the same agency"),
        sa.Column("agency", sa.String(length=31), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("types", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("receipt", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True, comment="None once it was cleared"),
        sa.Column("outcome", sa.JSON(), nullable=False),
        sa.Column("is_settled", sa.Boolean(), nullable=False, comment="whether everybody whom it concerns was told"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("notices_settled", "notices", ["is_settled", "received_at"], unique=False)


def downgrade() -> None:
    """Undoes the change."""
    op.drop_index("notices_settled", table_name="notices")
    op.drop_table("notices")
