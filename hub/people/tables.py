"""The matching index as tables: who each agency's records are about, sealed, and found only by blind keys.

For: identities of agencies whose agreement allows DATA_MATCHING. Must never hold a name, date, address or
identifying number in the clear; an agency's own record id is kept because partners are asked by it. Ruled by
docs/matching.md.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData()

#: A row number that SQLite counts itself and PostgreSQL takes from a sequence.
_ROW = BigInteger().with_variant(Integer, "sqlite")

records = Table(
    "match_records",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("agency", String(64), nullable=False),
    Column("record", String(200), nullable=False),
    Column("person", String(32), nullable=True, comment="None until it is linked for the first time"),
    Column("is_linked", Boolean, nullable=False, comment="False while it is new, changed, or near one that changed"),
    Column("sealed", LargeBinary, nullable=False),
    Column("fingerprint", LargeBinary(16), nullable=False),
    Column("as_of", DateTime(timezone=True), nullable=True),
    Column("refreshed_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("agency", "record"),
    Index("ix_match_records_person", "person"),
    Index("ix_match_records_is_linked", "is_linked"),
)

keys = Table(
    "match_keys",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column(
        "record_id", _ROW, ForeignKey("match_records.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    sqlite_with_rowid=False,
)

links = Table(
    "match_links",
    metadata,
    Column("first_id", _ROW, ForeignKey("match_records.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column(
        "second_id", _ROW, ForeignKey("match_records.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("weight_bits", Float, nullable=False),
    Column("probability", Float, nullable=False),
    Column("outcome", String(8), nullable=False),
    Index("ix_match_links_second", "second_id"),
)

#: "Not the same person", said by a data steward: permanent, with the reason.
never = Table(
    "match_never",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("first_agency", String(64), nullable=False),
    Column("first_record", String(200), nullable=False),
    Column("second_agency", String(64), nullable=False),
    Column("second_record", String(200), nullable=False),
    Column("said_by", String(200), nullable=False),
    Column("rationale", LargeBinary, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("first_agency", "first_record", "second_agency", "second_record"),
)

#: Where a person's records went when two persons turned out to be one, or one to be two.
moves = Table(
    "match_moves",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("old_person", String(32), nullable=False, index=True),
    Column("new_person", String(32), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

#: Which person's records came to which other one, all of them or (split) some, and whether what is kept about the
#: person elsewhere - consent - has followed.
followed = Table(
    "match_followed",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("old_person", String(32), nullable=False),
    Column("new_person", String(32), nullable=False),
    Column("is_split", Boolean, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True), nullable=True),
    Index("ix_match_followed_done_at", "done_at"),
)

#: What a steward said about a pair that was in doubt; kept by the agencies' own record ids, so that it outlives a load.
decisions = Table(
    "match_decisions",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("first_agency", String(64), nullable=False),
    Column("first_record", String(200), nullable=False),
    Column("second_agency", String(64), nullable=False),
    Column("second_record", String(200), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("said_by", String(200), nullable=False),
    Column("rationale", LargeBinary, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("first_agency", "first_record", "second_agency", "second_record"),
)

#: Pairs with an adopted person that were never proposed (rule P27), and records that were held back because they might
#: be somebody protected (rule P28). Only a keyed hash: a row that named records would be the link that must not exist.
suppressed = Table(
    "match_suppressed",
    metadata,
    Column("pair", LargeBinary(16), primary_key=True),
    Column("first_agency", String(64), nullable=False),
    Column("second_agency", String(64), nullable=False),
    Column("reason", String(8), nullable=False, server_default="P27"),
    Column("found_at", DateTime(timezone=True), nullable=False),
    Column("alerted_at", DateTime(timezone=True), nullable=True),
)

#: Persons that break a rule a data steward should look at (BREAKS), until somebody has: `members` is a keyed hash of
#: the records, so that a person who changes is looked at again.
flagged = Table(
    "match_flagged",
    metadata,
    Column("person", String(32), primary_key=True),
    Column("rule", String(16), primary_key=True),
    Column("members", LargeBinary(16), nullable=False),
    Column("found_at", DateTime(timezone=True), nullable=False),
    Column("settled_by", String(200), nullable=True),
    Column("rationale", LargeBinary, nullable=True),
    Column("settled_at", DateTime(timezone=True), nullable=True),
)

#: Requests to release a record that is held back because it might be somebody protected (rule P28), and the second
#: person's word. `content` is the record's fingerprint: whatever changes is looked at anew.
releases = Table(
    "match_releases",
    metadata,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("agency", String(64), nullable=False),
    Column("record", String(200), nullable=False),
    Column("content", LargeBinary(16), nullable=False),
    Column("asked_by", String(200), nullable=False),
    Column("rationale", LargeBinary, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("outcome", String(16), nullable=True, comment="RELEASED or KEPT; None while nobody has answered"),
    Column("answered_by", String(200), nullable=True),
    Column("answer", LargeBinary, nullable=True),
    Column("answered_at", DateTime(timezone=True), nullable=True),
    UniqueConstraint("agency", "record", "content"),
)

#: What is wrong with a record, for its agency: kinds only, never a value.
findings = Table(
    "match_findings",
    metadata,
    Column(
        "record_id", _ROW, ForeignKey("match_records.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("kind", String(24), primary_key=True),
    Column("found_at", DateTime(timezone=True), nullable=False),
)
