"""The story families: each shows one thing that the hub must get right, and says what to type to see it.

For: demonstrations, browser journeys and tests that need a person of a certain kind. A story must never
depend on the seed: names, NHS numbers, ages and birthdays are fixed. Rule numbers are those of policies/rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from hub.demo.builder import Builder, born_on
from hub.demo.stories_adults import add_adult_stories
from hub.demo.stories_children import add_child_stories
from hub.demo.stories_showcase import add_showcase


@dataclass(frozen=True, slots=True)
class Story:
    """One family to try. `born` is (age today, month, day), or None before birth; `persona` is who should sign in."""

    title: str
    shows: str
    subject: str
    name: str
    born: tuple[int, int, int] | None
    nhs_number: str | None
    search: str
    persona: str
    purpose: str
    expected: tuple[str, ...]

    def date_of_birth(self, today: date) -> date | None:
        """Returns the subject's date of birth as seen from a day."""
        return born_on(today, *self.born) if self.born else None


def add_stories(b: Builder) -> None:
    """Adds the people, records and happenings of every story."""
    add_showcase(b)
    add_child_stories(b)
    add_adult_stories(b)


STORIES: Mapping[str, Story] = MappingProxyType(
    {
        "showcase": Story(
            title="One family, seven kinds of agencies",
            shows="A combined picture with contradictions, a release that the owner must give, six years of events.",
            subject="tarrant.maisie",
            name="Maisie Tarrant",
            born=(7, 9, 4),
            nhs_number="9997000048",
            search="Maisie Tarrant",
            persona="mash_social_worker",
            purpose="S47_ENQUIRY",
            expected=(
                "Six members: Maisie, Jayden, Alfie, their mother Leanne, her partner Craig, grandmother Maureen.",
                "All seven kinds of agencies know somebody in the family.",
                "Date of birth of Maisie: 4 September, and 9 April at health visiting (shown side by side).",
                "Spelling: Maisie, and Maisy at the practice. Craig: an old address at police and practice.",
                "Substance misuse of Leanne: not shown until Fresh Tide releases it; treatment and notes never.",
                "Police incidents keep each person's part: victim, suspect, witness.",
            ),
        ),
        "twins": Story(
            title="Twins at one address",
            shows="Two children with one birthday, one address and nearly one name stay two children.",
            subject="adeleke.tiwa",
            name="Tiwa Adeleke",
            born=(4, 5, 18),
            nhs_number="9997000099",
            search="Tiwa Adeleke",
            persona="mash_social_worker",
            purpose="MASH_SCREENING",
            expected=(
                "Tiwa and Tayo Adeleke are two candidates; neither has the other's records.",
                "Children's social care has Tiwa only; its record has no NHS number.",
            ),
        ),
        "half_siblings": Story(
            title="Half-siblings and separated parents",
            shows="Two households, two fathers, one mother; a child registered from each parent's address.",
            subject="bennett.noah",
            name="Noah Okafor",
            born=(12, 3, 9),
            nhs_number="9997000153",
            search="Noah Okafor",
            persona="mash_social_worker",
            purpose="MASH_SCREENING",
            expected=(
                "Lily Bennett is a half-sister; Ryan Marsden is her father and Noah's stepfather.",
                "Daniel Okafor lives elsewhere with Ngozi; he is Noah's father and nothing to Lily.",
                "Both practices have had Noah on their list.",
            ),
        ),
        "unborn": Story(
            title="A child who is not born yet",
            shows="No date of birth, an estimated date of delivery, and the mother's booking.",
            subject="whitcombe.baby",
            name="Baby Whitcombe",
            born=None,
            nhs_number=None,
            search="Chloe Whitcombe",
            persona="mash_social_worker",
            purpose="S47_ENQUIRY",
            expected=(
                "The baby is shown as unborn (flag UNBORN), never with an age or a made-up date of birth.",
                "Search for the mother, Chloe (19): she has booked, and the estimated delivery is ten weeks ahead.",
            ),
        ),
        "shielded": Story(
            title="A mother who fled and must not be found",
            shows="P28: the new address reaches nobody by search, household, or the former partner's record.",
            subject="zielonka.nadia",
            name="Nadia Zielonka",
            born=(33, 6, 21),
            nhs_number="9997000196",
            search="Nadia Zielonka",
            persona="mash_social_worker",
            purpose="S47_ENQUIRY",
            expected=(
                "Flags SHIELDED and FLEEING_DA on Nadia and her son Filip (5).",
                "No page shows the address at Saltmarsh Quay; a search by that address finds nobody.",
                "Marek Zielonka, the father, stays in the old household at the police and at housing.",
            ),
        ),
        "adopted": Story(
            title="An adopted child",
            shows="P27: the birth identity is a separate, locked record and is never joined to the child.",
            subject="fairweather.isla",
            name="Isla Fairweather",
            born=(6, 2, 11),
            nhs_number="9997000250",
            search="Isla Fairweather",
            persona="mash_social_worker",
            purpose="MASH_SCREENING",
            expected=(
                "Isla, with her adoptive parents Thomas and Priya; flag ADOPTED.",
                "Social care also holds the birth identity, Kayleigh Dunmore: same birthday, ADOPTED, CASE_LOCKED.",
                "Nothing links the two; the sealed adoption record is never offered to anybody.",
            ),
        ),
        "open_case": Story(
            title="A child who already has a social worker",
            shows="P42: at screening the hub shows who the worker is and gathers nothing.",
            subject="grimshaw.tyler",
            name="Tyler Grimshaw",
            born=(10, 11, 2),
            nhs_number="9997000293",
            search="Tyler Grimshaw",
            persona="mash_social_worker",
            purpose="MASH_SCREENING",
            expected=("A current child in need plan with Deborah Sallow, Assessment Team North; ring that team.",),
        ),
        "package_current": Story(
            title="An older patient with a care package",
            shows="GP check: YES with a 24-hour telephone number and nothing else.",
            subject="pemberton.dorothy",
            name="Dorothy Pemberton",
            born=(84, 1, 30),
            nhs_number="9997000390",
            search="Dorothy Pemberton",
            persona="gp_millbrook",
            purpose="GP_PACKAGE_CHECK",
            expected=("YES",),
        ),
        "package_ended": Story(
            title="An older patient whose package ended",
            shows="GP check: NO, which is not the same as NOT_REACHED.",
            subject="entwistle.harold",
            name="Harold Entwistle",
            born=(79, 8, 7),
            nhs_number="9997000404",
            search="Harold Entwistle",
            persona="gp_millbrook",
            purpose="GP_PACKAGE_CHECK",
            expected=("NO",),
        ),
        "package_objection": Story(
            title="An older patient who objected",
            shows="P20: an objection answers NOT_AVAILABLE, never a false no.",
            subject="castell.winifred",
            name="Winifred Castell",
            born=(81, 10, 16),
            nhs_number="9997000412",
            search="Winifred Castell",
            persona="gp_millbrook",
            purpose="GP_PACKAGE_CHECK",
            expected=("NOT_AVAILABLE",),
        ),
        "package_other_list": Story(
            title="A patient of the other practice",
            shows="P03: Millbrook may not ask about a patient of Harbourside; Harbourside gets YES.",
            subject="farrow.edwin",
            name="Edwin Farrow",
            born=(88, 4, 25),
            nhs_number="9997000420",
            search="Edwin Farrow",
            persona="gp_millbrook",
            purpose="GP_PACKAGE_CHECK",
            expected=("NOT_AVAILABLE for gp_millbrook", "YES for gp_harbourside"),
        ),
        "young_person_refuses": Story(
            title="A 16-year-old who says no",
            shows="P16: his own answer counts, his mother's yes does not.",
            subject="prendergast.callum",
            name="Callum Prendergast",
            born=(16, 7, 14),
            nhs_number="9997000447",
            search="Callum Prendergast",
            persona="family_keyworker",
            purpose="EARLY_HELP",
            expected=("Early help: refused (RECORD_REFUSAL). Only a recorded threshold and an override change that.",),
        ),
        "consent_withdrawn": Story(
            title="A family that changed its mind",
            shows="P10 and P15: agreed five months ago, withdrawn ten days ago, and bites at once.",
            subject="lockwood.theo",
            name="Theo Lockwood",
            born=(3, 12, 5),
            nhs_number="9997000315",
            search="Theo Lockwood",
            persona="family_keyworker",
            purpose="EARLY_HELP",
            expected=("Early help: refused; those who received something before are told (NOTIFY_RECIPIENTS).",),
        ),
        "early_help_agreed": Story(
            title="A family that agreed to early help",
            shows="P10: both the service agreement and the agreement to share are given, by the mother, for her child.",
            subject="ashby.ruby",
            name="Ruby Ashby",
            born=(8, 9, 23),
            nhs_number="9997000331",
            search="Ruby Ashby",
            persona="family_keyworker",
            purpose="EARLY_HELP",
            expected=("Early help: the agreed agencies answer, police was left out of the agreement.",),
        ),
        "lodger": Story(
            title="A lodger long gone",
            shows="P09: somebody who left four years ago is not part of the family picture.",
            subject="ravenscroft.poppy",
            name="Poppy Ravenscroft",
            born=(8, 5, 29),
            nhs_number="9997000374",
            search="Poppy Ravenscroft",
            persona="mash_social_worker",
            purpose="MASH_SCREENING",
            expected=("Gary Stubbington is at most a former member of the household; nothing about him is shown.",),
        ),
        "own_record": Story(
            title="A worker who looks himself up",
            shows="P33: conflict SELF, denied and in the queue of the information governance officer.",
            subject="brightwell.marcus",
            name="Marcus Brightwell",
            born=(38, 2, 3),
            nhs_number="9997000455",
            search="Marcus Brightwell",
            persona="worker_who_is_a_subject",
            purpose="MASH_SCREENING",
            expected=("Denied with IG_ALERT; the page does not say why.", "His son Jonah (9): RELATIVE, denied."),
        ),
    }
)
