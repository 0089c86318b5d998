"""The first tables of every package, and the guards that keep the trail append-only."""

import sqlalchemy as sa
from alembic import op

from audit import create_guards

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the change."""
    op.create_table(
        "data_keys",
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("(CURRENT_TIMESTAMP)"), nullable=False),
        sa.PrimaryKeyConstraint("agency"),
    )
    op.create_table(
        "disclosure_register",
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("eid", sa.String(length=40), nullable=False),
        sa.Column("t", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("purpose", sa.String(length=40), nullable=True),
        sa.Column("user", sa.String(length=40), nullable=True),
        sa.Column("agency", sa.String(length=64), nullable=True),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("subject_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("index"),
        sa.UniqueConstraint("eid"),
    )
    with op.batch_alter_table("disclosure_register", schema=None) as batch_op:
        batch_op.create_index("disclosure_register_t", ["t"], unique=False)
        batch_op.create_index("disclosure_register_user", ["user", "t"], unique=False)

    op.create_table(
        "duties",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=True),
        sa.Column("person", sa.String(length=40), nullable=True),
        sa.Column("enquiry", sa.String(length=40), nullable=True),
        sa.Column("receipt", sa.String(length=40), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("duties", schema=None) as batch_op:
        batch_op.create_index("duties_agency", ["agency", "kind"], unique=False)

    op.create_table(
        "enquiries",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("sealed_rationale", sa.LargeBinary(), nullable=False),
        sa.Column("opened_by", sa.String(length=40), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("threshold", sa.String(length=40), nullable=True),
        sa.Column("threshold_by_role", sa.String(length=40), nullable=True),
        sa.Column("threshold_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("consent_giver", sa.String(length=32), nullable=True),
        sa.Column("subject", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("enquiries", schema=None) as batch_op:
        batch_op.create_index("enquiries_opened_by", ["opened_by", "opened_at"], unique=False)

    op.create_table(
        "staff",
        sa.Column("user", sa.String(length=40), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("sealed_name", sa.LargeBinary(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user"),
    )
    op.create_table(
        "user_acts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("user", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("user_acts", schema=None) as batch_op:
        batch_op.create_index("user_acts_user", ["user", "kind", "at"], unique=False)

    op.create_table(
        "web_sessions",
        sa.Column("id_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user", sa.String(length=40), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id_hash"),
    )
    with op.batch_alter_table("web_sessions", schema=None) as batch_op:
        batch_op.create_index("web_sessions_seen", ["seen_at"], unique=False)
        batch_op.create_index("web_sessions_user", ["user"], unique=False)

    op.create_table(
        "disclosure_persons",
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("person_blind", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["index"],
            ["disclosure_register.index"],
        ),
        sa.PrimaryKeyConstraint("index", "person_blind"),
    )
    with op.batch_alter_table("disclosure_persons", schema=None) as batch_op:
        batch_op.create_index("disclosure_persons_person", ["person_blind"], unique=False)

    op.create_table(
        "disclosure_sources",
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["index"],
            ["disclosure_register.index"],
        ),
        sa.PrimaryKeyConstraint("index", "agency"),
    )
    with op.batch_alter_table("disclosure_sources", schema=None) as batch_op:
        batch_op.create_index("disclosure_sources_agency", ["agency"], unique=False)

    op.create_table(
        "enquiry_persons",
        sa.Column("enquiry", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("why", sa.String(length=24), nullable=False),
        sa.Column("identity", sa.LargeBinary(length=16), nullable=False),
        sa.Column("added_by", sa.String(length=40), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["enquiry"],
            ["enquiries.id"],
        ),
        sa.PrimaryKeyConstraint("enquiry", "person"),
    )
    op.create_table(
        "match_moves",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("old_person", sa.String(length=32), nullable=False),
        sa.Column("new_person", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("match_moves", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_match_moves_old_person"), ["old_person"], unique=False)

    op.create_table(
        "match_never",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("first_agency", sa.String(length=64), nullable=False),
        sa.Column("first_record", sa.String(length=200), nullable=False),
        sa.Column("second_agency", sa.String(length=64), nullable=False),
        sa.Column("second_record", sa.String(length=200), nullable=False),
        sa.Column("said_by", sa.String(length=200), nullable=False),
        sa.Column("rationale", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("first_agency", "first_record", "second_agency", "second_record"),
    )
    op.create_table(
        "match_records",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("record", sa.String(length=200), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=True, comment="None until it is linked for the first time"),
        sa.Column(
            "is_linked",
            sa.Boolean(),
            nullable=False,
            comment="False while it is new, changed, or near one that changed",
        ),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=16), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("agency", "record"),
    )
    with op.batch_alter_table("match_records", schema=None) as batch_op:
        batch_op.create_index("ix_match_records_is_linked", ["is_linked"], unique=False)
        batch_op.create_index("ix_match_records_person", ["person"], unique=False)

    op.create_table(
        "match_keys",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "record_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.ForeignKeyConstraint(["record_id"], ["match_records.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", "record_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "match_links",
        sa.Column(
            "first_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "second_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("weight_bits", sa.Float(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(["first_id"], ["match_records.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["second_id"], ["match_records.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("first_id", "second_id"),
    )
    with op.batch_alter_table("match_links", schema=None) as batch_op:
        batch_op.create_index("ix_match_links_second", ["second_id"], unique=False)

    op.create_table(
        "consent_decisions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("enquiry", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("reason_code", sa.String(length=32), nullable=True),
        sa.Column("decided_by", sa.String(length=40), nullable=False),
        sa.Column("decided_by_role", sa.String(length=40), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("review_due", sa.Date(), nullable=True),
        sa.Column("inform", sa.String(length=16), nullable=False),
        sa.Column("inform_reason", sa.String(length=32), nullable=True),
        sa.Column("inform_owner", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("consent_decisions", schema=None) as batch_op:
        batch_op.create_index("consent_decisions_enquiry", ["enquiry"], unique=False)

    op.create_table(
        "consent_records",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("follows", sa.String(length=40), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("giver", sa.String(length=40), nullable=True),
        sa.Column("giver_capacity", sa.String(length=32), nullable=False),
        sa.Column("giver_conflicted", sa.Boolean(), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("persons", sa.JSON(), nullable=True),
        sa.Column("agencies", sa.JSON(), nullable=True),
        sa.Column("categories", sa.JSON(), nullable=True),
        sa.Column("purposes", sa.JSON(), nullable=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wording", sa.String(length=400), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["follows"],
            ["consent_records.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("consent_records", schema=None) as batch_op:
        batch_op.create_index("consent_records_subject", ["subject"], unique=False)

    op.create_table(
        "extract_current",
        sa.Column("agency", sa.String(length=31), nullable=False),
        sa.Column("load", sa.String(length=32), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agency"),
    )
    op.create_table(
        "extract_items",
        sa.Column("agency", sa.String(length=31), nullable=False),
        sa.Column("load", sa.String(length=32), nullable=False),
        sa.Column("item_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("record_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("broken", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("agency", "load", "item_key"),
    )
    with op.batch_alter_table("extract_items", schema=None) as batch_op:
        batch_op.create_index("ix_extract_items_record", ["record_key", "load"], unique=False)

    op.create_table(
        "extract_people",
        sa.Column("agency", sa.String(length=31), nullable=False),
        sa.Column("load", sa.String(length=32), nullable=False),
        sa.Column("record_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("nhs_key", sa.LargeBinary(length=16), nullable=True),
        sa.Column("birth_key", sa.LargeBinary(length=16), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "load", "record_key"),
    )
    with op.batch_alter_table("extract_people", schema=None) as batch_op:
        batch_op.create_index("ix_extract_people_birth", ["birth_key", "load"], unique=False)
        batch_op.create_index("ix_extract_people_nhs", ["nhs_key", "load"], unique=False)

    op.create_table(
        "audit_checkpoint",
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("t", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )
    op.create_table(
        "audit_entry",
        sa.Column("idx", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("eid", sa.String(length=32), nullable=False),
        sa.Column("t", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("leaf", sa.LargeBinary(length=128), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("idx"),
        sa.UniqueConstraint("eid"),
    )
    op.create_table(
        "audit_key",
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("t", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("role", "key_hash"),
    )
    op.create_table(
        "audit_node",
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("level", "number"),
        sqlite_with_rowid=False,
    )
    create_guards(op.get_bind())
