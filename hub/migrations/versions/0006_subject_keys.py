"""subject keys of the trail"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Makes the change."""
    op.create_table(
        "subject_keys",
        sa.Column("handle", sa.LargeBinary(length=16), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("handle"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("subject_keys", schema=None) as batch_op:
        batch_op.create_index("subject_keys_month", ["agency", "month"], unique=False)
