"""alerts of the desk"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Makes the change."""
    op.create_table(
        "desk_alerts",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("signal", sa.String(length=24), nullable=False),
        sa.Column(
            "reason", sa.String(length=64), nullable=True, comment="the code of an alarm that another part raised"
        ),
        sa.Column("user", sa.String(length=40), nullable=True),
        sa.Column("role", sa.String(length=40), nullable=True),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="of the look that raised it"),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=True),
        sa.Column("enquiry", sa.String(length=40), nullable=True),
        sa.Column("person", sa.String(length=40), nullable=True, comment="keyed mark"),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("reads", sa.JSON(), nullable=False, comment="entries of the trail, at most 50"),
        sa.Column("relation", sa.String(length=24), nullable=True),
        sa.Column("timing", sa.String(length=24), nullable=True),
        sa.Column("on_shift", sa.Boolean(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=24), nullable=True, comment="what it was closed with"),
        sa.Column("receipt", sa.String(length=40), nullable=True, comment="of its event; not listed before it has one"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("desk_alerts", schema=None) as batch_op:
        batch_op.create_index("desk_alerts_state", ["state", "made_at"], unique=False)
        batch_op.create_index("desk_alerts_user", ["user"], unique=False)

    op.create_table(
        "desk_answers",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("questions", sa.Integer(), nullable=False),
        sa.Column("withheld", sa.Integer(), nullable=False),
        sa.Column("no_answer", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("month", "agency"),
    )
    op.create_table(
        "desk_looks",
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False, comment="of the entry in the trail"),
        sa.Column("eid", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user", sa.String(length=40), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=True),
        sa.Column("enquiry", sa.String(length=40), nullable=True),
        sa.Column("persons", sa.JSON(), nullable=False, comment="keyed marks"),
        sa.Column("shows", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("index"),
    )
    with op.batch_alter_table("desk_looks", schema=None) as batch_op:
        batch_op.create_index("desk_looks_at", ["at"], unique=False)
        batch_op.create_index("desk_looks_enquiry", ["enquiry"], unique=False)
        batch_op.create_index("desk_looks_user", ["user", "at"], unique=False)

    op.create_table(
        "desk_mark",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "next", sa.BigInteger(), nullable=False, comment="the first entry of the trail that was not read yet"
        ),
        sa.Column("usual", sa.JSON(), nullable=False),
        sa.Column("usual_on", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "desk_rota",
        sa.Column("user", sa.String(length=40), nullable=False),
        sa.Column("starts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user", "starts"),
    )
    op.create_table(
        "desk_users",
        sa.Column("user", sa.String(length=40), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column(
            "facts",
            sa.JSON(),
            nullable=False,
            comment="keyed marks of own persons, family, caseload, surnames, addresses",
        ),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user"),
    )
    op.create_table(
        "desk_acts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("alert", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(length=24), nullable=True),
        sa.Column("sealed_note", sa.LargeBinary(), nullable=True),
        sa.Column("receipt", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["alert"],
            ["desk_alerts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("desk_acts", schema=None) as batch_op:
        batch_op.create_index("desk_acts_alert", ["alert"], unique=False)
