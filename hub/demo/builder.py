"""Puts the demo county together, piece by piece, from one stream of chance.

For: stories (every detail said) and ordinary families (details drawn). Must never read a clock or depend on
the order of a set: the same seed and day give the same county. Ruled by the PUB01 and PUB02 drafts.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count
from random import Random

from hub.demo.addresses import Gazetteer
from hub.demo.model import (
    AGENCIES,
    AGENCY_CODES,
    NHS_NUMBER,
    Address,
    Agency,
    Contact,
    County,
    Happening,
    Identifier,
    Involvement,
    Name,
    Part,
    PartialDate,
    Person,
    PersonRelationship,
    Professional,
    Relation,
    Residence,
    SourceRecord,
    TruePerson,
    record_system,
)
from hub.demo.names import familiar, misspelt
from hub.demo.numbers import mobile, nhs_numbers
from hub.demo.workers import professionals
from policies.vocabulary import DataCategory, SubjectFlag

#: What the other person is, seen from the other side, by the sex code of the one who is then described.
INVERSE: Mapping[str, tuple[str, str]] = {
    "NMTH": ("SON", "DAU"),
    "NFTH": ("SON", "DAU"),
    "ADOPTM": ("SONADOPT", "DAUADOPT"),
    "ADOPTF": ("SONADOPT", "DAUADOPT"),
    "STPFTH": ("STPSON", "STPDAU"),
    "STPMTH": ("STPSON", "STPDAU"),
    "MGRMTH": ("GRNDSON", "GRNDDAU"),
    "MGRFTH": ("GRNDSON", "GRNDDAU"),
    "PGRMTH": ("GRNDSON", "GRNDDAU"),
    "PGRFTH": ("GRNDSON", "GRNDDAU"),
    "HUSB": ("HUSB", "WIFE"),
    "WIFE": ("HUSB", "WIFE"),
    "DOMPART": ("DOMPART", "DOMPART"),
    "FMRSPS": ("FMRSPS", "FMRSPS"),
    "ROOM": ("ROOM", "ROOM"),
    "NSIB": ("NBRO", "NSIS"),
    "HSIB": ("HBRO", "HSIS"),
    "FTWIN": ("FTWINBRO", "FTWINSIS"),
    "ITWIN": ("ITWINBRO", "ITWINSIS"),
    "SONC": ("FTH", "MTH"),
    "DAUC": ("FTH", "MTH"),
}
#: Who is told of a marker; the others' records do not carry it. A marker that is not here is known to all.
_KNOWS: Mapping[SubjectFlag, tuple[str, ...]] = {
    SubjectFlag.SHIELDED: ("csc", "police", "gp-millbrook", "gp-harbourside", "hv"),
    SubjectFlag.FLEEING_DA: ("csc", "police", "hv"),
    SubjectFlag.ADOPTED: ("csc",),
    SubjectFlag.CASE_LOCKED: ("csc",),
    SubjectFlag.OBJECTION: ("asc",),
}
#: Chance that an agency's record lacks the NHS number; police and housing systems have no such column.
_NO_NHS = {"csc": 0.35, "asc": 0.15, "police": 1.0, "gp-millbrook": 0.005, "gp-harbourside": 0.005} | {
    "hv": 0.03,
    "housing": 1.0,
    "sms": 0.4,
}
#: Agencies that have a reference of their own for a household or family.
_HOUSEHOLD_STYLE = {"csc": "F{:05d}", "hv": "FAM{:05d}", "housing": "T/{:06d}"}
_CHANCE_FAMILIAR, _CHANCE_TYPO_GIVEN, _CHANCE_TYPO_FAMILY = 0.09, 0.03, 0.03
_CHANCE_SWAPPED_DATE, _CHANCE_MAIDEN, _CHANCE_OLD_ADDRESS, _CHANCE_NO_MIDDLE = 0.015, 0.10, 0.10, 0.6
_CHANCE_NO_BIRTH_DATE = {"police": 0.05, "housing": 0.06, "csc": 0.02, "asc": 0.01}


def born_on(today: date, years: int, month: int, day: int) -> date:
    """Returns the birthday of somebody who is `years` old today and was born on that day of that month."""
    return date(today.year - years - ((month, day) > (today.month, today.day)), month, day)


def ago(today: date, *, years: float = 0, months: float = 0, days: float = 0) -> date:
    """Returns a day before today; a year is 365.25 days and a month a twelfth of it."""
    return today - timedelta(days=round(years * 365.25 + months * 30.4375 + days))


@dataclass(frozen=True, slots=True)
class Slips:
    """How one agency's record of somebody differs from the truth; nothing said means it does not."""

    given: tuple[str, ...] | None = None
    family: str | None = None
    preferred: str | None = None
    previous: str | None = None
    born: date | None = None
    no_birth: bool = False
    no_nhs: bool = False
    address: Address | None = None
    no_address: bool = False


