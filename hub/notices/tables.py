"""Notices that agencies gave, sealed under the agency's own key; and who watches which enquiry."""

from sqlalchemy import JSON, Boolean, Column, Index, LargeBinary, MetaData, String, Table

from hub.tables import Instant

metadata = MetaData()

#: `outcome` is what was answered to the sender: codes and moments only.
notices = Table(
    "notices",
    metadata,
    Column("id", String(40), primary_key=True, comment="the same for the same words of the same agency"),
    Column("agency", String(31), nullable=False),
    Column("category", String(40), nullable=False),
    Column("types", JSON, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("receipt", String(40), nullable=False),
    Column("sealed", LargeBinary, nullable=True, comment="None once it was cleared"),
    Column("outcome", JSON, nullable=False),
    Column("is_settled", Boolean, nullable=False, comment="whether everybody whom it concerns was told"),
    Index("notices_settled", "is_settled", "received_at"),
)

#: `marks`: by agency, person and category a blind mark of what was held the last time.
subscriptions = Table(
    "subscriptions",
    metadata,
    Column("enquiry", String(40), primary_key=True),
    Column("user", String(40), primary_key=True),
    Column("since", Instant, nullable=False),
    Column("marks", JSON, nullable=False),
)
