"""The tables of what partners dropped: one agency's rows are sealed under that agency's key.

For: extracts. Must never hold a name, a date or an id that can be read without the agency's key: people and
items are found by blind keys, everything else is sealed. Ruled by design "What is stored, and how it is
protected".
"""

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, LargeBinary, MetaData, String, Table, Text

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
