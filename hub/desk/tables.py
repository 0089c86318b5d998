"""What the desk keeps: looks of the last 90 days, who users are as private persons, rotas, alerts and what was done.

Persons, surnames and addresses are keyed marks. Looks are a projection of the trail that can be made again; acts are
only ever added.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

from hub.tables import Instant

metadata = MetaData()
_Number = BigInteger().with_variant(Integer, "sqlite")

desk_looks = Table(
    "desk_looks",
    metadata,
    Column("index", BigInteger, primary_key=True, autoincrement=False, comment="of the entry in the trail"),
    Column("eid", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    Column("user", String(40), nullable=False),
    Column("agency", String(64), nullable=False),
    Column("role", String(40), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("purpose", String(40), nullable=True),
    Column("enquiry", String(40), nullable=True),
    Column("persons", JSON, nullable=False, comment="keyed marks"),
    Column("shows", Boolean, nullable=False),
    Index("desk_looks_user", "user", "at"),
    Index("desk_looks_enquiry", "enquiry"),
    Index("desk_looks_at", "at"),
)

#: How many questions an agency answered in a month, counted from the trail; for under-sharing.
desk_answers = Table(
    "desk_answers",
    metadata,
    Column("month", String(7), primary_key=True),
    Column("agency", String(64), primary_key=True),
    Column("questions", Integer, nullable=False),
    Column("withheld", Integer, nullable=False),
    Column("no_answer", Integer, nullable=False),
)

desk_mark = Table(
    "desk_mark",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("next", BigInteger, nullable=False, comment="the first entry of the trail that was not read yet"),
    Column("usual", JSON, nullable=False),
    Column("usual_on", String(10), nullable=False),
)

desk_users = Table(
    "desk_users",
    metadata,
    Column("user", String(40), primary_key=True),
    Column("agency", String(64), nullable=False),
    Column("facts", JSON, nullable=False, comment="keyed marks of own persons, family, caseload, surnames, addresses"),
    Column("seen_at", Instant, nullable=False),
)

desk_rota = Table(
    "desk_rota",
    metadata,
    Column("user", String(40), primary_key=True),
    Column("starts", Instant, primary_key=True),
    Column("ends", Instant, nullable=False),
)

desk_alerts = Table(
    "desk_alerts",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("signal", String(24), nullable=False),
    Column("reason", String(64), nullable=True, comment="the code of an alarm that another part raised"),
    Column("user", String(40), nullable=True),
    Column("role", String(40), nullable=True),
    Column("agency", String(64), nullable=False),
    Column("at", Instant, nullable=False, comment="of the look that raised it"),
    Column("made_at", Instant, nullable=False),
    Column("purpose", String(40), nullable=True),
    Column("enquiry", String(40), nullable=True),
    Column("person", String(40), nullable=True, comment="keyed mark"),
    Column("count", Integer, nullable=False),
    Column("reads", JSON, nullable=False, comment="entries of the trail, at most 50"),
    Column("relation", String(24), nullable=True),
    Column("timing", String(24), nullable=True),
    Column("on_shift", Boolean, nullable=True),
    Column("state", String(16), nullable=False),
    Column("outcome", String(24), nullable=True, comment="what it was closed with"),
    Column("receipt", String(40), nullable=True, comment="of its event; not listed before it has one"),
    Index("desk_alerts_state", "state", "made_at"),
    Index("desk_alerts_user", "user"),
)

desk_acts = Table(
    "desk_acts",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=True),
    Column("alert", String(40), ForeignKey("desk_alerts.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("by", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    Column("outcome", String(24), nullable=True),
    Column("sealed_note", LargeBinary, nullable=True),
    Column("receipt", String(40), nullable=False),
    Index("desk_acts_alert", "alert"),
)
