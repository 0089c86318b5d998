"""What the radar asks about, what it lets pass, and how much it finds in a small made-up year."""

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest

from hub.radar import (
    Asked,
    EnquiryFacts,
    Finding,
    Known,
    PersonFacts,
    Radar,
    Read,
    ReadKind,
    Relation,
    Signal,
    Timing,
    UserFacts,
    explain,
    under_sharing,
    usual_per_day,
)
from hub.radar.trial import measure
from policies.vocabulary import Role

TUESDAY = datetime(2026, 3, 3, 10, tzinfo=UTC)
EIDS = count(1)
FAMILY = frozenset({"PE-child", "PE-mother"})
OWN = EnquiryFacts("csc", "US-worker", TUESDAY - timedelta(days=2), None, FAMILY, "why", frozenset({"US-worker"}))
WORKER = UserFacts(own=frozenset({"PE-me"}), family=frozenset({"PE-sister"}))


def look(**more: object) -> Read:
    read = Read(
        eid=f"{next(EIDS):032x}",
        at=TUESDAY,
        user="US-worker",
        agency="csc",
        role=Role.SOCIAL_WORKER,
        kind=ReadKind.VIEW,
        purpose="MASH_SCREENING",
        enquiry="EN-1",
        persons=FAMILY,
    )
    return replace(read, **more)  # type: ignore[arg-type]


def known(**more: object) -> Known:
    return replace(Known(users={"US-worker": WORKER}, enquiries={"EN-1": OWN}), **more)  # type: ignore[arg-type]


def signals(reads: list[Read], facts: Known | None = None) -> list[Signal]:
    radar = Radar(facts or known())
    return [finding.signal for read in reads for finding in radar.feed(read)[1]]


# --- what needs nobody -----------------------------------------------------------------------------------------


def test_a_look_in_an_open_enquiry_of_ones_own_in_office_hours_needs_nobody() -> None:
    explanation, found = Radar(known()).feed(look())
    assert found == ()
    assert explanation.is_whole
    assert (explanation.relation, explanation.timing) == (Relation.OWN_ENQUIRY, Timing.OFFICE_HOURS)


@pytest.mark.parametrize(
    ("read", "facts", "relation"),
    [
        (look(), known(users={"US-worker": UserFacts(caseload=FAMILY)}), Relation.CASELOAD),
        (look(user="US-other"), known(), Relation.TEAM_ENQUIRY),
        (look(agency="police"), known(), None),
        (look(at=OWN.opened_at - timedelta(minutes=1)), known(), None),
        (look(persons=frozenset({"PE-stranger"})), known(), None),
        (look(kind=ReadKind.SEARCH, persons=frozenset({"PE-stranger"})), known(), Relation.OWN_ENQUIRY),
        (look(enquiry=None), known(), None),
        (look(enquiry=None, kind=ReadKind.CHECK, persons=frozenset()), known(), Relation.REGISTERED_LIST),
        (
            look(enquiry=None, kind=ReadKind.CHECK, agency="gp"),
            known(persons={"PE-child": PersonFacts(registered=frozenset({"gp"}))}),
            Relation.REGISTERED_LIST,
        ),
        (look(enquiry=None, kind=ReadKind.CHECK, agency="gp"), known(), None),
    ],
)
def test_what_ties_the_work_to_the_person(read: Read, facts: Known, relation: Relation | None) -> None:
    assert explain(read, facts).relation == relation


@pytest.mark.parametrize(
    ("at", "rota", "role", "timing"),
    [
        (TUESDAY, None, Role.SOCIAL_WORKER, Timing.OFFICE_HOURS),
        (TUESDAY, False, Role.SOCIAL_WORKER, None),  # On leave, says the rota.
        (TUESDAY.replace(hour=2), None, Role.SOCIAL_WORKER, None),
        (TUESDAY.replace(hour=2), True, Role.SOCIAL_WORKER, Timing.ON_SHIFT),
        (TUESDAY.replace(hour=2), None, Role.EDT_WORKER, Timing.ROUND_THE_CLOCK),
        (TUESDAY.replace(hour=2), False, Role.EDT_WORKER, None),
        (datetime(2026, 3, 7, 10, tzinfo=UTC), None, Role.SOCIAL_WORKER, None),  # A Saturday.
        (datetime(2026, 4, 6, 10, tzinfo=UTC), None, Role.SOCIAL_WORKER, None),  # Easter Monday.
        (datetime(2026, 7, 7, 18, 30, tzinfo=UTC), None, Role.SOCIAL_WORKER, Timing.OFFICE_HOURS),  # 19:30 in London.
    ],
)
def test_what_explains_the_hour(at: datetime, rota: bool | None, role: Role, timing: Timing | None) -> None:
    assert explain(look(at=at, role=role), known(rota=lambda user, at: rota)).timing == timing


