"""The columns of every file that a partner of the demo county drops, each in its own dialect.

For: extracts that differ as real ones do, in column names, date formats, codes and encodings. Must never drop
more than the partner's agreement covers: the practices drop identities only, Fresh Tide drops nothing. A few
rows are broken on purpose, so that the report back to the partner has something to say.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from hub.demo.model import NHS_NUMBER, County, Happening, Involvement, SourceRecord
from policies.vocabulary import DataCategory as Cat

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drop:
    """One file: its name, its columns, how its rows are made, and rows that must be rejected."""

    name: str
    columns: Row
    rows: Callable[[County], Iterator[Row]]
    broken: tuple[Row, ...] = ()
    encoding: str = "utf-8"


def _columns(names: str) -> Row:
    return tuple(names.split())


def _day(day: date | None, form: str) -> str:
    return day.strftime(form) if day else ""


class _Cells:
    """What a file can say about one record, as text."""

    def __init__(self, r: SourceRecord, form: str) -> None:
        person, name = r.person, r.person.names[0]
        self.record, self.household = r.record, r.household or ""
        self.given, self.family = " ".join(name.given), " ".join(name.family)
        self.display = f"{self.given} {self.family}"
        self.familiar = name.preferred or ""
        self.maiden = next((" ".join(n.family) for n in person.names if n.use == "maiden"), "")
        self.born = _day(person.date_of_birth.date if person.date_of_birth else None, form)
        self.died = _day(person.deceased_date.date if person.deceased_date else None, form)
        self.sex, self.ethnicity = person.sex_code or "", person.ethnicity_code or ""
        self.nhs = person.identifier(NHS_NUMBER) or ""
        home = next(iter(person.addresses), None)
        self.line1, self.line2 = (home.line1 or "", home.line2 or "") if home else ("", "")
        self.city, self.postcode = (home.city or "", home.postcode or "") if home else ("", "")
        self.uprn = home.uprn or "" if home else ""
        self.address = ", ".join(x for x in (self.line2, self.line1, self.city, self.postcode) if x)
        self.telephone = next((t for c in person.contacts for t in c.telephone), "")
        self.reference = r.reference_relationship or ""
        self.flags = ";".join(sorted(r.flags))
        self.since, self.until = _day(r.valid_from, form), _day(r.valid_until, form)
        self.related = {code: tie.identifier.value for tie in person.related for code in tie.relationship}


def _people(agency: str, form: str, row: Callable[[_Cells], Row]) -> Callable[[County], Iterator[Row]]:
    return lambda county: (row(_Cells(r, form)) for r in county.records if r.agency == agency)


def _involvements(agency: str, form: str) -> Callable[[County], Iterator[Row]]:
    def row(i: Involvement) -> Row:
        return (i.id, i.record, i.service, _day(i.since, form), _day(i.until, form), i.worker.telephone, i.worker.name)

    return lambda county: (row(i) for i in county.involvements if i.agency == agency)


def _happenings(
    agency: str, category: Cat, form: str, details: Row, codes: Mapping[str, str] | None = None
) -> Callable[[County], Iterator[Row]]:
    """One row per person: id, record, type, started, ended, worker, then the details asked for."""

    def rows(h: Happening) -> Iterator[Row]:
        type_ = codes.get(h.type, h.type) if codes else h.type
        for number, part in enumerate(h.parts, 1):
            yield (
                f"{h.id}-{number}", part.record, type_, _day(h.started, form), _day(h.ended, form), h.worker.name,
                *(h.details.get(name, "") for name in details),
            )  # fmt: skip

    return lambda county: (
        row for h in county.happenings if h.agency == agency and h.category == category for row in rows(h)
    )


#: PUB02 code -> code in the file of children's social care.
CSC_CODES = {
    "early-help": "EH",
    "cin-plan": "CIN",
    "cp-plan": "CP",
    "section-47": "S47",
    "child-looked-after": "CLA",
    "referral": "REF",
}
_CSC_RELATIONS = {
    "NMTH": "Mother",
    "NFTH": "Father",
    "ADOPTM": "Adoptive mother",
    "ADOPTF": "Adoptive father",
    "STPFTH": "Stepfather",
    "DOMPART": "Partner",
    "MGRMTH": "Maternal grandmother",
}
_ASC_RELATIONS = {"DAUC": "Daughter", "SONC": "Son", "DAU": "Daughter", "SON": "Son", "HUSB": "Husband", "WIFE": "Wife"}
_HOUSING_RELATIONS = {
    "REFERENCE": "Tenant",
    "CHILD": "Child",
    "SPS": "Husband or wife",
    "DOMPART": "Partner",
    "ROOM": "Lodger",
    "PRN": "Parent",
    "FAMMEMB": "Other relative",
}
_INVOLVED = ("involvement_id", "person_id", "team", "start_date", "end_date", "duty_line", "allocated_worker")
_UK, _WORDS, _ISO, _DOTS, _PLAIN = "%d/%m/%Y", "%d-%b-%Y", "%Y-%m-%d", "%d.%m.%Y", "%Y%m%d"


def _relations(agency: str, words: Mapping[str, str]) -> Callable[[County], Iterator[Row]]:
    def rows(r: SourceRecord) -> Iterator[Row]:
        for tie in r.person.related:
            for code in tie.relationship:
                if code in words:
                    yield r.record, tie.identifier.value, words[code]

    return lambda county: (row for r in county.records if r.agency == agency for row in rows(r))


def _csc_person(c: _Cells) -> Row:
    return (
        c.record, c.given, c.family, c.display, c.maiden, c.familiar, c.born, {"1": "M", "2": "F"}.get(c.sex, "U"),
        c.ethnicity, c.nhs, c.line1, c.line2, c.city, c.postcode, c.uprn, c.address, c.telephone, c.household, c.flags,
        c.since, c.until,
    )  # fmt: skip


def _asc_person(c: _Cells) -> Row:
    return (
        c.record, c.family.upper(), c.given, c.familiar, c.display, c.born, {"1": "Male", "2": "Female"}.get(c.sex, ""),
        c.nhs, ", ".join(x for x in (c.line2, c.line1) if x), c.city, c.postcode, c.address, c.telephone, c.flags,
        c.since, c.until, c.died,
    )  # fmt: skip


def _hv_person(c: _Cells) -> Row:
    return (
        c.record, c.nhs, c.given, c.family, c.display, c.born,
        {"1": "male", "2": "female"}.get(c.sex, "not known"), c.ethnicity, c.line1, c.line2, c.city, c.postcode,
        c.address, c.telephone, c.household, c.related.get("NMTH") or c.related.get("ADOPTM", ""), c.flags, c.since,
    )  # fmt: skip


def _housing_person(c: _Cells) -> Row:
    title = {"1": "Mr", "2": "Ms"}.get(c.sex, "")
    return (
        c.record, c.household, _HOUSING_RELATIONS.get(c.reference, "Other relative"), title, c.given, c.family,
        c.display, c.born, c.uprn, c.line1, c.line2, c.city, c.postcode.replace(" ", ""), c.address, c.telephone,
        c.flags, c.since, c.until,
    )  # fmt: skip


def _gp_person(c: _Cells) -> Row:
    return (
        c.record, c.nhs, c.given, c.family, c.familiar, c.maiden, c.born,
        {"1": "male", "2": "female"}.get(c.sex, "unknown"),
        c.line1, c.line2, c.city, c.postcode, c.telephone, c.flags, c.since, c.until,
    )  # fmt: skip


_GP_LIST_COLUMNS = _columns(
    "patient_id nhs_number given family known_as former_family birth_date sex line1 line2 town postcode "
    "telephone flags registered_from registered_until"
)
_HOUSING = "cp1252"

#: Agency -> the files it drops.
DROPS: Mapping[str, tuple[Drop, ...]] = {
    "csc": (
        Drop(
            "people.csv",
            _columns(
                "person_id forenames surname display_name previous_surname known_as dob sex ethnicity "
                "nhs_number address_line_1 address_line_2 town postcode uprn full_address telephone "
                "family_id flags known_from known_until"
            ),
            _people("csc", _UK, _csc_person),
            broken=(
                ("", "No", "Number", *("",) * 18),
                ("C009001", "Repeated", "Number", *("",) * 18),
                ("C999998", "Too", "Short"),
            ),
        ),
        Drop("relationships.csv", ("person_id", "other_person_id", "relation"), _relations("csc", _CSC_RELATIONS)),
        Drop("involvement.csv", _INVOLVED, _involvements("csc", _UK)),
        Drop(
            "plans.csv",
            _columns(
                "plan_id person_id plan_type start_date end_date worker status need outcome action child_said note"
            ),
            _happenings(
                "csc",
                Cat.SOCIAL_CARE_STATUS,
                _UK,
                ("status", "need", "outcome", "action", "child_voice", "detail"),
                CSC_CODES,
            ),
            broken=(
                ("csc-broken-1", "", "CIN", "01/02/2024", "", "", "", "", "", "", "", ""),
                ("csc-broken-2", "C999999", "ZZZ", "40/40/2024", "", "", "", "", "", "", "", ""),
            ),
        ),
        Drop(
            "case_notes.csv",
            _columns("note_id person_id kind written_on closed_on worker text"),
            _happenings("csc", Cat.SOCIAL_CARE_NARRATIVE, _UK, ("narrative",)),
        ),
        Drop(
            "missing.csv",
            _columns("event_id person_id kind start_date end_date worker outcome child_said"),
            _happenings("csc", Cat.CSE_MISSING, _UK, ("outcome", "child_voice")),
        ),
        Drop(
            "protected_addresses.csv",
            _columns("entry_id person_id kind start_date end_date worker address"),
            _happenings("csc", Cat.ADDRESS_SHIELDED, _UK, ("address",)),
        ),
        Drop(
            "adoption.csv",
            _columns("entry_id person_id kind start_date end_date worker birth_identity"),
            _happenings("csc", Cat.ADOPTION_SEALED, _UK, ("birth_identity",)),
        ),
    ),
    "asc": (
        Drop(
            "clients.csv",
            _columns(
                "ClientRef Surname Forenames KnownAs DisplayName DateOfBirth Gender NHSNo Address Town "
                "Postcode FullAddress Phone Flags Opened Closed DateOfDeath"
            ),
            _people("asc", _WORDS, _asc_person),
            broken=(("", "BROKEN", "No number", *("",) * 14), ("A-99998", "BROKEN", "Too short")),
        ),
        Drop("related.csv", ("ClientRef", "RelatedRef", "Relation"), _relations("asc", _ASC_RELATIONS)),
        Drop("services.csv", _columns("Id ClientRef Team From To DutyLine Worker"), _involvements("asc", _WORDS)),
        Drop(
            "packages.csv",
            _columns("PackageId ClientRef Service From To Worker Active DutyTeam"),
            lambda county: (
                (
                    f"{h.id}-1",
                    h.parts[0].record,
                    h.type,
                    _day(h.started, _WORDS),
                    _day(h.ended, _WORDS),
                    h.worker.name,
                    "No" if h.ended else "Yes",
                    "Adults Duty Team, 24 hours: 01632 960299",
                )
                for h in county.happenings
                if h.agency == "asc" and h.category == Cat.ASC_PACKAGE
            ),
        ),
    ),
    "hv": (
        Drop(
            "caseload.csv",
            (
                "Patient Id",
                "NHS Number",
                "First Names",
                "Last Name",
                "Display Name",
                "Date of Birth",
                "Sex",
                "Ethnicity",
                "Address Line 1",
                "Address Line 2",
                "Town",
                "Post Code",
                "Full Address",
                "Telephone",
                "Family",
                "Mother Id",
                "Alerts",
                "On Caseload From",
            ),
            _people("hv", _ISO, _hv_person),
            broken=(("", "", "No", "Number", *("",) * 14), ("HV99998", "Too short")),
        ),
        Drop(
            "contacts.csv",
            ("Contact Id", "Patient Id", "Service", "From", "To", "Team Telephone", "Practitioner"),
            _involvements("hv", _ISO),
        ),
        Drop(
            "reviews.csv",
            (
                "Review Id",
                "Patient Id",
                "Kind",
                "Date",
                "Ended",
                "Practitioner",
                "Level",
                "Findings",
                "Concern",
                "Plan",
            ),
            _happenings("hv", Cat.HEALTH_SUMMARY, _ISO, ("status", "detail", "risk", "action")),
        ),
    ),
    "housing": (
        Drop(
            "people.csv",
            _columns(
                "person_ref tenancy_ref relationship_to_tenant title first_names last_name full_name "
                "birth_date uprn address1 address2 town postcode full_address phone markers moved_in "
                "moved_out"
            ),
            _people("housing", _DOTS, _housing_person),
            broken=(("", "T/000000", "Tenant", "", "No", "Number", *("",) * 12), ("P/999998", "Too short")),
            encoding=_HOUSING,
        ),
        Drop(
            "involvement.csv",
            _columns("ref person_ref service from to phone officer"),
            _involvements("housing", _DOTS),
            encoding=_HOUSING,
        ),
        Drop(
            "tenancy_events.csv",
            _columns("ref person_ref kind opened closed officer detail status action"),
            _happenings("housing", Cat.HOUSING, _DOTS, ("detail", "status", "action")),
            encoding=_HOUSING,
        ),
    ),
    "gp-millbrook": (Drop("people.csv", _GP_LIST_COLUMNS, _people("gp-millbrook", _PLAIN, _gp_person)),),
    "gp-harbourside": (Drop("people.csv", _GP_LIST_COLUMNS, _people("gp-harbourside", _PLAIN, _gp_person)),),
}
