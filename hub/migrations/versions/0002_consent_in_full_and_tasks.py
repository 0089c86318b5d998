"""consent in full and tasks"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes the change."""
    op.create_table(
        "consent_assessments",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=True),
        sa.Column("assessed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assessed_by", sa.String(length=40), nullable=False),
        sa.Column("assessed_by_role", sa.String(length=40), nullable=False),
        sa.Column("assessed_by_agency", sa.String(length=64), nullable=False),
        sa.Column("review_due", sa.Date(), nullable=True),
        sa.Column("sealed_reasons", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("consent_assessments", schema=None) as batch_op:
        batch_op.create_index("consent_assessments_subject", ["subject"], unique=False)

    op.create_table(
        "consent_dispute_checks",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("records", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("sealed_reasons", sa.LargeBinary(), nullable=False),
        sa.Column("checked_by", sa.String(length=40), nullable=False),
        sa.Column("checked_by_role", sa.String(length=40), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("consent_dispute_checks", schema=None) as batch_op:
        batch_op.create_index("consent_dispute_checks_subject", ["subject"], unique=False)

    op.create_table(
        "consent_standings",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("follows", sa.String(length=40), nullable=True),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("holder", sa.String(length=40), nullable=True),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["follows"],
            ["consent_standings.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("consent_standings", schema=None) as batch_op:
        batch_op.create_index("consent_standings_follows", ["follows"], unique=True)
        batch_op.create_index("consent_standings_subject", ["subject"], unique=False)

    with op.batch_alter_table("consent_records", schema=None) as batch_op:
        batch_op.add_column(sa.Column("method", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("statement", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("statement_version", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("enquiry", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("recorded_by_agency", sa.String(length=64), nullable=True))
        batch_op.create_index("consent_records_follows", ["follows"], unique=True)

    with op.batch_alter_table("duties", schema=None) as batch_op:
        batch_op.add_column(sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("review_on", sa.Date(), nullable=True))
        batch_op.add_column(
            sa.Column("user", sa.String(length=40), nullable=True, comment="who must do it, when it is one person")
        )
        batch_op.add_column(
            sa.Column(
                "barred",
                sa.String(length=40),
                nullable=True,
                comment="who may not do it, because it is about what they did",
            )
        )
        batch_op.add_column(sa.Column("refers", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("done_by", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("outcome", sa.String(length=24), nullable=True))
        batch_op.add_column(sa.Column("sealed_note", sa.LargeBinary(), nullable=True))
        batch_op.create_index("duties_open", ["done_at", "kind"], unique=False)
