"""what is recorded on a case"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Makes the change."""
    op.create_table(
        "case_facts",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("enquiry", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=True),
        sa.Column("identity", sa.LargeBinary(length=16), nullable=True, comment="who the person was then"),
        sa.Column("source", sa.String(length=24), nullable=False),
        sa.Column("sealed_reason", sa.LargeBinary(), nullable=False),
        sa.Column("refers", sa.String(length=40), nullable=True, comment="the fact that is taken back"),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("by_role", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("receipt", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["enquiry"], ["enquiries.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("case_facts_enquiry", "case_facts", ["enquiry"])
    op.add_column(
        "enquiries",
        sa.Column("rating", sa.String(length=8), nullable=True, comment="the newest counts"),
    )


def downgrade() -> None:
    """Undoes the change."""
    with op.batch_alter_table("enquiries", schema=None) as batch_op:
        batch_op.drop_column("rating")
    op.drop_index("case_facts_enquiry", "case_facts")
    op.drop_table("case_facts")
