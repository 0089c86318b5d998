"""Who may sign in to the demonstration: one invented worker for each kind of user.

For: the demo identity provider's page and the browser tests. Must never be a real person, and must never
exist outside demo mode: whoever opens the provider's page may choose to be anybody on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType

from policies.vocabulary import Role


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a persona is as a private person, so that a conflict of interest can be seen (rules P33 and P34).

    `person` is the key of the true person in the demo county; `born` is (age today, month, day).
    """

    person: str
    given: tuple[str, ...]
    family: str
    born: tuple[int, int, int]
    nhs_number: str


@dataclass(frozen=True, slots=True)
class Persona:
    """One worker. `sub` is what the identity provider calls them: opaque, and the same at every sign-in."""

    key: str
    sub: str
    name: str
    agency: str
    role: Role
    does: str
    employment: str = "CURRENT"
    account: str = "PERSONAL"
    role_ended_days_ago: int | None = None
    person: Identity | None = None

    def role_from(self, today: date) -> datetime:
        """Returns when the role began: two years before the day."""
        return datetime.combine(today - timedelta(days=730), time(9), UTC)

    def role_until(self, today: date) -> datetime | None:
        """Returns when the role ended, if it did."""
        if self.role_ended_days_ago is None:
            return None
        return datetime.combine(today - timedelta(days=self.role_ended_days_ago), time(17), UTC)


def _personas(*personas: Persona) -> Mapping[str, Persona]:
    return MappingProxyType({persona.key: persona for persona in personas})


PERSONAS: Mapping[str, Persona] = _personas(
    Persona(
        "mash_social_worker", "ts-0001", "Rosalind Achebe", "csc", Role.MASH_SOCIAL_WORKER,
        "MASH social worker, from a referral to the combined family picture",
    ),
    Persona(
        "mash_decision_maker", "ts-0002", "Helena Voss", "csc", Role.MASH_DECISION_MAKER,
        "MASH decision maker, thresholds, overrides, what to do next",
    ),
    Persona(
        "police_navigator", "ts-0003", "Alma Fenwick", "police", Role.AGENCY_NAVIGATOR,
        "navigator in the MASH",
    ),
    Persona(
        "housing_navigator", "ts-0004", "Colin Wraight", "housing", Role.AGENCY_NAVIGATOR,
        "housing officer in the MASH",
    ),
    Persona(
        "gp_millbrook", "ts-0005", "Petra Lindqvist", "gp-millbrook", Role.GP_CARE_COORDINATOR,
        "care co-ordinator: does my patient have a care package?",
    ),
    Persona(
        "gp_harbourside", "ts-0006", "Owen Trescott", "gp-harbourside", Role.GP_CARE_COORDINATOR,
        "care co-ordinator",
    ),
    Persona(
        "family_keyworker", "ts-0007", "Kim Thistleton", "csc", Role.FAMILY_KEYWORKER,
        "family key worker, early help, always with the family's agreement",
    ),
    Persona(
        "ig_officer", "ts-0008", "Farida Noorani", "csc", Role.IG_OFFICER,
        "information governance officer: who saw what, and why",
    ),
    Persona(
        "dpo", "ts-0009", "Leopold Stanhope", "police", Role.DPO,
        "data protection officer: the second signature on an agreement",
    ),
    Persona(
        "operator", "ts-0010", "Jens Halloran", "csc", Role.SYSTEM_ADMIN,
        "operator: partners' connections and outages, never anybody's data",
    ),
    Persona(
        "health_visitor", "ts-0011", "Sian Beddoes", "hv", Role.HEALTH_VISITOR,
        "health visitor on the coast",
    ),
    Persona(
        "sms_worker", "ts-0012", "Lou Pettifer", "sms", Role.SUBSTANCE_WORKER,
        "recovery worker: releases, or does not release, what Fresh Tide holds",
    ),
    Persona(
        "lapsed_worker", "ts-0013", "Gideon Marsh", "csc", Role.SOCIAL_WORKER,
        "a social worker whose role ended a month ago (refused, P02)",
        role_ended_days_ago=30,
    ),
    Persona(
        "worker_who_is_a_subject", "ts-0014", "Marcus Brightwell", "csc", Role.MASH_SOCIAL_WORKER,
        "a MASH social worker whom the county's records know as a private person (P33)",
        person=Identity("brightwell.marcus", ("Marcus", "Owen"), "Brightwell", (38, 2, 3), "9997000455"),
    ),
    Persona(
        "sms_guardian", "ts-0016", "Maureen Ashdown", "sms", Role.CALDICOTT_GUARDIAN,
        "Caldicott Guardian of Fresh Tide: stands for what it does not release",
    ),
    Persona(
        "data_steward", "ts-0015", "Imogen Calloway", "csc", Role.DATA_STEWARD,
        "data steward: are these two records one person?",
    ),
    Persona(
        "school_lead", "ts-0017", "Nadia Okonjo", "school", Role.DSL,
        "safeguarding lead of a school: answers requests by form, with files",
    ),
    Persona(
        "adult_social_worker", "ts-0018", "Winston Adair", "asc", Role.ADULT_SOCIAL_WORKER,
        "adult social worker: an adult who says no is heard, unless more is on record",
    ),
)  # fmt: skip