def test_whoever_holds_the_case_may_work_on_it_at_the_weekend_but_not_by_night_or_against_the_rota() -> None:
    holds = known(users={"US-worker": UserFacts(caseload=FAMILY)})
    saturday = datetime(2026, 3, 7, 10, tzinfo=UTC)
    assert explain(look(at=saturday), holds).timing == Timing.THEIR_CASE
    assert explain(look(at=saturday.replace(hour=3)), holds).timing is None
    assert explain(look(at=saturday), replace(holds, rota=lambda user, at: False)).timing is None


def test_who_long_works_early_is_not_asked_again_and_work_of_the_day_may_be_finished_at_night() -> None:
    mornings = [look(at=datetime(2026, 3, day, 5, tzinfo=UTC)) for day in range(3, 24) if day % 7 > 1]
    found = signals(mornings, known(enquiries={"EN-1": replace(OWN, opened_at=TUESDAY - timedelta(days=9))}))
    assert len(found) == 10
    assert signals([look(), look(at=TUESDAY.replace(hour=21))]) == []
    assert signals([look(), look(at=TUESDAY.replace(hour=23, minute=30))]) == [Signal.OUT_OF_HOURS]


# --- ties ------------------------------------------------------------------------------------------------------

SMITH, HOME = frozenset({"S1"}), frozenset({"A1"})


@pytest.mark.parametrize(
    ("read", "user", "person", "signal"),
    [
        (look(persons=FAMILY | {"PE-me"}), WORKER, PersonFacts(), Signal.SELF),
        (look(persons=FAMILY | {"PE-sister"}), WORKER, PersonFacts(), Signal.RELATIVE),
        (look(), UserFacts(addresses=HOME), PersonFacts(addresses=HOME), Signal.SAME_ADDRESS),
        (look(), UserFacts(surnames=SMITH), PersonFacts(surnames=SMITH), Signal.SAME_SURNAME),
        (look(), UserFacts(), PersonFacts(staff_of=frozenset({"csc"})), Signal.COLLEAGUE),
        (look(), UserFacts(), PersonFacts(vip=True), Signal.VIP),
        # The closest tie is told, the others are of the same look.
        (look(), UserFacts(addresses=HOME, surnames=SMITH), PersonFacts(SMITH, HOME), Signal.SAME_ADDRESS),
        # Nothing to ask about.
        (look(), UserFacts(), PersonFacts(staff_of=frozenset({"police"})), None),
        (look(), UserFacts(surnames=SMITH), PersonFacts(surnames=frozenset({"S2"})), None),
        (look(), UserFacts(surnames=SMITH, caseload=FAMILY), PersonFacts(surnames=SMITH), None),
        (look(), UserFacts(caseload=FAMILY), PersonFacts(vip=True, staff_of=frozenset({"csc"})), None),
        (look(kind=ReadKind.SEARCH), UserFacts(surnames=SMITH), PersonFacts(surnames=SMITH), None),
        # But whose case it is does not make a home or a relative somebody else's.
        (look(), UserFacts(addresses=HOME, caseload=FAMILY), PersonFacts(addresses=HOME), Signal.SAME_ADDRESS),
        (look(persons=FAMILY | {"PE-me"}), replace(WORKER, caseload=FAMILY), PersonFacts(), Signal.SELF),
        (look(kind=ReadKind.SEARCH, persons=frozenset({"PE-me"})), WORKER, PersonFacts(), Signal.SELF),
        (look(kind=ReadKind.SEARCH, persons=FAMILY | {"PE-me"}), WORKER, PersonFacts(), None),
    ],
)
def test_the_closest_tie_of_a_look(read: Read, user: UserFacts, person: PersonFacts, signal: Signal | None) -> None:
    facts = known(users={"US-worker": user}, persons={"PE-child": person})
    assert signals([read], facts) == ([signal] if signal else [])


