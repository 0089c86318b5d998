"""The invented county: nobody in it can be anybody, and it is the same county every time."""

import re
import sqlite3
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from hub.demo.consents import consents, decisions
from hub.demo.county import build_county
from hub.demo.drops import DROPS
from hub.demo.files import write_county
from hub.demo.model import AGENCIES, NHS_NUMBER, County
from hub.demo.numbers import is_demo_nhs_number, nhs_check_digit
from hub.demo.personas import PERSONAS
from hub.demo.stories import STORIES
from policies.vocabulary import ConsentKind, ConsentState, Purpose, SubjectFlag

#: Every postcode area of the United Kingdom and the Crown dependencies (Royal Mail, 124 areas).
_AREAS = """
AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH EN EX FK FY G GL GU
GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE
PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV
YO ZE
"""
REAL_AREAS = frozenset(_AREAS.split())


def everything_written(folder: Path) -> Iterator[tuple[str, str]]:
    """Every text that a partner of the demonstration could show to anybody."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".csv", ".toml", ".json"):
            yield path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8", errors="replace")
    with sqlite3.connect(folder / "police.sqlite") as database:
        yield "police.sqlite", "\n".join(database.iterdump())
    database.close()


# -- nobody can be anybody ------------------------------------------------------------------------------


def test_no_postcode_is_in_a_real_area(county: County, written: Path) -> None:
    postcodes = [r.address.postcode or "" for r in county.residences]
    assert all(re.fullmatch(r"TH[1-9] [1-9][ABD-HJLNP-UW-Z]{2}", p) for p in postcodes)
    assert "TH" not in REAL_AREAS
    assert len(REAL_AREAS) == 124
    for name, text in everything_written(written):
        for area in re.findall(r"\b([A-Z]{1,2})[0-9][0-9A-Z]? [0-9][ABD-HJLNP-UW-Z]{2}\b", text):
            assert area not in REAL_AREAS, name


def test_every_nhs_number_is_a_test_number_with_its_check_digit(county: County, written: Path) -> None:
    numbers = [p.nhs_number for p in county.people.values() if p.nhs_number]
    assert len(numbers) == len(set(numbers)) > 1500
    held = [n for r in county.records if (n := r.person.identifier(NHS_NUMBER))]
    assert all(is_demo_nhs_number(n) for n in (*numbers, *held))
    for name, text in everything_written(written):
        assert all(is_demo_nhs_number(n) for n in re.findall(r"(?<![\d.-])\d{10}(?![\d.])", text)), name


def test_every_telephone_number_is_kept_for_drama(written: Path) -> None:
    seen = 0
    for name, text in everything_written(written):
        for number in re.findall(r"(?<![\d/.])0\d{4} ?\d{6}\b|\+44[\d ]+", text):
            seen += 1
            assert re.fullmatch(r"01632 960\d{3}|07700 900\d{3}", number), name
    assert seen > 1000


@pytest.mark.parametrize("wrong", ["9990000000", "9990000012", "4505577104", "999000001", "99900000180", "999000001X"])
def test_a_number_that_is_not_for_tests_is_recognised(wrong: str) -> None:
    assert not is_demo_nhs_number(wrong)


def test_a_check_digit_of_ten_does_not_exist() -> None:
    assert nhs_check_digit("999000001") == 8
    assert None in {nhs_check_digit(f"99900{n:04d}") for n in range(30)}


# -- the same county every time -------------------------------------------------------------------------


def test_the_same_seed_and_day_give_the_same_bytes(tmp_path: Path, county: County) -> None:
    for name, made in (("one", county), ("two", build_county(today=county.today))):
        write_county(made, tmp_path / name, ports={"sms": 8080})
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*") if p.is_file())
    assert len(files) > 25
    for file in files:
        one, two = (tmp_path / "one" / file).read_bytes(), (tmp_path / "two" / file).read_bytes()
        assert one.replace(b"/one/", b"/two/") == two, file


def test_another_seed_gives_other_people_but_the_same_stories(county: County) -> None:
    other = build_county(7, today=county.today)
    assert {p.nhs_number for p in other.people.values()} != {p.nhs_number for p in county.people.values()}
    for story in STORIES.values():
        assert other.people[story.subject] == county.people[story.subject]


def test_building_and_writing_takes_less_than_eight_seconds(tmp_path: Path) -> None:
    begun = time.monotonic()
    write_county(build_county(today=date(2026, 1, 2)), tmp_path, ports={})
    assert time.monotonic() - begun < 8


@pytest.mark.parametrize("today", [date(2024, 2, 29), date(2027, 1, 1), date(2031, 12, 31)])
def test_ages_and_dates_make_sense_on_any_day(today: date) -> None:
    county = build_county(today=today)
    for story in STORIES.values():
        assert county.people[story.subject].born == story.date_of_birth(today)
    for relation in county.relations:
        parent, child = county.people[relation.person], county.people[relation.of]
        if relation.code in ("NMTH", "NFTH") and parent.born and child.born:
            assert 13 <= (child.born - parent.born).days / 365.25 <= 70
    for happening in county.happenings:
        assert happening.started <= today
        assert happening.ended is None or happening.started <= happening.ended <= today
    for involvement in county.involvements:
        assert involvement.since <= today
        assert involvement.until is None or involvement.since <= involvement.until <= today
    assert all(p.born is None or p.born <= today for p in county.people.values())


# -- a county worth showing -----------------------------------------------------------------------------


def test_there_are_enough_families_and_people(county: County) -> None:
    assert len(county.families) >= 300
    assert len(county.people) >= 1500
    assert {r.agency for r in county.records} == {a.code for a in AGENCIES}
    assert len({r.household for r in county.residences if r.until is None}) > 300


def test_every_record_is_about_somebody_and_every_happening_about_a_record(county: County) -> None:
    known = {(r.agency, r.record) for r in county.records}
    assert known == set(county.truth)
    assert len(known) == len(county.records)
    assert set(county.truth.values()) <= set(county.people)
    assert {(i.agency, i.record) for i in county.involvements} == known
    assert {(h.agency, part.record) for h in county.happenings for part in h.parts} <= known


def test_agencies_make_the_slips_that_agencies_make(county: County) -> None:
    slips = dict.fromkeys(("given", "family", "birth", "no birth", "no number", "old address"), 0)
    for record in county.records:
        true, name = county.people[county.truth[record.agency, record.record]], record.person.names[0]
        slips["given"] += name.given[0] != true.given[0]
        slips["family"] += name.family[0] != true.family
        born = record.person.date_of_birth
        slips["birth"] += bool(born and born.date != true.born)
        slips["no birth"] += bool(true.born and not born)
        slips["no number"] += record.person.identifier(NHS_NUMBER) is None
        homes = [r.address for r in county.residences if r.person == true.key and r.until is None]
        slips["old address"] += bool(homes and record.person.addresses[:1] != (homes[-1],))
    assert all(count >= 15 for count in slips.values()), slips


def test_no_file_says_who_a_record_is_really_about(written: Path, county: County) -> None:
    keys = [key for key in county.people if "." in key]
    for name, text in everything_written(written):
        assert "ordinary:" not in text, name
        assert not any(key in text for key in keys), name


# -- the stories ----------------------------------------------------------------------------------------

EXPECTED_STORIES = {
    "showcase", "twins", "half_siblings", "unborn", "shielded", "adopted", "open_case", "package_current",
    "package_ended", "package_objection", "package_other_list", "young_person_refuses", "consent_withdrawn",
    "early_help_agreed", "lodger", "own_record",
}  # fmt: skip


def test_every_story_is_there_and_says_what_is_so(county: County) -> None:
    assert set(STORIES) == EXPECTED_STORIES
    for story in STORIES.values():
        person = county.people[story.subject]
        assert person.nhs_number == story.nhs_number
        assert person.born == story.date_of_birth(county.today)
        assert story.name == f"{person.given[0]} {person.family}"
        assert person.family.split()[-1] in story.search
        assert story.persona in PERSONAS
        assert Purpose(story.purpose)
        assert story.expected
        assert county.records_of(story.subject)


def test_nobody_else_in_the_county_has_the_name_of_a_story(county: County) -> None:
    families = {p.family for p in county.people.values() if not p.key.startswith("ordinary:")}
    assert not families & {p.family for p in county.people.values() if p.key.startswith("ordinary:")}


def test_the_showcase_family_is_known_to_all_seven_kinds_of_agencies(county: County) -> None:
    family = county.families["tarrant"]
    assert len(family) == 6
    known = {r.agency for key in family for r in county.records_of(key)}
    assert known == {a.code for a in AGENCIES}
    own = {(r.agency, r.record) for key in family for r in county.records_of(key)}
    started = [h.started for h in county.happenings if any((h.agency, p.record) in own for p in h.parts)]
    assert (max(started) - min(started)).days > 5 * 365
    words = {p.words for h in county.happenings for p in h.parts if (h.agency, p.record) in own}
    assert {"victim", "suspect", "witness", "missing"} <= words
    births = {r.person.date_of_birth.date for r in county.records_of("tarrant.maisie") if r.person.date_of_birth}
    assert len(births) == 2
    assert {r.person.names[0].given[0] for r in county.records_of("tarrant.maisie")} == {"Maisie", "Maisy"}


def test_twins_share_a_birthday_and_an_address_and_nothing_else(county: County) -> None:
    tiwa, tayo = county.people["adeleke.tiwa"], county.people["adeleke.tayo"]
    assert tiwa.born == tayo.born
    assert tiwa.nhs_number != tayo.nhs_number
    assert not county.records_of("adeleke.tayo", "csc")


def test_the_unborn_child_has_no_date_of_birth_anywhere(county: County) -> None:
    for record in county.records_of("whitcombe.baby"):
        assert record.person.date_of_birth is None
        assert record.person.identifier(NHS_NUMBER) is None
        assert SubjectFlag.UNBORN in record.flags
    expected = county.people["whitcombe.baby"].expected
    assert expected is not None
    assert expected > county.today


def test_the_shielded_address_is_held_only_by_those_who_need_it(county: County, written: Path) -> None:
    holders = {name.split("/")[1] for name, text in everything_written(written) if "6 Shearwater Court" in text}
    assert holders == {"csc", "gp-harbourside", "hv"}
    for key in ("zielonka.nadia", "zielonka.filip"):
        assert all(SubjectFlag.SHIELDED in r.flags for r in county.records_of(key) if r.agency != "housing")
    assert county.records_of("zielonka.marek", "police")
    assert county.records_of("zielonka.marek", "housing")


def test_nothing_ties_the_adopted_child_to_the_birth_identity(county: County) -> None:
    isla, birth = (county.record_of(key, "csc") for key in ("fairweather.isla", "dunmore.kayleigh"))
    records = {r.record: r for r in county.records if r.agency == "csc"}
    assert SubjectFlag.CASE_LOCKED in records[birth].flags
    assert SubjectFlag.ADOPTED in records[isla].flags & records[birth].flags
    assert records[isla].person.identifiers != records[birth].person.identifiers
    ties = {tie.identifier.value for r in (records[isla], records[birth]) for tie in r.person.related}
    assert not {isla, birth} & ties
    assert records[isla].household != records[birth].household


def test_the_lodger_left_before_the_family_was_looked_at(county: County) -> None:
    (record,) = county.records_of("ravenscroft.gary", "housing")
    (child,) = county.records_of("ravenscroft.poppy", "housing")
    assert record.household == child.household
    assert record.valid_until is not None
    assert record.valid_until < county.today


def test_consents_name_people_only_by_agency_record_ids(county: County) -> None:
    known = {(r.agency, r.record) for r in county.records}
    documents = consents(county)
    for document in documents:
        for ref in (document.subject, document.giver, *(document.persons or ())):
            assert (ref.agency, ref.record) in known
        assert document.given_at.date() < county.today
        assert set(document.as_json()["scope"]) == {"persons", "agencies", "categories", "purposes"}
    assert all((d.subject.agency, d.subject.record) in known for d in decisions(county))
    withdrawn = [d for d in documents if d.story == "consent_withdrawn"]
    assert {d.kind for d in withdrawn} == {ConsentKind.SERVICE_AGREEMENT, ConsentKind.CONFIDENTIALITY}
    assert all(d.state == ConsentState.WITHDRAWN and d.withdrawn_at for d in withdrawn)
    given = {d.kind for d in documents if d.story == "early_help_agreed" and d.state == ConsentState.GIVEN_EXPLICIT}
    assert given == {ConsentKind.SERVICE_AGREEMENT, ConsentKind.CONFIDENTIALITY}
    refusals = [d for d in documents if d.story == "young_person_refuses" and d.state == ConsentState.REFUSED]
    assert refusals[0].subject == refusals[0].giver


def test_practices_drop_identities_only_and_fresh_tide_drops_nothing() -> None:
    assert "sms" not in DROPS
    assert [drop.name for drop in DROPS["gp-millbrook"]] == ["people.csv"]
