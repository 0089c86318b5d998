"""access tokens of machines"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Makes the change."""
    op.create_table(
        "access_tokens",
        sa.Column("id_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("client", sa.String(length=80), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id_hash"),
    )
    with op.batch_alter_table("access_tokens", schema=None) as batch_op:
        batch_op.create_index("access_tokens_client", ["client"], unique=False)
        batch_op.create_index("access_tokens_expires", ["expires_at"], unique=False)


def downgrade() -> None:
    """Undoes the change."""
    op.drop_table("access_tokens")
