"""accounts of one person"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Makes the change."""
    op.add_column(
        "staff",
        sa.Column(
            "person_mark",
            sa.LargeBinary(length=16),
            nullable=True,
            comment="blind: the same for each account of one person",
        ),
    )
    op.create_index("staff_person_mark", "staff", ["person_mark"])


def downgrade() -> None:
    """Undoes the change."""
    op.drop_index("staff_person_mark", "staff")
    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.drop_column("person_mark")
