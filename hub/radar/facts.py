"""What is known beside the trail: who the user is, who lives where, which enquiry names whom, who works when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from policies.vocabulary import Role


@dataclass(frozen=True, slots=True)
class UserFacts:
    """A user as their employer and the records know them. Surnames and addresses are keyed marks."""

    own: frozenset[str] = frozenset()
    family: frozenset[str] = frozenset()
    caseload: frozenset[str] = frozenset()
    surnames: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """A person looked at. `staff_of` are the agencies that they work for."""

    surnames: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    staff_of: frozenset[str] = frozenset()
    vip: bool = False
    #: Practices that have the person on their list.
    registered: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class EnquiryFacts:
    """An enquiry. `reason` is a keyed mark of its words; `workers` are the users who ever acted in it."""

    agency: str
    opened_by: str
    opened_at: datetime
    closed_at: datetime | None
    persons: frozenset[str]
    reason: str = ""
    workers: frozenset[str] = frozenset()


class Rota(Protocol):
    """Who works when."""

    def __call__(self, user: str, at: datetime) -> bool | None:
        """Whether the user is on shift, give or take an hour; None when nobody said when they work."""


def no_rota(user: str, at: datetime) -> bool | None:
    """Nobody said when anybody works."""
    return None


_NO_USER, _NO_PERSON = UserFacts(), PersonFacts()


@dataclass(frozen=True, slots=True)
class Known:
    """All of it, as mappings: whoever is not in one is somebody of whom nothing is known."""

    users: Mapping[str, UserFacts] = field(default_factory=dict)
    persons: Mapping[str, PersonFacts] = field(default_factory=dict)
    enquiries: Mapping[str, EnquiryFacts] = field(default_factory=dict)
    rota: Rota = no_rota
    #: Occasions that a user of a role usually has on a busy day; see `usual_per_day`.
    usual: Mapping[Role, float] = field(default_factory=dict)

    def user(self, id_: str) -> UserFacts:
        """What is known of a user."""
        return self.users.get(id_, _NO_USER)

    def person(self, id_: str) -> PersonFacts:
        """What is known of a person."""
        return self.persons.get(id_, _NO_PERSON)
