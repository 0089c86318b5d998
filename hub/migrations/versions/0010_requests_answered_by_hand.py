"""requests to agencies whose people answer"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Makes the change."""
    op.create_table(
        "inbox_requests",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("agency", sa.String(length=31), nullable=False),
        sa.Column("enquiry", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("urgency", sa.String(length=8), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("sealed_who", sa.LargeBinary(), nullable=False),
        sa.Column("intent", sa.String(length=40), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("half_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "answered_at", sa.DateTime(timezone=True), nullable=True, comment="when all that is wanted was answered"
        ),
        sa.Column("reminded", sa.Integer(), nullable=False, comment="0 nobody, 1 at half time, 2 at the end"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("agency", "enquiry", "person", name="uq_inbox_requests_about"),
    )
    with op.batch_alter_table("inbox_requests", schema=None) as batch_op:
        batch_op.create_index("ix_inbox_requests_agency", ["agency", "answered_at", "due_at"], unique=False)
        batch_op.create_index("ix_inbox_requests_open", ["answered_at", "reminded", "half_at"], unique=False)

    op.create_table(
        "inbox_answers",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("request", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("sealed_words", sa.LargeBinary(), nullable=True),
        sa.Column("senior", sa.Boolean(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_by", sa.String(length=40), nullable=False),
        sa.Column("receipt", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["request"],
            ["inbox_requests.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("inbox_answers", schema=None) as batch_op:
        batch_op.create_index("ix_inbox_answers_request", ["request", "answered_at"], unique=False)

    op.create_table(
        "inbox_items",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("answer", sa.String(length=40), nullable=False),
        sa.Column("request", sa.String(length=40), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("withheld", sa.Boolean(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["answer"],
            ["inbox_answers.id"],
        ),
        sa.ForeignKeyConstraint(
            ["request"],
            ["inbox_requests.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("inbox_items", schema=None) as batch_op:
        batch_op.create_index("ix_inbox_items_request", ["request"], unique=False)

    op.create_table(
        "inbox_files",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("agency", sa.String(length=31), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sealed_name", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item"],
            ["inbox_items.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("inbox_files", schema=None) as batch_op:
        batch_op.create_index("ix_inbox_files_item", ["item"], unique=False)

    op.create_table(
        "inbox_marks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=8), nullable=False),
        sa.Column("kept_back", sa.JSON(), nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("marked_by", sa.String(length=40), nullable=False),
        sa.Column("receipt", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["item"],
            ["inbox_items.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("inbox_marks", schema=None) as batch_op:
        batch_op.create_index("ix_inbox_marks_item", ["item"], unique=False)
