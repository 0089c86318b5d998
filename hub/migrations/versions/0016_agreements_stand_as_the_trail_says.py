"""agreements stand as the trail says"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Makes the change."""
    about_agreements = sa.text("substr(kind, 1, 10) = 'agreement:'")
    op.create_index(
        "audit_entry_agreement",
        "audit_entry",
        ["idx"],
        sqlite_where=about_agreements,
        postgresql_where=about_agreements,
    )
    convention = {"uq": "%(table_name)s_%(column_0_name)s_key"}  # PostgreSQL's own; in SQLite it has no name.
    with op.batch_alter_table("agreement_versions", schema=None, naming_convention=convention) as batch_op:
        batch_op.drop_constraint("agreement_versions_follow", type_="unique")
        batch_op.drop_constraint("agreement_versions_cause_key", type_="unique")
        batch_op.drop_column("follows")
        batch_op.alter_column(
            "cause", existing_type=sa.String(length=40), existing_nullable=False, comment="the act that it comes from"
        )
        batch_op.alter_column(
            "receipt",
            existing_type=sa.String(length=40),
            existing_nullable=False,
            comment="the event that puts it in force; without it, nothing",
        )


def downgrade() -> None:
    """Undoes the change."""
    with op.batch_alter_table("agreement_versions", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "follows",
                sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
                server_default="0",
                nullable=False,
            )
        )
    op.drop_index("audit_entry_agreement", table_name="audit_entry")
