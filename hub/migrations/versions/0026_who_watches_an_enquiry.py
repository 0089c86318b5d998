"""who watches which enquiry"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Makes the change."""
    op.create_table(
        "subscriptions",
        sa.Column("enquiry", sa.String(length=40), nullable=False),
        sa.Column("user", sa.String(length=40), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("marks", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("enquiry", "user"),
    )


def downgrade() -> None:
    """Undoes the change."""
    op.drop_table("subscriptions")