#: Keys of people who are in no story begin with this.
ORDINARY = "ordinary:"


class Builder:
    """Everything said so far about the county; `county()` finishes it."""

    def __init__(self, *, seed: int, today: date) -> None:
        self.seed, self.today = seed, today
        self.rng = Random(f"thornshire {seed}")
        self.places = Gazetteer(Random(f"places {seed}"))
        self.people: dict[str, TruePerson] = {}
        self.relations: list[Relation] = []
        self.residences: list[Residence] = []
        self.families: dict[str, tuple[str, ...]] = {}
        self.workers = professionals()
        self.records: dict[tuple[str, str], SourceRecord] = {}
        self.truth: dict[tuple[str, str], str] = {}
        self.involvements: list[Involvement] = []
        self.happenings: list[Happening] = []
        self._lived: dict[str, list[Residence]] = {}
        self._of: dict[tuple[str, str], str] = {}
        self._households: dict[tuple[str, str], str] = {}
        self._agency: dict[str, Agency] = {agency.code: agency for agency in AGENCIES}
        # Story people keep their numbers whatever the seed; ordinary people get theirs from the seed.
        self._story_nhs = nhs_numbers(count(700_000))
        self._nhs = nhs_numbers(self.rng.sample(range(600_000), 8_000))
        self._story_ids: dict[str, Iterator[int]] = {code: count(9_001) for code in AGENCY_CODES}
        self._ids: dict[str, Iterator[int]] = {
            code: iter(self.rng.sample(range(1, 9_000), 8_999)) for code in AGENCY_CODES
        }
        self._story_mobiles, self._mobiles = count(0), iter(self.rng.sample(range(200, 1000), 800))
        self._serials: Counter[str] = Counter()
        self.story = True

    # -- the truth ------------------------------------------------------------------------------------

    def person(
        self,
        key: str,
        given: str,
        family: str,
        sex: str,
        born: date | None,
        *,
        ethnicity: str = "13",
        familiar_as: str | None = None,
        maiden: str | None = None,
        phone: bool = False,
        died: date | None = None,
        expected: date | None = None,
        flags: Iterable[SubjectFlag] = (),
    ) -> str:
        """Says that somebody exists; returns the key."""
        numbers = self._story_nhs if self.story else self._nhs
        mobiles = self._story_mobiles if self.story else self._mobiles
        serial = next(mobiles, None) if phone else None
        self.people[key] = TruePerson(
            key=key,
            given=tuple(given.split()),
            family=family,
            sex=sex,
            born=born,
            ethnicity=ethnicity,
            nhs_number=None if born is None else next(numbers),
            familiar=familiar_as,
            maiden=maiden,
            mobile=None if serial is None else mobile(serial),
            died=died,
            expected=expected,
            flags=frozenset(flags),
        )
        return key

    def live(self, household: str, address: Address, *people: str, since: date, until: date | None = None) -> None:
        """Says that people live, or lived, at an address as one household."""
        for person in people:
            residence = Residence(person, household, address, since, until)
            self.residences.append(residence)
            self._lived.setdefault(person, []).append(residence)

    def relate(self, person: str, code: str, of: str) -> None:
        """Says that one person is `code` of the other, and so what the other is of them."""
        inverse = INVERSE[code][0 if self.people[of].sex == "1" else 1]
        self.relations += [Relation(person, code, of), Relation(of, inverse, person)]

    def home(self, person: str) -> Residence:
        """Returns where somebody lives now: the latest residence without an end."""
        return next(r for r in reversed(self._lived[person]) if r.until is None)

    def age(self, person: str) -> int | None:
        """Returns completed years, or None before birth."""
        born = self.people[person].born
        if born is None:
            return None
        return self.today.year - born.year - ((self.today.month, self.today.day) < (born.month, born.day))

    # -- what the agencies hold -----------------------------------------------------------------------

    def worker(self, agency: str, which: int | None = None) -> Professional:
        """Returns a worker of the agency: the one with that number, or one by chance."""
        team = self.workers[agency]
        return team[which % len(team)] if which is not None else self.rng.choice(team)

    def slips(self, key: str, agency: str) -> Slips:
        """Draws how an ordinary record goes wrong."""
        rng, p = self.rng, self.people[key]
        first, *others = p.given
        if rng.random() < _CHANCE_FAMILIAR:
            first = familiar(rng, first)
        elif rng.random() < _CHANCE_TYPO_GIVEN:
            first = misspelt(rng, first)
        family = p.family
        former = p.maiden if p.maiden and rng.random() < 0.3 else None
        if p.maiden and rng.random() < _CHANCE_MAIDEN:
            family, former = p.maiden, None
        elif rng.random() < _CHANCE_TYPO_FAMILY:
            family = misspelt(rng, family)
        born = p.born
        if born and born.day <= 12 and rng.random() < _CHANCE_SWAPPED_DATE:
            born = date(born.year, born.day, born.month)
        old = None
        if rng.random() < _CHANCE_OLD_ADDRESS:
            old = next((r.address for r in self._lived[key] if r.until), None)
        return Slips(
            given=(first,) if rng.random() < _CHANCE_NO_MIDDLE else (first, *others),
            family=family,
            previous=former,
            born=born,
            no_birth=rng.random() < _CHANCE_NO_BIRTH_DATE.get(agency, 0.0),
            no_nhs=rng.random() < _NO_NHS[agency],
            address=old,
        )

    def record(
        self,
        key: str,
        agency: str,
        *,
        slips: Slips | None = None,
        since: date | None = None,
        until: date | None = None,
        reference: str | None = None,
        household: str | None = None,
        address: Address | None = None,
        again: bool = False,
    ) -> str:
        """Says that an agency holds a record of somebody; returns its id. A second call gives the same record.

        Takes `again` for a duplicate of somebody whom the agency already holds.
        """
        if not again and (key, agency) in self._of:
            return self._of[key, agency]
        slips = slips or (Slips(no_nhs=_NO_NHS[agency] == 1.0) if self.story else self.slips(key, agency))
        lived = list(reversed(self._lived.get(key, ())))
        residence = next((r for r in lived if r.until is None), lived[0] if lived else None)
        place = slips.address or address or (residence.address if residence else None)
        record = self._agency[agency].style.format(next((self._story_ids if self.story else self._ids)[agency]))
        home = household or (residence.household if residence else None)
        self.records[agency, record] = SourceRecord(
            agency=agency,
            record=record,
            person=_as_recorded(self.people[key], agency, slips, None if slips.no_address else place),
            household=self._household(agency, home),
            reference_relationship=reference,
            flags=frozenset(flag for flag in self.people[key].flags if agency in _KNOWS.get(flag, (agency,))),
            valid_from=since,
            valid_until=until,
        )
        self.truth[agency, record] = key
        self._of.setdefault((key, agency), record)
        return record

    def _household(self, agency: str, household: str | None) -> str | None:
        style = _HOUSEHOLD_STYLE.get(agency)
        if style is None or household is None:
            return None
        if (agency, household) not in self._households:
            self._serials[f"{agency} household"] += 1
            self._households[agency, household] = style.format(40_000 + self._serials[f"{agency} household"])
        return self._households[agency, household]

    def involve(
        self,
        key: str,
        agency: str,
        service: str,
        since: date,
        until: date | None = None,
        *,
        worker: Professional | None = None,
    ) -> None:
        """Says that a service of an agency is, or was, involved with somebody of whom it has a record."""
        self._serials[agency] += 1
        self.involvements.append(
            Involvement(
                agency=agency,
                record=self._of[key, agency],
                id=f"{agency}-inv-{self._serials[agency]:05d}",
                service=service,
                since=since,
                until=until,
                worker=worker or self.worker(agency),
            )
        )

    def happen(
        self,
        agency: str,
        category: DataCategory,
        type_: str,
        parts: Mapping[str, str] | str,
        started: date,
        ended: date | None = None,
        *,
        form: str = "ServiceEpisode",
        worker: Professional | None = None,
        **details: str,
    ) -> None:
        """Says that an agency holds a service episode or a life event about somebody it has a record of.

        Takes one key, or keys with each person's part in the agency's words (victim, suspect, witness).
        """
        self._serials[f"{agency} happening"] += 1
        words = {parts: "subject"} if isinstance(parts, str) else parts
        self.happenings.append(
            Happening(
                id=f"{agency}-{self._serials[f'{agency} happening']:05d}",
                agency=agency,
                category=category,
                form=form,
                type=type_,
                parts=tuple(
                    Part(self._of[key, agency], "WIT" if word == "witness" else "SBJ", word)
                    for key, word in words.items()
                ),
                started=started,
                ended=ended,
                worker=worker or self.worker(agency),
                details=details,
            )
        )

    def county(self) -> County:
        """Finishes: ties the records of one agency to each other as that agency states it, and freezes."""
        self._state_relationships()
        self._involve_the_rest()
        return County(
            today=self.today,
            seed=self.seed,
            people=self.people,
            relations=tuple(self.relations),
            residences=tuple(self.residences),
            families=self.families,
            professionals=tuple(w for team in self.workers.values() for w in team),
            records=tuple(self.records.values()),
            truth=self.truth,
            involvements=tuple(self.involvements),
            happenings=tuple(self.happenings),
        )

    def _state_relationships(self) -> None:
        """Each agency states only what its system has a place for, and not always that."""
        rng = Random(f"stated {self.seed}")
        stated: dict[tuple[str, str], list[PersonRelationship]] = {}
        for relation in self.relations:
            fixed = not relation.of.startswith(ORDINARY)
            for agency, kinds in _STATES.items():
                if relation.code not in kinds or not (fixed or rng.random() < kinds[relation.code]):
                    continue
                other, one = self._of.get((relation.person, agency)), self._of.get((relation.of, agency))
                if other and one:
                    tie = PersonRelationship(Identifier(other, record_system(agency)), (relation.code,))
                    stated.setdefault((agency, one), []).append(tie)
        for at, ties in stated.items():
            known = self.records[at]
            self.records[at] = replace(known, person=replace(known.person, related=tuple(ties)))

    def _involve_the_rest(self) -> None:
        """Whoever has a record but no service of their own is named in somebody else's, or in what happened."""
        served = {(i.agency, i.record) for i in self.involvements}
        until_of: dict[tuple[str, str], list[date | None]] = {}
        for involvement in self.involvements:
            until_of.setdefault((involvement.agency, involvement.record), []).append(involvement.until)
        happened: dict[tuple[str, str], list[Happening]] = {}
        for happening in self.happenings:
            for part in happening.parts:
                happened.setdefault((happening.agency, part.record), []).append(happening)
        named: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for at, record in self.records.items():
            for tie in record.person.related:
                named.setdefault((at[0], tie.identifier.value), []).append(at)
        for at, record in self.records.items():
            if at in served or record.agency not in _NAMED_AS:
                continue
            own = happened.get(at, [])
            since = min([h.started for h in own], default=record.valid_from or self.today)
            ends = [h.ended for h in own] or [u for other in named.get(at, ()) for u in until_of.get(other, ())]
            until = record.valid_until
            if until is None and ends and None not in ends:
                until = max(end for end in ends if end)
            self._serials[record.agency] += 1
            worker = own[-1].worker if own else self.workers[record.agency][0]
            self.involvements.append(
                Involvement(
                    agency=record.agency,
                    record=record.record,
                    id=f"{record.agency}-inv-{self._serials[record.agency]:05d}",
                    service=worker.team if own and record.agency != "police" else _NAMED_AS[record.agency],
                    since=since,
                    until=until if until is None or until >= since else since,
                    worker=worker,
                )
            )