def test_a_colleagues_enquiry_does_not_explain_a_tie() -> None:
    facts = known(users={"US-cousin": UserFacts(surnames=SMITH)}, persons={"PE-child": PersonFacts(surnames=SMITH)})
    assert signals([look(user="US-cousin")], facts) == [Signal.SAME_SURNAME]


# --- sequences and habits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("closed", "found"),
    [
        (TUESDAY + timedelta(hours=1), []),
        (TUESDAY - timedelta(hours=2), []),
        (TUESDAY - timedelta(days=1), []),  # Written up within a working day.
        (TUESDAY - timedelta(days=4), [Signal.AFTER_CLOSURE]),  # Closed on Friday: until Monday.
        (TUESDAY - timedelta(days=20), [Signal.AFTER_CLOSURE]),
    ],
)
def test_a_look_after_the_end_of_an_enquiry(closed: datetime, found: list[Signal]) -> None:
    facts = known(enquiries={"EN-1": replace(OWN, opened_at=TUESDAY - timedelta(days=30), closed_at=closed)})
    assert signals([look()], facts) == found


def test_refused_and_then_retried_with_another_purpose() -> None:
    refused = look(kind=ReadKind.REFUSED, shows=False, purpose="EARLY_HELP")
    alone = replace(OWN, workers=frozenset())
    facts = known(enquiries={"EN-1": alone, "EN-2": alone})
    later = TUESDAY + timedelta(hours=2)
    assert signals([refused, look(at=later, enquiry="EN-2", purpose="S47_ENQUIRY")], facts) == [Signal.RETRIED_PURPOSE]
    assert signals([refused, look(at=later, enquiry="EN-2", purpose="EARLY_HELP")], facts) == []
    much_later = look(at=TUESDAY + timedelta(days=6), enquiry="EN-2", purpose="S47_ENQUIRY")
    assert signals([refused, much_later], facts) == []
    together = replace(alone, workers=frozenset({"US-manager"}))
    both = known(enquiries={"EN-1": alone, "EN-2": together})
    assert signals([refused, look(at=later, enquiry="EN-2", purpose="S47_ENQUIRY")], both) == []


def enquiries_of(number: int, **more: object) -> dict[str, EnquiryFacts]:
    return {f"EN-{n}": replace(OWN, **more) for n in range(number)}  # type: ignore[arg-type]


@pytest.mark.parametrize(("occasions", "usual", "asked"), [(25, 0, 0), (26, 0, 1), (60, 20, 0), (61, 20, 1)])
def test_more_occasions_than_a_busy_day_explains(occasions: int, usual: float, asked: int) -> None:
    facts = known(enquiries=enquiries_of(occasions, reason=""), usual={Role.SOCIAL_WORKER: usual})
    reads = [look(enquiry=f"EN-{n}", at=TUESDAY + timedelta(minutes=n)) for n in range(occasions)]
    # However often one enquiry is looked at, it is one occasion.
    reads += [look(enquiry="EN-0", at=TUESDAY + timedelta(hours=2, minutes=n)) for n in range(30)]
    assert len(set(signals(reads, facts))) == asked


def test_a_weekly_ward_round_is_usual_for_whoever_has_one() -> None:
    def rounds(weeks: int) -> Iterator[Read]:
        for week in range(weeks):
            for day in range(5):
                for number in range(45 if day == 0 else 5):
                    at = TUESDAY + timedelta(weeks=week, days=day, minutes=number)
                    yield look(at=at, enquiry=None, kind=ReadKind.CHECK, persons=frozenset({f"PE-{number}"}))

    usual = {Role.SOCIAL_WORKER: 12.0}
    listed = {f"PE-{n}": PersonFacts(registered=frozenset({"csc"})) for n in range(45)}
    radar = Radar(known(usual=usual, persons=listed))
    weeks_asked = {f.once[-1] for read in rounds(8) for f in radar.feed(read)[1] if f.signal == Signal.VOLUME}
    assert len(weeks_asked) <= 2, "asked about at first, not every week"


