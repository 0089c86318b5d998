"""What every page shares: the hub at hand, the request's context, the header, receipts and readiness.

For: views of all kinds of users. Must never hold a rule or a query of its own.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, current_app, g, redirect, render_template, request, session
from sqlalchemy import text
from werkzeug.wrappers import Response as AnyResponse

from audit import EntryUnknown, Receipt, verifier_source
from hub.approvals.answering import APPROVING
from hub.assembly import Hub
from hub.context import RequestContext
from hub.headers import CHECKING, ENQUIRING, OVERSEEING, STEWARDING, for_everybody_signed_in, open_to_all
from hub.inbox import ANSWERING
from hub.operations import OPERATING
from hub.receipts import receipt_of
from hub.signin.entering import Entered
from hub.signin.sessions import actor_of
from hub.tasks import QUEUEING
from hub.words import ROLE_WORDS
from policies.vocabulary import Role

common = Blueprint("common", __name__)
#: What a member of the public can open.
OWN_PAGES = (
    ("/my/record", "What is held"),
    ("/my/looked", "Who looked"),
    ("/my/choices", "What I share"),
    ("/my/corrections", "Put it right"),
)
#: How long the names on a form may be those of the page before it.
NAMES_HOLD = timedelta(minutes=15)


def hub_of() -> Hub:
    """The hub of this application, with the agreements as they stand when the request first asks for it."""
    if "hub" not in g:
        g.hub = current_app.extensions["hub"].as_agreed_now()
        current_app.extensions["hub"] = g.hub
    hub: Hub = g.hub
    return hub


def context_of() -> RequestContext:
    """Step 0: who is asking, from the server-side session or the access token; `now` is read here and nowhere else."""
    if "ctx" not in g:
        entered: Entered | None = g.get("entered")
        actor = actor_of(entered.actor if entered else session["actor"])
        client = entered.client if entered else None
        g.ctx = RequestContext(
            actor=actor,
            now=hub_of().clock(),
            request_id=g.request_id,
            client=client.id if client else None,
            may_name=client.agreements if client else None,
        )
    ctx: RequestContext = g.ctx
    return ctx


def page_context(hub: Hub, actor: dict[str, Any] | None) -> dict[str, Any]:
    """What the layout needs on every page."""
    if actor is None:
        return {"user": None, "nav": [], "demo": hub.settings.demo, **_of_citizen()}
    partner = hub.partners.get(actor["agency"])
    role = Role(actor["role"])
    return {
        "user": {
            "name": actor["name"],
            "role_words": ROLE_WORDS[role],
            "agency_name": partner.name if partner else actor["agency"],
        },
        "nav": _nav(role, answers_by_hand=partner is not None and partner.way == "inbox"),
        "demo": hub.settings.demo,
    }


def _of_citizen() -> dict[str, Any]:
    """The header for a member of the public."""
    citizen = session.get("citizen")
    if not citizen:
        return {}
    user = {"name": citizen["name"], "role_words": "Signed in", "agency_name": ""}
    return {"user": user, "nav": [{"href": h, "text": t, "current": request.path == h} for h, t in OWN_PAGES]}


def receipt_view(receipt: Receipt) -> dict[str, Any]:
    """A receipt as the layout prints it."""
    return {"eid": receipt.eid, "recorded_at": datetime.fromtimestamp(receipt.t / 1000, UTC)}


def remember_family(enquiry: str, people: Iterable[tuple[str, str]], now: datetime) -> None:
    """Whom this user was just shown in this enquiry, for the forms about them."""
    session["family"] = {enquiry: {"at": now.isoformat(), "people": dict(people)}}


def remember_sealed(enquiry: str, sealed: Iterable[tuple[str, str, str]]) -> None:
    """Where this user was just told that something waits for its owner's release."""
    session["sealed"] = {enquiry: sorted([person, agency, str(category)] for person, agency, category in sealed)}


def sealed_shown(enquiry: str) -> frozenset[tuple[str, str, str]]:
    """Where this user was last told so, in this enquiry."""
    told = session.get("sealed", {}).get(enquiry, [])
    return frozenset((person, agency, category) for person, agency, category in told)


