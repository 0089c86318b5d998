"""the register knows who acted by a key's handle, and keeps the capsule"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Makes the change."""
    with op.batch_alter_table("disclosure_register", schema=None) as batch_op:
        batch_op.add_column(sa.Column("acted", sa.LargeBinary(), nullable=True, comment="capsule of the acting user"))
        batch_op.alter_column(
            "user",
            existing_type=sa.String(length=40),
            existing_nullable=True,
            comment="handle of the acting user's key; their id in older entries",
        )


def downgrade() -> None:
    """Undoes the change."""
    with op.batch_alter_table("disclosure_register", schema=None) as batch_op:
        batch_op.alter_column("user", existing_type=sa.String(length=40), existing_nullable=True, comment=None)
        batch_op.drop_column("acted")
