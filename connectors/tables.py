"""The tables of what partners dropped or answered by hand: one agency's rows are sealed under that agency's key.

For: extracts and inboxes. Must never hold a name, a date or an id that can be read without the agency's key: people and
items are found by blind keys, everything else is sealed. Ruled by design "What is stored, and how it is
protected".
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

#: Which load of an agency is visible. Changing this one row is what makes a load appear, whole.
extract_current = Table(
    "extract_current",
    metadata,
    Column("agency", String(31), primary_key=True),
    Column("load", String(32), nullable=False),
    Column("fingerprint", LargeBinary(32), nullable=False),
    Column("as_of", DateTime(timezone=True), nullable=False),
    Column("loaded_at", DateTime(timezone=True), nullable=False),
    Column("people", BigInteger, nullable=False),
    Column("items", BigInteger, nullable=False),
)

#: One row per agency whose load has begun and not come to its end: where the next run goes on.
extract_unfinished = Table(
    "extract_unfinished",
    metadata,
    Column("agency", String(31), primary_key=True),
    Column("load", String(32), nullable=False),
    Column("fingerprint", LargeBinary(32), nullable=False),
    Column("owner", String(32), nullable=False),
    Column("state", Text, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
)

extract_people = Table(
    "extract_people",
    metadata,
    Column("agency", String(31), primary_key=True),
    Column("load", String(32), primary_key=True),
    Column("record_key", LargeBinary(16), primary_key=True),
    Column("nhs_key", LargeBinary(16)),
    Column("birth_key", LargeBinary(16)),
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_extract_people_nhs", "nhs_key", "load"),
    Index("ix_extract_people_birth", "birth_key", "load"),
)

#: `broken` = 1: a row about this person that could not be read at all; it keeps "nothing held" from being said.
extract_items = Table(
    "extract_items",
    metadata,
    Column("agency", String(31), primary_key=True),
    Column("load", String(32), primary_key=True),
    Column("item_key", LargeBinary(16), primary_key=True),
    Column("record_key", LargeBinary(16), nullable=False),
    Column("category", String(40), nullable=False),
    Column("broken", Integer, nullable=False),
    Column("sealed", LargeBinary),
    Index("ix_extract_items_record", "record_key", "load"),
)

#: What a person at an agency is asked: about one person of one enquiry, with a clock. `wanted` are codes only.
inbox_requests = Table(
    "inbox_requests",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("agency", String(31), nullable=False),
    Column("enquiry", String(40), nullable=False),
    Column("person", String(40), nullable=False),
    Column("purpose", String(40), nullable=False),
    Column("urgency", String(8), nullable=False),
    Column("wanted", JSON, nullable=False),
    Column("sealed_who", LargeBinary, nullable=False),
    Column("intent", String(40), nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("half_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("answered_at", DateTime(timezone=True), comment="when all that is wanted was answered"),
    Column("reminded", Integer, nullable=False, default=0, comment="0 nobody, 1 at half time, 2 at the end"),
    UniqueConstraint("agency", "enquiry", "person", name="uq_inbox_requests_about"),
    Index("ix_inbox_requests_open", "answered_at", "reminded", "half_at"),
    Index("ix_inbox_requests_agency", "agency", "answered_at", "due_at"),
)

#: Every answer that was ever given, however late; an answer is never changed, another one is added.
inbox_answers = Table(
    "inbox_answers",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("request", String(40), ForeignKey("inbox_requests.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("reason", String(32)),
    Column("sealed_words", LargeBinary),
    Column("senior", Boolean, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("answered_at", DateTime(timezone=True), nullable=False),
    Column("answered_by", String(40), nullable=False),
    Column("receipt", String(40), nullable=False),
    Index("ix_inbox_answers_request", "request", "answered_at"),
)

inbox_items = Table(
    "inbox_items",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("answer", String(40), ForeignKey("inbox_answers.id"), nullable=False),
    Column("request", String(40), ForeignKey("inbox_requests.id"), nullable=False),
    Column("category", String(40), nullable=False),
    Column("withheld", Boolean, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_inbox_items_request", "request"),
)

#: What its owner said of a piece; the newest word counts, the others stay.
inbox_marks = Table(
    "inbox_marks",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("item", String(40), ForeignKey("inbox_items.id"), nullable=False),
    Column("mark", String(8), nullable=False),
    Column("kept_back", JSON, nullable=False),
    Column("marked_at", DateTime(timezone=True), nullable=False),
    Column("marked_by", String(40), nullable=False),
    Column("receipt", String(40), nullable=False),
    Index("ix_inbox_marks_item", "item"),
)

inbox_files = Table(
    "inbox_files",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("item", String(40), ForeignKey("inbox_items.id"), nullable=False),
    Column("agency", String(31), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("size", Integer, nullable=False),
    Column("sealed_name", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_inbox_files_item", "item"),
)
