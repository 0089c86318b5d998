"""The hub's own tables: sessions, staff, enquiries, duties, the register of disclosures.

For: what the hub keeps between requests. Must never hold partner content; names and free text are sealed.
The disclosure register is a projection that can be rebuilt from the trail at any time.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
)

metadata = MetaData()


class Instant(TypeDecorator[datetime]):
    """A moment with its zone, stored in UTC; SQLite alone would lose the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Refuses a moment without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Gives the moment back in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


web_sessions = Table(
    "web_sessions",
    metadata,
    Column("id_hash", LargeBinary(32), primary_key=True),
    Column("user", String(40), nullable=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Index("web_sessions_user", "user"),
    Index("web_sessions_seen", "seen_at"),
)

#: Signed assertions of machines that were used; each is good once.
client_assertions = Table(
    "client_assertions",
    metadata,
    Column("id_hash", LargeBinary(32), primary_key=True),
    Column("expires_at", Instant, nullable=False),
    Index("client_assertions_expires", "expires_at"),
)

#: Access tokens of machines, by their hash.
access_tokens = Table(
    "access_tokens",
    metadata,
    Column("id_hash", LargeBinary(32), primary_key=True),
    Column("client", String(80), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index("access_tokens_client", "client"),
    Index("access_tokens_expires", "expires_at"),
)

staff = Table(
    "staff",
    metadata,
    Column("user", String(40), primary_key=True),
    Column("agency", String(64), nullable=False),
    Column("role", String(40), nullable=False),
    Column("sealed_name", LargeBinary, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("person_mark", LargeBinary(16), nullable=True, comment="blind: the same for each account of one person"),
    Index("staff_person_mark", "person_mark"),
)

enquiries = Table(
    "enquiries",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("reference", String(40), nullable=False),
    Column("purpose", String(40), nullable=False),
    Column("sealed_rationale", LargeBinary, nullable=False),
    Column("opened_by", String(40), nullable=False),
    Column("agency", String(64), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant, nullable=True),
    Column("threshold", String(40), nullable=True),
    Column("threshold_by_role", String(40), nullable=True),
    Column("threshold_at", Instant, nullable=True),
    Column("consent_giver", String(32), nullable=True),
    Column("subject", String(40), nullable=True),
    Column("rating", String(8), nullable=True, comment="the newest counts"),
    Index("enquiries_opened_by", "opened_by", "opened_at"),
)

enquiry_persons = Table(
    "enquiry_persons",
    metadata,
    Column("enquiry", String(40), ForeignKey("enquiries.id"), primary_key=True),
    Column("person", String(40), primary_key=True),
    Column("why", String(24), nullable=False),
    Column("identity", LargeBinary(16), nullable=False),
    Column("added_by", String(40), nullable=False),
    Column("added_at", Instant, nullable=False),
)

#: What is recorded on a case while it runs (hub/case_facts.py); rows are only ever added.
case_facts = Table(
    "case_facts",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("enquiry", String(40), ForeignKey("enquiries.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("code", String(32), nullable=False),
    Column("person", String(40), nullable=True),
    Column("identity", LargeBinary(16), nullable=True, comment="who the person was then"),
    Column("source", String(24), nullable=False),
    Column("sealed_reason", LargeBinary, nullable=False),
    Column("refers", String(40), nullable=True, comment="the fact that is taken back"),
    Column("by", String(40), nullable=False),
    Column("by_role", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    Column("receipt", String(40), nullable=False),
    Index("case_facts_enquiry", "enquiry"),
)

user_acts = Table(
    "user_acts",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("user", String(40), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("at", Instant, nullable=False),
    Index("user_acts_user", "user", "kind", "at"),
)

duties = Table(
    "duties",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("kind", String(24), nullable=False),
    Column("agency", String(64), nullable=True),
    Column("person", String(40), nullable=True),
    Column("enquiry", String(40), nullable=True),
    Column("receipt", String(40), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=True),
    Column("review_on", Date, nullable=True),
    Column("user", String(40), nullable=True, comment="who must do it, when it is one person"),
    Column("barred", String(40), nullable=True, comment="who may not do it, because it is about what they did"),
    Column("refers", String(40), nullable=True),
    Column("done_at", Instant, nullable=True),
    Column("done_by", String(40), nullable=True),
    Column("outcome", String(24), nullable=True),
    Column("sealed_note", LargeBinary, nullable=True),
    Index("duties_agency", "agency", "kind"),
    Index("duties_open", "done_at", "kind"),
)

break_glass = Table(
    "break_glass",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("enquiry", String(40), ForeignKey("enquiries.id"), nullable=False),
    Column("user", String(40), nullable=False),
    Column("agency", String(64), nullable=False),
    Column("sealed_reason", LargeBinary, nullable=False),
    Column("declared_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("review_due", Instant, nullable=False),
    Column("receipt", String(40), nullable=False),
    Index("break_glass_user", "user", "enquiry", "ends_at"),
)

approval_asks = Table(
    "approval_asks",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("kind", String(24), nullable=False),
    Column("enquiry", String(40), ForeignKey("enquiries.id"), nullable=False),
    Column("person", String(40), nullable=False),
    Column("answering", String(64), nullable=False, comment="the agency whose people answer"),
    Column("purpose", String(40), nullable=False),
    Column("asked_by", String(40), nullable=False),
    Column("asked_agency", String(64), nullable=False),
    Column("asked_role", String(40), nullable=False),
    Column("sealed_form", LargeBinary, nullable=False),
    Column("lines", JSON, nullable=False),
    Column("bound_to", String(64), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("remind_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("receipt", String(40), nullable=False),
    Index("approval_asks_answering", "answering", "asked_at"),
    Index("approval_asks_enquiry", "enquiry"),
)

approval_answers = Table(
    "approval_answers",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("ask", String(40), ForeignKey("approval_asks.id"), nullable=False),
    Column("part", String(40), nullable=False, comment="a blind mark of one item, or empty for the whole"),
    Column("step", Integer, nullable=False, comment="1 an answer, 2 a senior's word on a refusal"),
    Column("category", String(40), nullable=True),
    Column("outcome", String(16), nullable=False),
    Column("fields", JSON, nullable=True),
    Column("by", String(40), nullable=False),
    Column("by_agency", String(64), nullable=False),
    Column("by_role", String(40), nullable=False),
    Column("by_role_until", Instant, nullable=True),
    Column("at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=True),
    Column("call_back", Boolean, nullable=False),
    Column("sealed_why", LargeBinary, nullable=True),
    Column("signed_for", String(40), nullable=True, comment="whose refusal this person signed off"),
    Column("receipt", String(40), nullable=False),
    Index("approval_answers_once", "ask", "part", "step", unique=True),
)

approval_uses = Table(
    "approval_uses",
    metadata,
    Column("ask", String(40), ForeignKey("approval_asks.id"), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("by", String(40), nullable=False),
)

suspensions = Table(
    "suspensions",
    metadata,
    Column("user", String(40), primary_key=True),
    Column("since", Instant, nullable=False),
    Column("alarm", String(40), nullable=False),
)

reveals = Table(
    "reveals",
    metadata,
    Column("id", String(40), primary_key=True, comment="what the form carried: it opens once"),
    Column("enquiry", String(40), ForeignKey("enquiries.id"), nullable=False),
    Column("person", String(40), nullable=False),
    Column("user", String(40), nullable=False),
    Column("sealed_reason", LargeBinary, nullable=False),
    Column("at", Instant, nullable=False),
)

disclosure_register = Table(
    "disclosure_register",
    metadata,
    Column("index", BigInteger, primary_key=True),
    Column("eid", String(40), nullable=False, unique=True),
    Column("t", BigInteger, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("outcome", String(40), nullable=True),
    Column("purpose", String(40), nullable=True),
    Column("user", String(40), nullable=True, comment="handle of the acting user's key; their id in older entries"),
    Column("acted", LargeBinary, nullable=True, comment="capsule of the acting user"),
    Column("agency", String(64), nullable=True),
    Column("sources", JSON, nullable=False),
    Column("subject_count", Integer, nullable=False),
    Index("disclosure_register_t", "t"),
    Index("disclosure_register_user", "user", "t"),
)

disclosure_persons = Table(
    "disclosure_persons",
    metadata,
    Column("index", BigInteger, ForeignKey("disclosure_register.index"), primary_key=True),
    Column("person_blind", LargeBinary(16), primary_key=True),
    Index("disclosure_persons_person", "person_blind"),
)

disclosure_sources = Table(
    "disclosure_sources",
    metadata,
    Column("index", BigInteger, ForeignKey("disclosure_register.index"), primary_key=True),
    Column("agency", String(64), primary_key=True),
    Index("disclosure_sources_agency", "agency"),
)
