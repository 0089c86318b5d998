"""which row of the register each version follows"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Makes the change."""
    with op.batch_alter_table("agreement_versions", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "follows",
                sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
                server_default="0",
                nullable=False,
                comment="the row of the same version that it replaces; 0 for its file, or for none",
            )
        )
    op.execute(
        "UPDATE agreement_versions SET follows = (SELECT COALESCE(MAX(earlier.id), 0) FROM agreement_versions AS"
        " earlier WHERE earlier.reference = agreement_versions.reference"
        " AND earlier.version = agreement_versions.version AND earlier.id < agreement_versions.id)"
    )
    with op.batch_alter_table("agreement_versions", schema=None) as batch_op:
        batch_op.create_unique_constraint("agreement_versions_follow", ["reference", "version", "follows"])


def downgrade() -> None:
    """Undoes the change."""
    with op.batch_alter_table("agreement_versions", schema=None) as batch_op:
        batch_op.drop_constraint("agreement_versions_follow", type_="unique")
        batch_op.drop_column("follows")