def test_usual_is_what_nine_of_ten_days_stay_at_or_below() -> None:
    days = [(Role.SOCIAL_WORKER, n) for n in range(1, 21)] + [(Role.DSL, 9)] * 9
    assert usual_per_day(days) == {Role.SOCIAL_WORKER: 18.0}


def test_the_third_emergency_of_a_month_is_asked_about_and_the_night_team_has_more() -> None:
    reads = [look(kind=ReadKind.EMERGENCY, at=TUESDAY + timedelta(days=n * 7)) for n in range(3)]
    assert signals(reads[:2]) == []
    assert signals(reads) == [Signal.REPEATED_EMERGENCY]
    assert signals([replace(read, role=Role.EDT_WORKER) for read in reads]) == []
    rare = [look(kind=ReadKind.EMERGENCY, at=TUESDAY + timedelta(days=n * 20)) for n in range(4)]
    assert Signal.REPEATED_EMERGENCY not in signals([r for r in rare if r.local.weekday() < 5])


def test_the_same_reason_for_ten_enquiries_of_ones_own() -> None:
    facts = known(enquiries=enquiries_of(10))
    reads = [look(enquiry=f"EN-{n}", at=TUESDAY + timedelta(minutes=n)) for n in range(10)]
    assert signals(reads[:9] * 2, facts) == []
    assert signals(reads, facts) == [Signal.BOILERPLATE]
    theirs = known(enquiries=enquiries_of(10, opened_by="US-other"))
    assert signals(reads, theirs) == []


def test_searches_that_lead_to_no_look_at_a_case() -> None:
    found = frozenset({"PE-a", "PE-b", "PE-c"})
    searches = [look(kind=ReadKind.SEARCH, persons=found, at=TUESDAY + timedelta(minutes=n)) for n in range(12)]
    assert signals(searches[:11]) == []
    assert signals(searches) == [Signal.SEARCH_WITHOUT_VIEW]
    views = [look(enquiry=f"EN-{n}", at=TUESDAY) for n in range(3)]
    assert signals([*views, *searches], known(enquiries=enquiries_of(3, reason=""))) == []


@pytest.mark.parametrize(
    ("now", "past", "asked"),
    [
        (Asked(100, 40, 0), (Asked(100, 4, 0),) * 3, True),
        (Asked(100, 10, 30), (Asked(100, 4, 0),) * 3, True),
        (Asked(100, 29, 0), (Asked(100, 4, 0),) * 3, False),  # Not three in ten.
        (Asked(19, 19, 0), (Asked(100, 4, 0),) * 3, False),  # Too few to say anything.
        (Asked(100, 40, 0), (Asked(100, 35, 0),) * 3, False),  # So it has always been; asked once, when it began.
        (Asked(100, 60, 0), (Asked(100, 4, 0), Asked(100, 70, 0), Asked(100, 5, 0)), True),
        (Asked(100, 60, 0), (), True),
    ],
)
def test_an_agency_that_answers_far_less_than_others_and_than_before(
    now: Asked, past: tuple[Asked, ...], asked: bool
) -> None:
    others = {"csc": Asked(300, 9, 0), "hv": Asked(200, 8, 0), "housing": Asked(100, 7, 1)}
    found = under_sharing(date(2026, 3, 1), {**others, "police": now}, {"police": past}, at=TUESDAY)
    assert [f.agency for f in found] == (["police"] if asked else [])
    assert all(f.user is None and f.person is None for f in found)


# --- all of it -------------------------------------------------------------------------------------------------


def test_a_finding_has_no_place_for_words_about_anybody() -> None:
    assert {f.name for f in fields(Finding)} == {
        "signal", "at", "user", "agency", "reads", "once", "person", "enquiry", "count",
    }  # fmt: skip


def test_in_a_small_year_nearly_all_seeded_misuse_is_found_and_few_are_bothered() -> None:
    year = measure(42, scale=0.08, per_day=9, days=120, each=2)
    assert year.seeded.total() == 28
    assert year.recall >= 0.9
    assert year.alert_share <= 0.04  # Of a small county, in which everybody is somebody's colleague.
    assert year.explained_share >= 0.98
