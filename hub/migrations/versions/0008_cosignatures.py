"""What witnesses said about the trail, guarded like the trail itself."""

import sqlalchemy as sa
from alembic import op

from audit import create_guards

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Makes the change."""
    op.create_table(
        "audit_cosignature",
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("t", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", "key_hash", "t"),
    )
    op.create_index("audit_cosignature_newest", "audit_cosignature", ["key_hash", "t"], unique=False)
    create_guards(op.get_bind())
