"""requests for approval, shut accounts, looks at protected addresses"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Makes the change."""
    op.create_table(
        "approval_asks",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("enquiry", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("answering", sa.String(length=64), nullable=False, comment="the agency whose people answer"),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("asked_by", sa.String(length=40), nullable=False),
        sa.Column("asked_agency", sa.String(length=64), nullable=False),
        sa.Column("asked_role", sa.String(length=40), nullable=False),
        sa.Column("sealed_form", sa.LargeBinary(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("bound_to", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("remind_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("receipt", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["enquiry"],
            ["enquiries.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("approval_asks_answering", "approval_asks", ["answering", "asked_at"])
    op.create_index("approval_asks_enquiry", "approval_asks", ["enquiry"])

    op.create_table(
        "approval_answers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("ask", sa.String(length=40), nullable=False),
        sa.Column(
            "part", sa.String(length=40), nullable=False, comment="a blind mark of one item, or empty for the whole"
        ),
        sa.Column("step", sa.Integer(), nullable=False, comment="1 an answer, 2 a senior's word on a refusal"),
        sa.Column("category", sa.String(length=40), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=True),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("by_agency", sa.String(length=64), nullable=False),
        sa.Column("by_role", sa.String(length=40), nullable=False),
        sa.Column("by_role_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("call_back", sa.Boolean(), nullable=False),
        sa.Column("sealed_why", sa.LargeBinary(), nullable=True),
        sa.Column("signed_for", sa.String(length=40), nullable=True, comment="whose refusal this person signed off"),
        sa.Column("receipt", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["ask"],
            ["approval_asks.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("approval_answers_once", "approval_answers", ["ask", "part", "step"], unique=True)

    op.create_table(
        "approval_uses",
        sa.Column("ask", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["ask"],
            ["approval_asks.id"],
        ),
        sa.PrimaryKeyConstraint("ask"),
    )

    op.create_table(
        "suspensions",
        sa.Column("user", sa.String(length=40), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("alarm", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("user"),
    )
    op.create_table(
        "reveals",
        sa.Column("id", sa.String(length=40), nullable=False, comment="what the form carried: it opens once"),
        sa.Column("enquiry", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("user", sa.String(length=40), nullable=False),
        sa.Column("sealed_reason", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["enquiry"],
            ["enquiries.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
