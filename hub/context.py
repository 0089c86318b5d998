"""Who is asking, for what, now: read once per request and passed down.

For: step 0 of the way of one request. Must never be built from anything that the browser says about
itself; everything comes from the server-side session and the hub's clock.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from policies.vocabulary import Purpose, Role


@dataclass(frozen=True, slots=True)
class Actor:
    """The signed-in person as their agency's identity provider asserts them.

    `id` is opaque and the same at every sign-in; `name` is for the page header and the sealed staff record
    only. `own_persons` are the hub's person ids that
    could be the user, when the user is also somebody the hub knows of.
    """

    id: str
    name: str
    agency: str
    role: Role
    issuer: str
    authentication: str
    account: str
    employment: str
    role_from: datetime
    role_until: datetime | None
    own_persons: tuple[str, ...] = ()
    own_family: tuple[str, ...] = ()
    #: What the employer says of the user's work: the agency's own record ids they are allocated to, and the hub's
    #: person ids of these; whether they work with alleged perpetrators; whether an allegation is open against them.
    cases: tuple[str, ...] = ()
    case_persons: tuple[str, ...] = ()
    perpetrator_facing: bool = False
    under_allegation: bool = False
    #: A blind mark of the employer's own number of the person: accounts of one person bear the same; empty for none.
    person_mark: str = ""


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One request: the actor, the purpose, the enquiry, the moment and its id for the logs and the trail."""

    actor: Actor
    now: datetime
    request_id: str
    purpose: Purpose | None = None
    enquiry: str | None = None
    case_reference: str | None = None
    #: The system through which the user asks, by its id; None for a browser.
    client: str | None = None
    #: References of the agreements that this system may name; None for any.
    may_name: frozenset[str] | None = None

    def for_purpose(self, purpose: Purpose, *, enquiry: str | None = None) -> "RequestContext":
        """The same request, bound to a purpose and an enquiry."""
        return replace(self, purpose=purpose, enquiry=enquiry)
