"""persons that break a rule, releases of what is held back, and what is wrong with records"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Makes the change."""
    op.create_table(
        "match_flagged",
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("rule", sa.String(length=16), nullable=False),
        sa.Column("members", sa.LargeBinary(length=16), nullable=False),
        sa.Column("found_at", _AT, nullable=False),
        sa.Column("settled_by", sa.String(length=200), nullable=True),
        sa.Column("rationale", sa.LargeBinary(), nullable=True),
        sa.Column("settled_at", _AT, nullable=True),
        sa.PrimaryKeyConstraint("person", "rule"),
    )
    op.create_table(
        "match_releases",
        sa.Column("id", _ROW, autoincrement=True, nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("record", sa.String(length=200), nullable=False),
        sa.Column("content", sa.LargeBinary(length=16), nullable=False),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.Column("rationale", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", _AT, nullable=False),
        sa.Column(
            "outcome", sa.String(length=16), nullable=True, comment="RELEASED or KEPT; None while nobody has answered"
        ),
        sa.Column("answered_by", sa.String(length=200), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", _AT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("agency", "record", "content"),
    )
    op.create_table(
        "match_findings",
        sa.Column("record_id", _ROW, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("found_at", _AT, nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["match_records.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("record_id", "kind"),
    )


def downgrade() -> None:
    """Undoes the change."""
    for table in ("match_findings", "match_releases", "match_flagged"):
        op.drop_table(table)
