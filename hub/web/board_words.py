"""The matrix of the editor in words: for one purpose and role, how much of each kind of information passes now.

For: `hub/web/editor.py`. Pure; must never say more of an agreement than its clauses list.
"""

from typing import Any

from hub.register import overview
from hub.register.choosing import KINDS, Level, Point, kinds_now, points_of
from hub.web.agreement_words import FIELD_KIND_WORDS, PARTY_ROLE_WORDS
from policies import BARRED_CATEGORIES, AgreementInvalid, SharingAgreement, read_draft
from policies.vocabulary import DataCategory, FieldKind, PartyRole, Purpose, Role

LEVEL_WORDS = {
    Level.NOTHING: "Nothing",
    Level.CONTACT: "Only whether involved, and whom to ring",
    Level.FACTS: "Facts: status, dates, risks, needs, actions",
}
#: More changed cells than these are read clause by clause.
MOST_CELLS = 60
#: Nothing is chosen.
AS_IT_IS = {"value": "", "text": "As it is now"}


def board(text: str, purpose: str, role: str, say: Any) -> dict[str, Any] | None:
    """The matrix of a text, for the purpose and role that are chosen, else its first; None for what cannot be read."""
    try:
        one = read_draft(text.replace("\r\n", "\n"))
    except AgreementInvalid:
        return None
    there = overview.choices(one, Purpose(purpose) if purpose in Purpose.__members__ else None)
    if not there.purposes or not there.roles:
        return None
    chosen = Purpose(purpose) if purpose in there.purposes else there.purposes[0]
    by = Role(role) if role in there.roles else there.roles[0]
    return {
        "purpose": chosen,
        "role": by,
        "words": f"{say(chosen)}, {say(by)}",
        "purposes": [{"value": str(p), "text": say(p), "selected": p == chosen} for p in there.purposes],
        "roles": [{"value": str(r), "text": say(r), "selected": r == by} for r in there.roles],
        "levels": [AS_IT_IS, *({"value": str(level), "text": words} for level, words in LEVEL_WORDS.items())],
        "rows": [_row(one, Point(chosen, by, category), say) for category in _offered()],
        "parts": [AS_IT_IS, *({"value": str(part), "text": PARTY_ROLE_WORDS[part]} for part in PartyRole)],
        "parties": [
            {"name": f"party-{party.agency}", "agency": say(party.agency), "now": PARTY_ROLE_WORDS[party.role]}
            for party in one.parties
        ],
    }


def cells_changed(before: SharingAgreement, after: SharingAgreement, say: Any) -> list[dict[str, str]]:
    """Every purpose, role and category whose listing differs, before and after, in words; at most MOST_CELLS."""
    found = []
    for point in points_of(before, after):
        was, is_now = kinds_now(before, point), kinds_now(after, point)
        if was != is_now:
            found.append(
                {
                    "category": say(point.category),
                    "for_whom": f"{say(point.purpose)}, {say(point.role)}",
                    "before": _now(was),
                    "after": _now(is_now),
                }
            )
    return found[:MOST_CELLS]


def _offered() -> list[DataCategory]:
    """What an agreement may list at all (rule P27)."""
    return [category for category in DataCategory if category not in BARRED_CATEGORIES]


def _row(one: SharingAgreement, point: Point, say: Any) -> dict[str, str]:
    return {
        "name": f"level-{point.category}",
        "category": say(point.category),
        "now": _now(kinds_now(one, point)),
    }


def _now(kinds: frozenset[FieldKind]) -> str:
    """The level it is, or what it lists."""
    for level, listed in KINDS.items():
        if kinds == listed:
            return LEVEL_WORDS[level]
    return ", ".join(FIELD_KIND_WORDS[kind] for kind in FieldKind if kind in kinds).capitalize()
