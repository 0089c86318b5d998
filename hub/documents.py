"""A file that another agency attached, opened by the way of every disclosure.

For: the link beside a document in the combined picture. Must never hand out bytes before the outcome is durable, and
never a file that a decision made now does not show.
"""

from connectors import Attachment, file_of, place_of_file
from hub import questions
from hub.assembly import Hub
from hub.context import RequestContext
from hub.enquiries import Enquiry
from hub.errors import NotFound

NOT_THERE = "There is no such document for you in this enquiry."


def document(hub: Hub, ctx: RequestContext, enquiry: Enquiry, file: str) -> tuple[Attachment, str]:
    """The file and the receipt of its disclosure.

    Raises NotFound for another enquiry's file, and for one that may not be shown or may not leave.
    Effects: decided, recorded and answered for like everything else.
    """
    with hub.db.session() as session:
        place = place_of_file(session, file)
    if place is None or place[1] != enquiry.id:
        raise NotFound(NOT_THERE)
    agency, _, person, category = place
    kept, receipt = questions.one_field(hub, ctx, enquiry, person, agency, category, "document")
    if not any(value.file == file for one in kept for value in one.values.values()):
        raise NotFound(NOT_THERE, next_steps=("Ring the agency and ask for what you need to know.",))
    with hub.db.session() as session:
        return file_of(session, hub.keys, file), receipt.eid
