"""What the trail is told of a disclosure: who, whom about, why, what was shown, what was withheld and by which rule.

For: the intent and the outcome of the way of one request (steps 6 and 9). Must never hold content: identifiers, codes
and counts only.
"""

from collections.abc import Mapping
from typing import Any

from audit import Receipt
from connectors import Answer
from hub.casefile import CaseFile
from hub.context import RequestContext
from hub.enquiries import Enquiry, claims_of, user_of
from hub.permits import Decided
from hub.picture import Grounds
from hub.redaction import Redacted
from hub.revealing import Revealed
from policies.vocabulary import DataCategory, Outcome


class Account:
    """The two events of one way through: what was asked, and what came of it."""

    def __init__(
        self,
        bundle: str,
        ctx: RequestContext,
        case: CaseFile,
        people: list[str],
        decided: Decided,
        enquiry: Enquiry | None,
        declared: list[str],
    ) -> None:
        self._bundle, self._decided, self._people, self._declared = bundle, decided, people, declared
        self._number = {person: number for number, person in enumerate(people)}
        basis, agreements = case.basis_for_trail(), case.agreements_for_trail(p.agency for p in decided.permits)
        self.grounds = Grounds(basis, tuple(f"{one['ref']}/{one['version']}" for one in agreements))
        self._about = {
            "now": ctx.now,
            "subjects": people,
            "user": user_of(ctx),
            "client": {"id": ctx.client} if ctx.client else None,
            "purpose": str(case.purpose),
            "recipient": ctx.actor.agency,
            "trace": ctx.request_id,
            "enquiry": enquiry.id if enquiry else None,
            "action": claims_of(enquiry) if enquiry else None,
            "basis": basis,
            "authoriser": dict(case.agreed.authoriser) if case.agreed.authoriser else None,
            "agreement": agreements,
        }

    def _decision(self, outcome: str) -> dict[str, Any]:
        rules = {r for p in self._decided.permits for r in p.decision.rules}
        rules |= {r for refusal in self._decided.refusals for r in refusal.rules}
        obligations = {o for p in self._decided.permits for o in p.decision.obligations}
        obligations |= {o for refusal in self._decided.refusals for o in refusal.obligations}
        return {
            "bundle": self._bundle,
            "rules": sorted(rules),
            "outcome": outcome,
            "obligations": sorted(obligations),
        }

    def _withheld(self, redacted: Redacted | None = None) -> list[dict[str, object]]:
        rows: dict[tuple[str, str, str, tuple[str, ...], str], None] = {}
        for r in self._decided.refusals:
            rows[(r.agency, r.category, str(r.outcome), r.rules, r.person)] = None
        for w in redacted.cut if redacted else ():
            rows[(w.agency, w.category, w.outcome, w.rules, w.person)] = None
        return _bounded(
            [
                {"agency": a, "category": c, "outcome": o, "rules": list(rules), "subject": self._number[person]}
                for a, c, o, rules, person in rows
            ]
        )

    def requested(self) -> dict[str, Any]:
        """The intent: who will be asked for what; about whom, the capsules say."""
        asked: dict[tuple[str, str], tuple[set[str], int]] = {}
        for p in self._decided.permits:
            fields, people = asked.get((p.agency, p.category), (set(), 0))
            asked[(p.agency, p.category)] = (fields | p.fields, people + 1)
        return {
            **self._about,
            "refers": self._declared or None,
            "source": sorted({p.agency for p in self._decided.permits}),
            "data": [
                {"agency": agency, "category": category, "fields": sorted(fields), "count": people}
                for (agency, category), (fields, people) in asked.items()
            ],
            "decision": self._decision(Outcome.PERMIT),
        }

    def made(
        self,
        intent: Receipt | None,
        answers: Mapping[tuple[str, str], Answer],
        redacted: Redacted,
        revealed: Revealed,
        outcome: str | None,
        record: str,
    ) -> dict[str, Any]:
        """The outcome: what is shown, what is withheld and by which rule, and how each partner answered."""
        shown: dict[tuple[str, str, str], tuple[set[str], int]] = {}
        for kept in redacted.kept:
            fields, count = shown.get((kept.agency, kept.category, kept.person), (set(), 0))
            shown[(kept.agency, kept.category, kept.person)] = (fields | set(kept.values), count + 1)
        for agency, person, names in revealed.rows():
            before, count = shown.get((agency, DataCategory.DEMOGRAPHIC, person), (set(), 0))
            shown[(agency, DataCategory.DEMOGRAPHIC, person)] = (before | set(names), max(count, 1))
        shows = outcome is not None or bool(shown)
        return {
            **self._about,
            "outcome": outcome,
            "reason": None if intent else "NO_PERMIT",
            "refers": [*([intent.eid] if intent else []), *self._declared] or None,
            "source": sorted({p.agency for p in self._decided.permits}),
            "data": _bounded(
                [
                    {
                        "agency": a,
                        "category": c,
                        "subject": self._number[person],
                        "fields": sorted(fields),
                        "count": count,
                    }
                    for (a, c, person), (fields, count) in shown.items()
                ]
            ),
            "withheld": self._withheld(redacted),
            "answers": [
                {
                    "agency": answer.agency,
                    "state": str(answer.state),
                    "subject": self._number[answer.person],
                    "as_of": answer.as_of,
                }
                for answer in answers.values()
            ],
            "decision": {**self._decision(Outcome.PERMIT if shows else Outcome.DENY), "record": record},
        }


#: One list of an event holds at most 1,024 rows; a very large family is told by agency and category instead.
MOST_ROWS = 1000


def _bounded(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """The rows, or, when there are too many for one event, the same without the person each is about."""
    if len(rows) <= MOST_ROWS:
        return rows
    merged = [{name: value for name, value in row.items() if name != "subject"} for row in rows]
    return [row for number, row in enumerate(merged) if row not in merged[:number]][:MOST_ROWS]
