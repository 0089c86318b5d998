"""answers kept for a retry, and how often somebody asked within a minute"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Makes the change."""
    op.create_table(
        "answered_once",
        sa.Column("id_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("receipt", sa.String(length=40), nullable=True),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id_hash"),
    )
    with op.batch_alter_table("answered_once", schema=None) as batch_op:
        batch_op.create_index("answered_once_kept", ["kept_until"], unique=False)
        batch_op.create_index("answered_once_expires", ["expires_at"], unique=False)
    op.create_table(
        "request_rates",
        sa.Column("who", sa.String(length=80), nullable=False),
        sa.Column("minute", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("who"),
    )


def downgrade() -> None:
    """Undoes the change."""
    op.drop_table("request_rates")
    op.drop_table("answered_once")
