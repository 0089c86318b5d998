"""no answer of the interface is kept for a retry"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Makes the change."""
    with op.batch_alter_table("answered_once", schema=None) as batch_op:
        batch_op.drop_index("answered_once_kept")
        batch_op.drop_column("sealed")
        batch_op.drop_column("kept_until")


def downgrade() -> None:
    """Undoes the change."""
    with op.batch_alter_table("answered_once", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sealed", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("kept_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index("answered_once_kept", ["kept_until"], unique=False)
