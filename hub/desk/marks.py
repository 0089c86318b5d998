"""Keyed marks: how the desk tells the same person, surname or address again without knowing whom, which or where.

For: what `hub.radar` compares. Must never mark the address of somebody whose whereabouts are protected.
"""

from collections.abc import Iterable
from datetime import date

from connectors import SourceRecord
from hub.assembly import Hub
from hub.people.matching.normalise import home_of
from hub.radar import PersonFacts
from policies.vocabulary import AgencyType, SubjectFlag


def person_mark(hub: Hub, person: str) -> str:
    """The same for the same person id."""
    return hub.keys.blind("desk-person", person).hex()


def surname_mark(hub: Hub, surname: str) -> str:
    """The same for the same surname, however its letters, hyphens and spaces are written."""
    return hub.keys.blind("desk-surname", "".join(c for c in surname.casefold() if c.isalpha())).hex()


def reason_mark(hub: Hub, reason: str) -> str:
    """The same for the same words, whatever their order, capitals, numbers and punctuation."""
    words = sorted({"".join(c for c in word if c.isalpha()) for word in reason.casefold().split()})
    return hub.keys.blind("desk-reason", " ".join(words)).hex()


def facts_of(hub: Hub, records: Iterable[SourceRecord], today: date) -> PersonFacts:
    """What the records say of a person, as marks; staff are known by the mark of the agency whose record it is."""
    surnames: set[str] = set()
    addresses: set[str] = set()
    staff_of: set[str] = set()
    registered: set[str] = set()
    vip = False
    for record in records:
        surnames |= {surname_mark(hub, one) for name in record.person.names for one in name.family if name.use != "old"}
        home = home_of(record)
        if home is not None and home.key:
            addresses.add(hub.keys.blind("desk-address", home.key).hex())
        vip = vip or SubjectFlag.VIP in record.flags
        if SubjectFlag.STAFF_SUBJECT in record.flags:
            staff_of.add(record.agency)
        partner = hub.partners.get(record.agency)
        current = record.valid_until is None or today <= record.valid_until
        if partner is not None and partner.type == AgencyType.GP_PRACTICE and current:
            registered.add(record.agency)
    return PersonFacts(
        frozenset(surnames), frozenset(addresses), frozenset(staff_of), vip, registered=frozenset(registered)
    )