def family_shown(enquiry: str, now: datetime) -> dict[str, str]:
    """The persons with their names, while that is fresh: a name that an agency has corrected is not used for long."""
    shown = session.get("family", {}).get(enquiry)
    if not isinstance(shown, dict) or now - datetime.fromisoformat(shown["at"]) > NAMES_HOLD:
        return {}
    people: dict[str, str] = shown["people"]
    return people


def is_ready(hub: Hub) -> bool:
    """True when the database answers and the trail's newest checkpoint can be read."""
    try:
        with hub.db.session() as database:
            database.execute(text("SELECT 1"))
        hub.trail.head()
    except EntryUnknown:
        return True
    except Exception:
        return False
    return True


@common.get("/")
@for_everybody_signed_in
def home() -> AnyResponse | str:
    """Each role's own start page: their queue, or their one question."""
    actor = context_of().actor
    role, partner = actor.role, hub_of().partners.get(actor.agency)
    by_hand = partner is not None and partner.way == "inbox"
    for roles, where in (
        *(((ANSWERING, "/inbox"),) if by_hand else ()),
        (ENQUIRING, "/enquiries"),
        (CHECKING, "/gp-check"),
        (OVERSEEING, "/ig"),
        (STEWARDING, "/matching"),
        (OPERATING, "/partners"),
        (QUEUEING, "/tasks"),
        (APPROVING, "/approvals"),
    ):
        if role in roles:
            return redirect(where, code=303)
    return render_template(
        "message.html",
        title="Nothing here for your role yet",
        sentence="You are signed in, and your role has no page in this version of Kith.",
    )


@common.get("/receipts/<eid>")
@for_everybody_signed_in
def receipt(eid: str) -> Response | str:
    """The proof that an entry is in the signed trail, for those it concerns.

    `?format=json` and `?format=tlog-proof` (c2sp.org/tlog-proof) are for a check offline. Neither has the envelope: it
    proves that the entry exists, and says nothing about anybody.
    """
    proof = receipt_of(hub_of(), context_of(), eid)
    if request.args.get("format") == "json":
        answer = Response(proof.json(with_envelope=False), content_type="application/json")
        answer.headers["Content-Disposition"] = f'attachment; filename="kith-receipt-{eid[:8]}.json"'
        return answer
    if request.args.get("format") == "tlog-proof":
        answer = Response(proof.tlog_proof(), content_type="text/plain; charset=utf-8")
        answer.headers["Content-Disposition"] = f'attachment; filename="kith-receipt-{eid[:8]}.tlog-proof"'
        return answer
    from hub.web.proofs import proof_view

    return render_template("receipt.html", **proof_view(hub_of(), proof))


@common.get("/verifier")
@open_to_all
def verifier() -> Response:
    """The one-file verifier, for anybody who holds a receipt and does not want to believe the hub."""
    answer = Response(verifier_source(), content_type="text/x-python; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="kith_verify.py"'
    return answer


def _nav(role: Role, *, answers_by_hand: bool) -> list[dict[str, Any]]:
    entries = []
    if role in ANSWERING and answers_by_hand:
        entries += [("/inbox", "Requests")]
    if role in ENQUIRING:
        entries += [("/enquiries", "Your enquiries"), ("/enquiries/new", "Start an enquiry")]
    if role in CHECKING:
        entries += [("/gp-check", "Check a patient"), ("/gp-check/round", "Ward round")]
    if role in QUEUEING:
        entries += [("/tasks", "Tasks")]
    if role in APPROVING:
        entries += [("/approvals", "For your approval")]
    if role in STEWARDING:
        entries += [("/matching", "Records in doubt")]
    if role in STEWARDING | OPERATING:
        entries += [("/data-quality", "Data quality")]
    if role in OPERATING:
        entries += [("/partners", "Partners")]
    if role in OVERSEEING:
        entries += [("/ig", "Disclosures"), ("/ig/alerts", "Alerts"), ("/held-back", "Held back")]
    if role in OVERSEEING or role == Role.DPO:
        entries += [("/refusals", "Refusals")]
    entries += [("/agreements", "Agreements")]
    return [{"href": href, "text": words, "current": request.path == href} for href, words in entries]
