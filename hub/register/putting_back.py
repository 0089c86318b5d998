"""Putting the text of an agreement back that was taken out of the database, or altered in it.

For: the operator's command. It cannot put anything in force: the trail holds the hash of what was enacted, so only that
very text fits, wherever it comes from - a file that an officer kept, a proposal, or a version before it.
"""

from collections.abc import Iterable, Iterator

from hub.assembly import Hub
from hub.register.enacting import put_text
from hub.register.proposals import proposals
from hub.register.standing import hash_of_text
from policies import AgreementInvalid, SharingAgreement, read_draft, with_status, write_draft
from policies.vocabulary import AgreementStatus


def put_back(hub: Hub, texts: Iterable[str] = ()) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Looks for the text of every version that the trail says stands and the register has not.

    Takes: texts that somebody brings. Returns what was put back and what is still missing, as REFERENCE-VERSION.
    Effects: a row and an `admin` event for each that was put back.
    """
    missing = hub.register.missing()
    by_hash = {hash_of_text(text): text for text in (*texts, *_candidates(hub))} if missing else {}
    done = []
    for (reference, version), enacted in missing.items():
        text = by_hash.get(enacted.hash)
        if text is None:
            continue
        one, now = read_draft(text, "register"), hub.clock()
        put_text(hub, now, one, cause=enacted.cause, eid=enacted.eid)
        hub.trail.append(
            "admin",
            now=now,
            client={"id": "operator"},
            action="AGREEMENT_PUT_BACK",
            outcome="PUT_BACK",
            agreement=[{"ref": reference, "version": str(version), "hash": enacted.hash}],
            refers=[enacted.eid],
        )
        done.append(f"{reference}-{version}")
    return tuple(done), tuple(f"{ref}-{version}" for ref, version in missing if f"{ref}-{version}" not in done)


def _candidates(hub: Hub) -> Iterator[str]:
    """Every text that the hub still has, and what a stop or a move would make of it."""
    known: list[SharingAgreement] = [one.agreement for one in hub.register.filed]
    known += [text for one in proposals(hub) for text in (one.before, one.after)]
    for stored in hub.register.texts().values():
        for text in stored:
            try:
                known.append(read_draft(text, "register"))
            except AgreementInvalid:
                continue
    for one in known:
        yield write_draft(one)
        for status in AgreementStatus:
            yield write_draft(with_status(one, status))
