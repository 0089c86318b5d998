"""which persons' records came to which others, and why a pair or record is suppressed"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Makes the change."""
    op.create_table(
        "match_followed",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("old_person", sa.String(length=32), nullable=False),
        sa.Column("new_person", sa.String(length=32), nullable=False),
        sa.Column("is_split", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("match_followed", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_match_followed_done_at"), ["done_at"], unique=False)
    with op.batch_alter_table("match_suppressed", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reason", sa.String(length=8), server_default="P27", nullable=False))


def downgrade() -> None:
    """Undoes the change."""
    with op.batch_alter_table("match_suppressed", schema=None) as batch_op:
        batch_op.drop_column("reason")
    op.drop_table("match_followed")
