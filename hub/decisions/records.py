"""Keeping decisions: what each was made of, sealed under the key of the person it is about.

For: whoever records decisions in the trail, before the event. Must never hold what a partner answered, nor a person's
id: people of a page have numbers, and only the event's own capsules lead from a number to a person. Erasing that
person's key, or a month's, erases their decisions too.
"""

import hashlib
import json
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from hub.assembly import Hub
from hub.context import RequestContext
from hub.decisions.tables import decision_records, policy_bundles
from hub.erasure import month_of
from hub.keys import HUB
from policies import Made, Writer, bundle_text

#: What stands for a person in a record: their number among the people of the page.
STANDS_FOR = "P-{}"


def keep(hub: Hub, ctx: RequestContext, eid: str, made: Iterable[Made], *, people: Sequence[str]) -> str:
    """Keeps the decisions of one event, and returns the hash that the event has of them.

    Takes `people`, the persons in the order of the event's capsules.
    Effects: one row. Raises what the database and the key store raise: then nothing may be shown.
    """
    made = list(made)
    t = int(ctx.now.timestamp() * 1000)
    agency = ctx.actor.agency if ctx.actor.agency in hub.partners else HUB
    sealed = hub.keys.seal(HUB, _parts(hub, agency, month_of(t), made, people), "decisions:" + eid)
    row = {"eid": eid, "t": t, "agency": agency, "bundle": hub.policy_bundle, "decisions": len(made), "sealed": sealed}
    try:
        _write(hub, row)
    except IntegrityError:  # Another process has just kept the same bundle; the row itself has an id of its own.
        _write(hub, row)
    return hashlib.sha256(sealed).hexdigest()


def forget_month(hub: Hub, agency: str, month: str) -> None:
    """Deletes the records of a month of which no key is left. Effects: rows go."""
    first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    following = (first + timedelta(days=31)).replace(day=1)
    r = decision_records.c
    inside = (r.agency == agency) & (r.t >= first.timestamp() * 1000) & (r.t < following.timestamp() * 1000)
    with hub.db.writing() as session:
        session.execute(delete(decision_records).where(inside))


def _write(hub: Hub, row: Mapping[str, object]) -> None:
    """One transaction: the row, and the first time the agreements and gateways that decided."""
    kept = select(policy_bundles.c.bundle).where(policy_bundles.c.bundle == hub.policy_bundle)
    with hub.db.writing() as session:
        session.execute(insert(decision_records), row)
        if session.execute(kept).first() is None:
            text = bundle_text(hub.agreements, hub.gateways)
            session.execute(insert(policy_bundles), {"bundle": hub.policy_bundle, "text": text})


def _parts(hub: Hub, agency: str, month: str, made: Sequence[Made], people: Sequence[str]) -> bytes:
    """One capsule for each person that something was decided about, one after the other, each with its length."""
    about: dict[str, list[Made]] = {}
    for one in made:
        about.setdefault(one.request.subject.id, []).append(one)
    numbers = _numbers(made, people)
    writer = Writer()
    parts = []
    for person, theirs in about.items():
        text = _without_ids(writer.write(theirs), numbers)
        capsule = hub.subject_keys.seal(agency, month, person, zlib.compress(text.encode(), 3))
        parts.append(struct.pack(">III", int(numbers[person]), len(theirs), len(capsule)) + capsule)
    return b"".join(parts)


def _numbers(made: Iterable[Made], people: Sequence[str]) -> Mapping[str, str]:
    """Everybody whom the decisions name, with a number: first the people of the event, then the others."""
    relationships = {id(one.request.relationship): one.request.relationship for one in made}.values()
    others = {person for one in relationships for person in one.persons or ()} | {
        one.request.subject.id for one in made
    }
    everybody = [*people, *sorted(others - set(people))]
    return {person: str(number) for number, person in enumerate(dict.fromkeys(everybody))}


def _without_ids(text: str, numbers: Mapping[str, str]) -> str:
    """The text with each person's number in place of their id; equal ids stay equal, which is all that rules read."""
    for person, number in numbers.items():
        text = text.replace(json.dumps(person), json.dumps(STANDS_FOR.format(number)))
    return text