#: What the known-to matrix says of somebody whom an agency has a record of without serving them.
_NAMED_AS = {
    "csc": "Named as parent or relative",
    "asc": "Named as carer or relative",
    "police": "Named in incidents",
    "hv": "Mother of a child on the caseload",
    "housing": "Household member",
}

#: Agency -> relationship that its system has a place for -> chance that the place is filled in.
_STATES: Mapping[str, Mapping[str, float]] = {
    "csc": {"NMTH": 0.95, "NFTH": 0.7, "ADOPTM": 1.0, "ADOPTF": 1.0, "STPFTH": 0.4, "DOMPART": 0.6, "MGRMTH": 0.5},
    "asc": {"DAUC": 0.7, "SONC": 0.6, "HUSB": 0.8, "WIFE": 0.8, "DAU": 0.7, "SON": 0.6},
    "gp-millbrook": {"NMTH": 0.5, "NFTH": 0.25, "ADOPTM": 1.0, "ADOPTF": 1.0},
    "gp-harbourside": {"NMTH": 0.5, "NFTH": 0.25, "ADOPTM": 1.0, "ADOPTF": 1.0},
    "hv": {"NMTH": 0.97, "ADOPTM": 1.0},
}


def _as_recorded(p: TruePerson, agency: str, slips: Slips, place: Address | None) -> Person:
    given = slips.given or p.given
    family = slips.family or p.family
    names = [Name((family,), given, preferred=slips.preferred or p.familiar, use="official")]
    if slips.previous:
        names.append(Name((slips.previous,), (given[0],), use="maiden"))
    born = slips.born or p.born
    nhs = p.nhs_number if not slips.no_nhs else None
    return Person(
        identifiers=(Identifier(nhs, NHS_NUMBER),) if nhs else (),
        names=tuple(names),
        date_of_birth=PartialDate(born) if born and not slips.no_birth else None,
        is_deceased=True if p.died else None,
        deceased_date=PartialDate(p.died) if p.died else None,
        addresses=(place,) if place else (),
        contacts=(Contact(telephone=(p.mobile,)),) if p.mobile else (),
        sex_code=p.sex,
        ethnicity_code=p.ethnicity if agency in ("csc", "asc", "hv", "sms") else None,
    )
